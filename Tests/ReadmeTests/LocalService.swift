import GenesysLoop
import GenesysSimulator

/// A simulator without TLS, on a loop with a thread of its own.
struct LocalService: Sendable {
    let uri: String
    let thread: LoopThread
    let server: LoopBound<SimulatorServer>

    static func start(rate: Double = 500) async throws -> LocalService {
        let thread = try LoopThread(name: "simulator")
        return try await thread.submit {
            var configuration = SimulatedService.Configuration()
            configuration.publishing.rate = rate
            let server = try SimulatorServer(on: thread.loop, tls: false, configuration: configuration, seed: 1)
            let uri = try server.createChannel().uri
            server.start()
            return LocalService(uri: uri, thread: thread, server: LoopBound(server, on: thread.loop))
        }
    }

    /// Ends its channel.
    func end() { server.execute { $0.revokeToken() } }

    func close() async { await thread.shutdown() }

    func openSocketCount() async throws -> Int {
        try await thread.submit { server.value.openSocketCount }
    }
}
