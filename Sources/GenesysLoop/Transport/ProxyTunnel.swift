/// What stands between a connection to a proxy and its link: the handshake with the proxy, and TLS with it.
///
/// It owns the connection's callbacks from the start. Once the tunnel is open the link gets them back and the tunnel is
/// dropped, unless the proxy has TLS: then all that the link reads and writes goes through it forever, TLS inside TLS.
@safe final class ProxyTunnel: TCPConnectionOwner {
    /// Unretained; cleared when the link is over.
    unowned(unsafe) var link: Link?
    private let tcp: TCPConnection
    private let proxy: ProxyURI
    /// Nil when the tunnel is open.
    private var handshake: ProxyHandshake?
    private var isHandshakeSent = false
    /// With the proxy; nil without.
    private var tls: TLSSession?
    /// What the proxy's TLS is decrypted to.
    private var buffer: TunnelBuffer?

    init(_ tcp: TCPConnection, to proxy: ProxyURI, for link: Link) {
        self.tcp = tcp
        self.proxy = proxy
        unsafe self.link = link
        handshake = ProxyHandshake(with: proxy, to: link.uri, userAgent: link.configuration.userAgent)
    }

    /// Begins to talk to the proxy. The connection is established.
    func start(context: TLSContext?) throws(TLSError) {
        unsafe tcp.owner = self
        if let context {
            buffer = TunnelBuffer.shared(on: tcp.loop)
            let session = try TLSSession(context: context, clientFor: proxy.host, port: proxy.port)
            tls = session
            _ = try session.handshake()
        }
        try sendHandshake()
        tls?.releaseBuffers()
        tcp.startReading()
    }

    private func sendHandshake() throws(TLSError) {
        if tls?.isEstablished ?? true, let words = handshake?.takeOutgoing(), !words.isEmpty {
            isHandshakeSent = true
            try tls?.write(words.span)
            if tls == nil { tcp.write(words) }
        }
        flush()
    }

    // MARK: - Output

    /// Sends what the link has.
    func write(_ bytes: [UInt8]) {
        guard let tls else { return tcp.write(bytes) }
        do throws(TLSError) {
            try tls.write(bytes.span)
            flush()
        } catch {
            flush()
            unsafe link?.sends.connectionIsOver(at: tcp.sentByteCount)
            unsafe link?.fail(broken(error))
        }
    }

    /// Bytes that the proxy's TLS keeps back.
    var unsentByteCount: Int { tls?.unsentByteCount ?? 0 }

    private func flush() {
        guard let ciphertext = tls?.takeOutgoing(), !ciphertext.isEmpty else { return }
        tcp.write(ciphertext)
    }

    /// Nothing more will be sent.
    func finishWriting() {
        tls?.sendCloseNotify()
        flush()
    }

    /// The link is idle.
    func releaseBuffers() { tls?.releaseBuffers() }

    // MARK: - Input

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        let isDrained = unsafe bytes.count < tcp.loop.ciphertextBuffer.count
        guard let tls, let buffer else { return unsafe take(bytes, isDrained: isDrained) }
        var count = 0
        var ending: Ending?
        do throws(TLSError) {
            ending = try unsafe decrypt(bytes, with: tls, into: buffer.bytes, &count) ? .closeNotify : nil
            if !isHandshakeSent { try sendHandshake() }
        } catch {
            ending = .failure(error)
        }
        _ = tls.takeBack()
        flush()
        // What came before the end counts. The buffer belongs to this tunnel until the read is over.
        if count > 0 { unsafe take(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]), isDrained: isDrained) }
        releaseHandshakeBuffers()
        if let ending { end(ending) }
    }

    private enum Ending {
        case closeNotify
        case failure(TLSError)
    }

    /// All of a read at once, so that the link sees as many bytes at a time as without a proxy.
    ///
    /// - Returns: whether the proxy ended its side.
    private func decrypt(
        _ bytes: UnsafeRawBufferPointer, with tls: TLSSession, into target: UnsafeMutableRawBufferPointer,
        _ count: inout Int
    ) throws(TLSError) -> Bool {
        unsafe tls.lend(bytes)
        while true {
            // The buffer holds more than a read and the record that was begun before it.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: target[count...])
            switch try unsafe tls.read(into: rest) {
            case .bytes(let more): count += more
            case .needMore: return false
            case .closeNotify: return true
            }
        }
    }

    /// What the proxy sent, decrypted.
    private func take(_ bytes: UnsafeRawBufferPointer, isDrained: Bool) {
        guard handshake != nil else {
            unsafe link?.receive(bytes, isDrained: isDrained)
            return
        }
        do throws(ProxyFault) {
            // The bytes are lent for the call.
            let span = unsafe Span<UInt8>(_unsafeBytes: bytes)
            let consumed = try handshake?.receive(span)
            if let consumed { return unsafe open(UnsafeRawBufferPointer(rebasing: bytes[consumed...]), isDrained) }
            if isReadingBody { unsafe link?.limitBody() }
        } catch {
            return fail(error)
        }
        do throws(TLSError) {
            try sendHandshake()
        } catch {
            end(.failure(error))
        }
    }

    /// The tunnel is open; `rest` is the first that came through it.
    private func open(_ rest: UnsafeRawBufferPointer, _ isDrained: Bool) {
        handshake = nil
        guard let link = unsafe link else { return }
        if tls == nil {
            unsafe tcp.owner = link
            link.tunnel = nil
        }
        unsafe link.tunnelDidOpen(rest, isDrained: isDrained)
    }

    /// The proxy is slow to answer, perhaps: a link that waits holds no record buffers.
    private func releaseHandshakeBuffers() {
        if handshake != nil { tls?.releaseBuffers() }
    }

    // MARK: - The end

    /// The proxy has refused, and what it says about that is being read.
    var isReadingBody: Bool { handshake?.isReadingBody ?? false }

    /// No more of what the proxy says is waited for.
    func endBody() {
        if let handshake { fail(handshake.endOfInput()) }
    }

    private func fail(_ fault: ProxyFault) {
        finish(ChannelFailure(proxy: fault, of: proxy, now: tcp.loop.now.wall))
    }

    private func finish(_ failure: ChannelFailure) {
        guard let link = unsafe link else { return }
        link.fail(failure)
        link.reportEndIfDue()
    }

    private func end(_ ending: Ending) {
        switch ending {
        case .closeNotify: connectionDidReachEOF(tcp)
        case .failure(let error):
            finish(handshake == nil ? broken(error) : ChannelFailure(tls: error, with: proxy))
        }
    }

    /// TLS with the proxy broke while the link used it.
    private func broken(_ error: TLSError) -> ChannelFailure {
        ChannelFailure(
            reason: .connectionClosed, phase: unsafe link?.failurePhase ?? .proxy,
            underlying: .init(
                operation: "TLS with the proxy \(proxy)", code: error.code,
                text: ChannelFailure.clause(error.description)))
    }

    func connectionDidReachEOF(_ connection: TCPConnection) {
        if let handshake { return fail(handshake.endOfInput()) }
        unsafe link?.connectionDidReachEOF(connection)
    }

    func connection(_ connection: TCPConnection, didFailWith error: UVError) {
        if isReadingBody { return endBody() }
        if handshake != nil { return fail(.broke("\(error.operation): \(error.text)")) }
        unsafe link?.connection(connection, didFailWith: error)
    }

    func connectionDidDrain(_ connection: TCPConnection) {
        if handshake == nil { unsafe link?.connectionDidDrain(connection) }
    }
}

/// Where what comes from proxies with TLS is decrypted to before the link decrypts it once more: one for a loop, and
/// none without such a proxy.
///
/// It is in use during a read only, as the loop's own buffers are.
@safe final class TunnelBuffer {
    /// A record that was begun in an earlier read.
    private static let maxRecordByteCount = 16_384 + 512

    /// Freed with this object.
    let bytes: UnsafeMutableRawBufferPointer

    private init(byteCount: Int) {
        unsafe bytes = .allocate(byteCount: byteCount, alignment: 16)
    }

    deinit {
        // Nobody has it any more.
        unsafe bytes.deallocate()
    }

    /// The loop's one.
    static func shared(on loop: UVLoop) -> TunnelBuffer {
        loop.shared(ObjectIdentifier(TunnelBuffer.self)) {
            unsafe TunnelBuffer(byteCount: loop.ciphertextBuffer.count + maxRecordByteCount)
        }
    }
}
