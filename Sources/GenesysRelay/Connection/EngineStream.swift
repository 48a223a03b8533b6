internal import GenesysLoop

/// Receives what happens on an `EngineStream`. Every call comes inside a pass of the loop.
protocol EngineStreamOwner: AnyObject {
    /// It is connected, and over TLS the server is verified.
    func streamDidOpen(_ stream: EngineStream)
    /// Bytes of the server; lent for the call.
    func stream(_ stream: EngineStream, didRead bytes: UnsafeRawBufferPointer)
    /// It could not be opened, or is gone. The last call.
    func stream(_ stream: EngineStream, didEndWith failure: EngineStream.Failure)
}

/// Bytes to and from an engine: over TCP, over TLS, or through a local socket.
///
/// Names are looked up by the loop's resolver, and their addresses tried beside each other. Nothing blocks.
@safe final class EngineStream: ConnectorOwner, TCPConnectionOwner, TimerOwner, LoopTask {
    enum Destination: Hashable, Sendable {
        /// `host` is what to resolve; `name` is what the certificate must hold.
        case host(String, name: String, port: UInt16)
        case socket(String)
    }

    enum Failure: Error, Hashable {
        case unresolved(ResolverError)
        case unreachable(UVError, tried: [String])
        case timeout(String)
        case tls(TLSError)
        case broke(UVError)
        case ended
    }

    struct Limits: Hashable, Sendable {
        /// For the look-up of the name.
        var name: Duration = .seconds(10)
        /// For TCP and TLS together.
        var connect: Duration = .seconds(2)
        /// For a reply.
        var reply: Duration = .seconds(5)
        /// The longest silence of a connection that is not in use.
        var idle: Duration = .seconds(5)
    }

    private enum Phase {
        case idle, resolving, connecting, securing, open, ended
    }

    let loop: UVLoop
    private let group: HandleGroup
    private let context: TLSContext?
    private let destination: Destination
    private let limits: Limits
    private(set) weak var owner: (any EngineStreamOwner)?
    private var phase = Phase.idle
    /// Which addresses come first and last.
    private(set) var memory: AddressMemory
    private var connector: Connector?
    private var tcp: TCPConnection?
    private var tls: TLSSession?
    private var timer: Timer?
    /// A failure of a write, which is reported later.
    private var failure: Failure?

    init(
        to destination: Destination, context: TLSContext?, limits: Limits, memory: AddressMemory, loop: UVLoop,
        group: HandleGroup, owner: any EngineStreamOwner
    ) {
        self.memory = memory
        self.limits = limits
        self.destination = destination
        self.context = context
        self.loop = loop
        self.group = group
        self.owner = owner
    }

    deinit { close() }

    /// How many bytes the kernel has accepted.
    var sentByteCount: Int { tcp?.sentByteCount ?? 0 }
    /// How many it has not accepted yet.
    var queuedByteCount: Int { tcp?.queuedByteCount ?? 0 }

    /// Starts. The owner is never called from within this call.
    func start() {
        switch destination {
        case .host(let host, _, let port):
            enter(.resolving, for: limits.name)
            let connector = Connector(loop: loop, group: group, owner: self)
            self.connector = connector
            connector.start(host: host, port: port, memory: memory)
        case .socket(let path):
            enter(.connecting, for: limits.connect)
            let connection = TCPConnection(loop: loop, group: group, owner: self)
            tcp = connection
            connection.connect(toSocket: path)
        }
    }

    /// The server behind the address works.
    func succeeded() { memory.succeeded() }

    /// Sends bytes; a failure is reported later.
    func write(_ bytes: [UInt8]) {
        guard phase == .open else { return }
        guard let tls else {
            tcp?.write(bytes)
            return
        }
        do throws(TLSError) {
            try tls.write(bytes.span)
        } catch {
            failure = failure ?? .tls(error)
            loop.schedule(self)
        }
        flush()
    }

    /// Closes it; the owner is no longer called. Bytes that the kernel has accepted are sent.
    func close() {
        owner = nil
        if phase == .open {
            tls?.sendCloseNotify()
            flush()
        }
        release()
    }

    private func release() {
        phase = .ended
        connector?.cancel()
        connector = nil
        tcp?.close()
        tcp = nil
        tls = nil
        timer?.close()
        timer = nil
    }

    private func enter(_ phase: Phase, for limit: Duration?) {
        self.phase = phase
        guard let limit else {
            timer?.stop()
            return
        }
        let timer = self.timer ?? Timer(loop: loop, group: group, owner: self)
        self.timer = timer
        timer.start(at: loop.now.instant + limit)
    }

    private func fail(_ failure: Failure) {
        guard phase != .ended else { return }
        let owner = owner
        self.owner = nil
        release()
        owner?.stream(self, didEndWith: failure)
    }

    func runTask() {
        if let failure { fail(failure) }
    }

    func timerDidFire(_ timer: Timer) {
        switch phase {
        case .resolving:
            let silence = connector?.silence.map { ": \($0)" } ?? ""
            fail(.timeout("the name was not resolved in \(limits.name)\(silence)"))
        case .connecting:
            let tried = connector?.tried ?? []
            let results = tried.isEmpty ? "" : " (\(tried.joined(separator: "; ")))"
            fail(.timeout("no connection was accepted in \(limits.connect)\(results)"))
        case .securing: fail(.timeout("TLS was not ready in \(limits.connect)"))
        case .idle, .open, .ended: break
        }
    }

    // MARK: - Connecting

    func connectorDidFindAddress(_ connector: Connector) {
        if phase == .resolving { enter(.connecting, for: limits.connect) }
    }

    func connector(_ connector: Connector, didFailToResolve error: ResolverError) { fail(.unresolved(error)) }

    func connector(_ connector: Connector, didFailWith error: UVError, tried: [String]) {
        fail(.unreachable(error, tried: tried))
    }

    func connector(_ connector: Connector, didConnect connection: TCPConnection, to address: SocketAddress) {
        memory.reached(address)
        self.connector = nil
        unsafe connection.owner = self
        tcp = connection
        begin()
    }

    func connectionDidConnect(_ connection: TCPConnection) { begin() }

    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {
        fail(.unreachable(error, tried: [error.text]))
    }

    private func begin() {
        guard let context, case .host(_, let name, let port) = destination else { return open() }
        phase = .securing
        do throws(TLSError) {
            let session = try TLSSession(context: context, clientFor: name, port: port)
            tls = session
            _ = try session.handshake()
            flush()
            tcp?.startReading()
        } catch {
            fail(.tls(error))
        }
    }

    private func open() {
        enter(.open, for: nil)
        tcp?.startReading()
        owner?.streamDidOpen(self)
    }

    private func flush() {
        guard let ciphertext = tls?.takeOutgoing(), !ciphertext.isEmpty else { return }
        tcp?.write(ciphertext)
    }

    // MARK: - Reading

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        guard let tls else {
            // The strong local keeps the owner alive for the call.
            let owner = owner
            unsafe owner?.stream(self, didRead: bytes)
            return
        }
        let isFirst = !tls.isEstablished
        var plaintext: [UInt8] = []
        var end: Failure?
        unsafe tls.lend(bytes)
        do throws(TLSError) {
            if try decrypt(with: tls, into: &plaintext) { end = .ended }
        } catch {
            end = .tls(error)
        }
        _ = tls.takeBack()
        flush()
        if isFirst, tls.isEstablished, phase == .securing { open() }
        if phase == .open, !plaintext.isEmpty {
            let owner = owner
            // The array is alive during the call.
            unsafe plaintext.withUnsafeBytes { unsafe owner?.stream(self, didRead: $0) }
        }
        if let end { fail(end) }
    }

    /// Decrypts what was lent.
    ///
    /// - Returns: whether the server has ended its side.
    private func decrypt(with tls: TLSSession, into plaintext: inout [UInt8]) throws(TLSError) -> Bool {
        let buffer = unsafe loop.plaintextBuffer
        while true {
            // The loop's buffer is used by one read at a time.
            switch unsafe try tls.read(into: buffer) {
            case .bytes(let count): unsafe plaintext.append(contentsOf: buffer[..<count])
            case .needMore: return false
            case .closeNotify: return true
            }
        }
    }

    func connectionDidReachEOF(_ connection: TCPConnection) { fail(.ended) }
    func connection(_ connection: TCPConnection, didFailWith error: UVError) { fail(.broke(error)) }
    func connectionDidDrain(_ connection: TCPConnection) {}
}

extension EngineStream.Failure {
    /// What happened, as a clause.
    var clause: String {
        switch self {
        case .unresolved(let error): "the name could not be resolved: \(Sentence.clause(error.text))"
        case .unreachable(_, let tried):
            "no connection could be made: \(Sentence.clause(tried.joined(separator: "; ")))"
        case .timeout(let clause): clause
        case .tls(let error): error.clause
        case .broke(let error): "the connection broke (\(error.operation): \(error.text))"
        case .ended: "the server ended the connection"
        }
    }

    /// What the failure means where nothing has worked yet; nil if a later try may succeed.
    var finalKind: RelaySinkFailure.Kind? {
        switch self {
        case .tls(let error):
            if error.isClientCertificateRefused { return .authorization }
            switch error.fault {
            case .certificate, .clientCertificateMissing: return .authorization
            case .notTLS, .protocol: return .protocolViolation
            case .configuration: return .configuration
            case .alertReceived, .version, .cipher, .internal: return nil
            }
        case .unresolved, .unreachable, .timeout, .broke, .ended: return nil
        }
    }
}
