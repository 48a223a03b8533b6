import Testing

@testable import GenesysLoop
@testable import ServerKit

/// A proxy on the loop under test, which follows a script with its clients and may connect them to a server.
final class ScriptedProxy: TCPListenerOwner {
    /// The next action.
    enum Step {
        /// Waits for a whole HTTP head, or for this many bytes.
        case head, bytes(Int)
        case say([UInt8])
        /// From here on everything is relayed to and from the server.
        case relay
        case fin, reset
    }

    let loop: UVLoop
    let port: UInt16
    /// Bytes in each of its writes to the client; each write is a turn of the loop.
    var chunk = Int.max
    private let listener: TCPListener
    private let script: [Step]
    private let context: TLSContext?
    private let server: ScriptedServer
    private(set) var connections: [ScriptedProxyConnection] = []

    init(to server: ScriptedServer, tls: Bool = false, _ script: [Step]) throws {
        loop = server.loop
        self.server = server
        self.script = script
        let identity = try ScriptedServer.identity.get().server
        context = tls ? try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM) : nil
        listener = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        try listener.bind(host: "127.0.0.1")
        port = listener.localPort
        unsafe listener.owner = self
    }

    deinit { listener.close() }

    /// Accepts no more connections.
    func close() { listener.close() }

    /// Makes the link of a probe use this proxy.
    func use(for probe: LinkProbe, scheme: String? = nil, user: String = "", host: String = "localhost") throws {
        let uri = try ProxyURI("\(scheme ?? (context == nil ? "http" : "https"))://\(user)\(host):\(port)")
        probe.proxy = ProxyRules(.url(uri)) { _ in nil }
        if context != nil { probe.proxy?.context = try TLSContext(client: ScriptedServer.trust()) }
        probe.didFinish = { [listener] in listener.close() }
    }

    /// What the first client sent to the proxy itself.
    var said: [UInt8] { connections.first?.said ?? [] }
    var saidText: String { String(decoding: said, as: UTF8.self) }

    func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        let made = ScriptedProxyConnection(
            connection, script: script, context: context, serverPort: server.port, chunk: chunk)
        connections.append(made)
        made.start()
    }

    func listener(_ listener: TCPListener, didFailWith error: UVError) { Issue.record("\(error)") }
}
