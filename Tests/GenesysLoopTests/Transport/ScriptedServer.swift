import Testing

@testable import GenesysLoop
@testable import ServerKit

/// A server on the loop under test that follows a script for each connection, and the last script for all further ones.
final class ScriptedServer: TCPListenerOwner, TimerOwner {
    /// Made once: making it takes longer than a test.
    static let identity = Result {
        let authority = try CertificateAuthority()
        return (authority: authority, server: try authority.issue())
    }

    let loop: UVLoop
    let context: TLSContext?
    let port: UInt16
    /// Who runs the loop.
    var drive = LoopDrive.own
    /// Bytes in each write of the server; each write is a turn of the loop.
    var chunk = Int.max
    private let listener: TCPListener
    private let scripts: [[Step]]
    private(set) var connections: [ScriptedConnection] = []
    private var watchdog: Timer?
    private var isClosing = false
    private var isOverdue = false

    init(
        _ loop: UVLoop, host: String = "127.0.0.1", tls: Bool = false, maximumVersion: Int? = nil,
        clientTrust: [UInt8]? = nil, _ scripts: [Step]...
    ) throws {
        self.loop = loop
        self.scripts = scripts
        let options = TLSContext.ServerOptions(maximumVersion: maximumVersion, clientTrust: clientTrust)
        let identity = try ScriptedServer.identity.get().server
        context = tls ? try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM, options: options) : nil
        listener = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        try listener.bind(host: host)
        port = listener.localPort
        unsafe listener.owner = self
    }

    deinit { listener.close() }

    /// What a client must trust.
    static func trust() throws -> TLSConfiguration {
        TLSConfiguration(trust: .pem(try identity.get().authority.certificatePEM))
    }

    func uri(_ host: String = "localhost") -> String {
        "\(context == nil ? "ws" : "wss")://\(host):\(port)/channels/secret"
    }

    /// The first connection.
    var first: ScriptedConnection {
        get throws { try #require(connections.first) }
    }

    /// Runs until the client called `clientDidFinish` and every connection has ended.
    func run() {
        let watchdog = Timer(loop: loop, group: HandleGroup(loop: loop), owner: self)
        watchdog.start(at: loop.now.instant + .seconds(20 * patience(1)))
        self.watchdog = watchdog
        drive.run(loop) { self.isOverdue }
        #expect(self.watchdog == nil, "the test did not come to its end")
        for connection in connections { connection.forget() }
        // Only the loop's own handle is left.
        #expect(loop.registry.openCount == 1)
        #expect(loop.openObjects.isEmpty)
    }

    /// The client has released everything. The rest of its output is still read, then the loop is idle.
    func clientDidFinish() {
        isClosing = true
        listener.close()
        for connection in connections { connection.clientDidFinish() }
        connectionDidEnd()
    }

    func connectionDidEnd() {
        guard isClosing, connections.allSatisfy({ $0.ending != nil }) else { return }
        watchdog?.close()
        watchdog = nil
    }

    func timerDidFire(_ timer: Timer) {
        isOverdue = true
        drive.stop(loop)
    }

    func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        let script = scripts[min(connections.count, scripts.count - 1)]
        let made = ScriptedConnection(connection, server: self, script: script)
        connections.append(made)
        made.start()
    }

    func listener(_ listener: TCPListener, didFailWith error: UVError) { Issue.record("\(error)") }
}
