import Testing

@testable import GenesysLoop
@testable import ServerKit

/// A WebSocket server on the loop under test. It sends every message back, unless a test changes that.
final class EchoServer: TCPListenerOwner, TimerOwner {
    /// Made once: creating them takes longer than a test.
    static let certificates = Result {
        let authority = try CertificateAuthority()
        return (authority: authority, server: try authority.issue())
    }

    let loop: UVLoop
    let context: TLSContext?
    private let listener: TCPListener
    private var watchdog: Timer?
    private var hasEnded = false
    private(set) var connections: [EchoConnection] = []

    /// Accepts permessage-deflate with these parameters; nil declines it.
    var deflate: DeflateParameters?
    /// The response to an upgrade request; nil accepts it.
    var respond: (UpgradeRequestHead) -> [UInt8]? = { _ in nil }
    var didOpen: (EchoConnection) -> Void = { _ in }
    var didDrain: (EchoConnection) -> Void = { _ in }
    var didReceive: (EchoConnection, EchoConnection.Event) -> Void = { $0.answer($1) }

    init(_ loop: UVLoop, tls: Bool = false, clientTrust: [UInt8]? = nil) throws {
        self.loop = loop
        let identity = try EchoServer.certificates.get().server
        let options = TLSContext.ServerOptions(clientTrust: clientTrust)
        context = tls ? try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM, options: options) : nil
        listener = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        try listener.bind()
        unsafe listener.owner = self
    }

    deinit { listener.close() }

    var port: UInt16 { listener.localPort }
    var uri: String { "\(context == nil ? "ws" : "wss")://localhost:\(port)/secret" }

    /// The trust configuration of clients.
    static func trust() throws -> TLSConfiguration {
        TLSConfiguration(trust: .pem(try certificates.get().authority.certificatePEM))
    }

    /// The only connection.
    var connection: EchoConnection {
        get throws { try #require(connections.first) }
    }

    /// Runs until `end()`.
    func run(atMost limit: Duration = .seconds(30 * patience(1))) {
        let watchdog = Timer(loop: loop, group: HandleGroup(loop: loop), owner: self)
        watchdog.start(at: loop.now.instant + limit)
        self.watchdog = watchdog
        loop.run()
        #expect(hasEnded, "the test did not come to its end")
        respond = { _ in nil }
        didOpen = { _ in }
        didDrain = { _ in }
        didReceive = { _, _ in }
        guard hasEnded else { return }
        // Only the loop's own handle is open.
        #expect(loop.registry.openCount == 1)
        #expect(loop.openObjects.isEmpty)
    }

    /// Stops listening; connections continue until their clients end them.
    func stopListening() { listener.close() }

    /// Ends everything that keeps the loop running.
    func end() {
        hasEnded = true
        listener.close()
        watchdog?.close()
        watchdog = nil
        for connection in connections { connection.tcp.close() }
    }

    func timerDidFire(_ timer: Timer) { loop.stop() }

    func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        let made = EchoConnection(connection, server: self)
        connections.append(made)
        made.start()
    }

    func listener(_ listener: TCPListener, didFailWith error: UVError) { Issue.record("\(error)") }
}
