/// The layer between a connection to a proxy and its link: the handshake with the proxy, and TLS with it.
///
/// It receives the connection's callbacks from the start. Once the tunnel is open, they go to the link, and the tunnel
/// is dropped. With TLS to the proxy it stays instead: the link's input and output pass through it, TLS inside TLS.
@safe final class ProxyTunnel: TCPConnectionOwner {
    /// Unretained; cleared when the link ends.
    unowned(unsafe) var link: Link?
    private let tcp: TCPConnection
    private let proxy: ProxyURI
    /// Nil when the tunnel is open.
    private var handshake: ProxyHandshake?
    private var isHandshakeSent = false
    /// The session with the proxy; nil without TLS.
    private var tls: TLSSession?
    /// Where input of the proxy's TLS is decrypted to.
    private var buffer: TunnelBuffer?

    init(_ tcp: TCPConnection, to proxy: ProxyURI, for link: Link) {
        self.tcp = tcp
        self.proxy = proxy
        unsafe self.link = link
        handshake = ProxyHandshake(with: proxy, to: link.uri, userAgent: link.configuration.userAgent)
    }

    /// Starts the handshake over the established connection.
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

    /// Sends output of the link.
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

    /// The number of bytes that TLS with the proxy holds back.
    var unsentByteCount: Int { tls?.unsentByteCount ?? 0 }

    private func flush() {
        guard let ciphertext = tls?.takeOutgoing(), !ciphertext.isEmpty else { return }
        tcp.write(ciphertext)
    }

    /// Ends the output.
    func finishWriting() {
        tls?.sendCloseNotify()
        flush()
    }

    /// Frees the buffers of TLS; the link is idle.
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
        // Input before the end counts. The buffer belongs to this tunnel until the read ends.
        if count > 0 { unsafe take(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]), isDrained: isDrained) }
        releaseHandshakeBuffers()
        if let ending { end(ending) }
    }

    private enum Ending {
        case closeNotify
        case failure(TLSError)
    }

    /// Decrypts a whole read at once, so that the link gets reads of the same size as without a proxy.
    ///
    /// - Returns: whether the proxy ended its side.
    private func decrypt(
        _ bytes: UnsafeRawBufferPointer, with tls: TLSSession, into target: UnsafeMutableRawBufferPointer,
        _ count: inout Int
    ) throws(TLSError) -> Bool {
        unsafe tls.lend(bytes)
        while true {
            // The buffer is larger than a read and the record that an earlier read started.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: target[count...])
            switch try unsafe tls.read(into: rest) {
            case .bytes(let more): count += more
            case .needMore: return false
            case .closeNotify: return true
            }
        }
    }

    /// Processes decrypted input.
    private func take(_ bytes: UnsafeRawBufferPointer, isDrained: Bool) {
        guard handshake != nil else {
            unsafe link?.receive(bytes, isDrained: isDrained)
            return
        }
        do throws(ProxyError) {
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

    /// The tunnel is open; `rest` is the first input through it.
    private func open(_ rest: UnsafeRawBufferPointer, _ isDrained: Bool) {
        handshake = nil
        guard let link = unsafe link else { return }
        if tls == nil {
            unsafe tcp.owner = link
            link.tunnel = nil
        }
        unsafe link.tunnelDidOpen(rest, isDrained: isDrained)
    }

    /// Frees the buffers of TLS during the handshake: the proxy may be slow, and a waiting link holds no record
    /// buffers.
    private func releaseHandshakeBuffers() {
        if handshake != nil { tls?.releaseBuffers() }
    }

    // MARK: - The end

    /// The proxy has refused, and the body of its answer is incomplete.
    var isReadingBody: Bool { handshake?.isReadingBody ?? false }

    /// The time for the body is over.
    func endBody() {
        if let handshake { fail(handshake.endOfInput()) }
    }

    private func fail(_ error: ProxyError) {
        finish(.proxy(error, of: proxy, at: tcp.loop.now.wall))
    }

    private func finish(_ failure: LinkFailure) {
        guard let link = unsafe link else { return }
        link.fail(failure)
        link.reportEndIfDue()
    }

    private func end(_ ending: Ending) {
        switch ending {
        case .closeNotify: connectionDidReachEOF(tcp)
        case .failure(let error):
            finish(handshake == nil ? broken(error) : .proxyTLS(error, of: proxy))
        }
    }

    /// The failure of TLS with the proxy while the link used the tunnel.
    private func broken(_ error: TLSError) -> LinkFailure {
        .tunnelTLS(error, of: proxy, during: unsafe link?.failurePhase ?? .proxy)
    }

    func connectionDidReachEOF(_ connection: TCPConnection) {
        if let handshake { return fail(handshake.endOfInput()) }
        unsafe link?.connectionDidReachEOF(connection)
    }

    func connection(_ connection: TCPConnection, didFailWith error: UVError) {
        if isReadingBody { return endBody() }
        if handshake != nil { return fail(.broke(error)) }
        unsafe link?.connection(connection, didFailWith: error)
    }

    func connectionDidDrain(_ connection: TCPConnection) {
        if handshake == nil { unsafe link?.connectionDidDrain(connection) }
    }
}

/// The buffer for decrypted input of proxies with TLS, from which the link decrypts again: one for each loop that has
/// such a proxy.
///
/// In use only during a read, like the loop's own buffers.
@safe final class TunnelBuffer {
    /// The size of a record that an earlier read started.
    private static let maxRecordByteCount = 16_384 + 512

    /// Freed with this object.
    let bytes: UnsafeMutableRawBufferPointer

    private init(byteCount: Int) {
        unsafe bytes = .allocate(byteCount: byteCount, alignment: 16)
    }

    deinit {
        // The last reference is gone.
        unsafe bytes.deallocate()
    }

    /// The buffer of the loop.
    static func shared(on loop: UVLoop) -> TunnelBuffer {
        loop.shared(ObjectIdentifier(TunnelBuffer.self)) {
            unsafe TunnelBuffer(byteCount: loop.ciphertextBuffer.count + maxRecordByteCount)
        }
    }
}
