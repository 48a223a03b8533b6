import Foundation
import GenesysLoop
import GenesysSimulator

/// A simulator in the process of the tests, on a loop with a thread of its own.
struct OwnService: Sendable {
    /// The URI of its channel.
    let uri: String
    /// The PEM certificate to trust; empty without TLS.
    let certificate: [UInt8]
    let server: LoopBound<SimulatorServer>
    private let thread: LoopThread

    /// Lends a service and an empty folder to a test, when a slot for its processes is free.
    static func with(
        rate: Double = 0, tls: Bool = false, body: (OwnService, URL) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "service-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await Slots.taken {
            let service = try await start(rate: rate, tls: tls)
            let result: Result<Void, any Error>
            do {
                try await body(service, folder)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            await service.thread.shutdown()
            try result.get()
        }
    }

    private static func start(rate: Double, tls: Bool) async throws -> OwnService {
        let thread = try LoopThread(name: "simulator")
        return try await thread.submit {
            var configuration = SimulatedService.Configuration()
            configuration.publishing.rate = rate
            let server = try SimulatorServer(on: thread.loop, tls: tls, configuration: configuration, seed: 1)
            let uri = try server.createChannel().uri
            server.start()
            return OwnService(
                uri: uri, certificate: tls ? server.caCertificatePEM : [], server: LoopBound(server, on: thread.loop),
                thread: thread)
        }
    }

    /// Starts a listener; events go to its standard error as JSON.
    func listen(_ more: [String] = [], variables: [String: String] = [:]) throws -> Child {
        try Child.tool(["listen", "--uri", uri, "--topic", "v2.a", "--events"] + more, variables: variables)
    }

    /// Sends notifications with the numbers as bodies.
    func publish(_ numbers: Range<Int>) {
        server.execute { server in
            for number in numbers { server.publish(eventBody: Array("\(number)".utf8), to: "v2.a") }
        }
    }

    /// Loses all connections.
    func disconnect() { server.execute { $0.disconnect(.all, .reset) } }
}

extension Child {
    /// The next event on standard error with this text in its line; nil at the end.
    func event(with text: String) async -> String? {
        while let line = await errors.nextLine() {
            if line.contains(text) { return line }
        }
        return nil
    }
}
