import GenesysLoop
import GenesysSimulator

/// A simulator on a loop with a thread of its own.
struct LocalService: Sendable {
    /// The URI of its channel.
    let uri: String
    let port: UInt16
    /// The PEM certificate to trust; empty without TLS.
    let certificate: [UInt8]
    let thread: LoopThread
    let server: LoopBound<SimulatorServer>

    static func start(rate: Double = 500, tls: Bool = false) async throws -> LocalService {
        let thread = try LoopThread(name: "simulator")
        return try await thread.submit {
            var configuration = SimulatedService.Configuration()
            configuration.publishing.rate = rate
            let server = try SimulatorServer(on: thread.loop, tls: tls, configuration: configuration, seed: 1)
            let uri = try server.createChannel().uri
            server.start()
            return LocalService(
                uri: uri, port: server.port, certificate: tls ? server.caCertificatePEM : [], thread: thread,
                server: LoopBound(server, on: thread.loop))
        }
    }

    /// Ends its channel.
    func end() { server.execute { $0.revokeToken() } }

    func close() async { await thread.shutdown() }

    func openSocketCount() async throws -> Int {
        try await thread.submit { server.value.openSocketCount }
    }
}
