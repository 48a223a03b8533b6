import GenesysLoop
import ServerKit

/// A server on the probe's loop that stops at a moment of a request, and notifies the probe of it.
final class ProbeServer: TCPListenerOwner {
    static let identity = Result {
        let authority = try CertificateAuthority()
        return (authority: authority, server: try authority.issue(CertificateRequest(names: [.dns("api.test")])))
    }

    let port: UInt16
    /// Called when the server has reached the moment.
    var didArrive: () -> Void = {}
    fileprivate let moment: Moment
    fileprivate let context: TLSContext
    private let listener: TCPListener
    private var connections: [ProbeConnection] = []

    init(_ loop: UVLoop, _ moment: Moment) throws {
        self.moment = moment
        let identity = try ProbeServer.identity.get().server
        context = try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM)
        listener = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        try listener.bind()
        port = listener.localPort
        unsafe listener.owner = self
    }

    func close() {
        didArrive = {}
        listener.close()
        for connection in connections { connection.close() }
        connections = []
    }

    func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        connections.append(ProbeConnection(connection, self))
    }

    func listener(_ listener: TCPListener, didFailWith error: UVError) { print("\(error)") }
}

/// One of its connections.
private final class ProbeConnection: TCPConnectionOwner {
    private let tcp: TCPConnection
    private weak var server: ProbeServer?
    private let tls: TLSSession?
    private var plaintextCount = 0

    init(_ tcp: TCPConnection, _ server: ProbeServer) {
        self.tcp = tcp
        self.server = server
        tls = try? TLSSession(serverOn: server.context)
        unsafe tcp.owner = self
        tcp.startReading()
    }

    func close() { tcp.close() }

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        guard let server, let tls else { return }
        // The first bytes are a CONNECT or a ClientHello.
        if server.moment == .proxy || server.moment == .tls { return server.didArrive() }
        // The loop lends the bytes for the call.
        unsafe tls.lend(bytes)
        if (try? tls.handshake()) == true {
            while case .bytes(let count)? = try? unsafe tls.read(into: tcp.loop.plaintextBuffer) {
                plaintextCount += count
            }
        }
        _ = tls.takeBack()
        if plaintextCount > 0 { take(server, tls) }
        let ciphertext = tls.takeOutgoing()
        if !ciphertext.isEmpty { tcp.write(ciphertext) }
    }

    private func take(_ server: ProbeServer, _ tls: TLSSession) {
        switch server.moment {
        case .sending:
            tcp.stopReading()
            server.didArrive()
        case .head: server.didArrive()
        case .body: write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", tls)
        case .end, .idle: write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", tls)
        case .start, .dns, .connect, .proxy, .tls: break
        }
    }

    private func write(_ text: String, _ tls: TLSSession) { try? tls.write(Array(text.utf8).span) }

    func connectionDidReachEOF(_ connection: TCPConnection) { close() }
    func connection(_ connection: TCPConnection, didFailWith error: UVError) { close() }
    func connectionDidDrain(_ connection: TCPConnection) {}
}

/// A listener that accepts nothing: its queue is full, so further connections never end.
final class FullListener {
    let port: UInt16
    private let loop: UVLoop
    private let listener: TCPListener
    private let first: TCPConnection

    init() throws {
        // It never runs.
        loop = try UVLoop()
        listener = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        try listener.bind(backlog: 0)
        port = listener.localPort
        first = TCPConnection(loop: loop, group: HandleGroup(loop: loop))
        if let address = listener.localAddress { first.connect(to: address) }
    }

    func close() {
        first.close()
        listener.close()
    }
}
