import Foundation
import GenesysLoop
import GenesysSimulator
import NIOCore

/// Runs `Examples/HealthService` as a program, against a simulator of this process.
struct HealthServiceCheck {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let topics: [Topic] = [
        "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence",
        "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a2.presence",
        "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.activity",
    ]

    private let thread: LoopThread
    private let server: LoopBound<SimulatorServer>
    private let process: Process
    private let address: SocketAddress

    /// Starts both; returns when the program listens.
    init(caFile: URL) async throws {
        let thread = try LoopThread(name: "simulator")
        let (server, uri) = try await thread.submit { [loop = thread.loop] in
            let server = try SimulatorServer(on: loop, seed: 1)
            server.configuration.publishing.rate = 200
            try Data(server.caCertificatePEM).write(to: caFile)
            server.start()
            return (LoopBound(server, on: loop), try server.createChannel().uri)
        }
        (self.thread, self.server) = (thread, server)
        process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "health-service")
        process.arguments = [uri, caFile.path, "0"] + Self.topics.map(\.rawValue)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        // It must not outlive this process where something hangs. Then the questions fail, too.
        let started = process
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(60)) {
            if started.isRunning { started.terminate() }
        }
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = line.firstMatch(of: /listening on port (\d+)/).flatMap({ Int($0.1) }) else {
            throw Failure(description: "the health service said: \(line)")
        }
        address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
    }

    /// Waits for the end of the program and ends the simulator.
    private func status() async -> Int32 {
        process.waitUntilExit()
        await thread.shutdown()
        return process.terminationStatus
    }

    /// Asks until the answer has this status and holds the text.
    private func await(_ path: String, _ status: String, _ text: String) async throws {
        while true {
            let answer = try await NeighborHost.get(path, from: address)
            if answer.hasPrefix("HTTP/1.1 \(status) "), answer.contains(text) { return }
        }
    }

    /// Subscribed, maintenance, a reset with the service away for a while, and SIGTERM.
    func liveThrough() async throws {
        try await self.await("/health", "200", "subscribed")
        try await self.await("/presences", "200", #""presence":"AVAILABLE""#)
        server.execute { $0.announceMaintenance() }
        // The channel moves to another socket, and the health check does not notice.
        while try await thread.submit({ server.value.acceptedSocketCount < 2 }) {
            let answer = try await NeighborHost.get("/health", from: address)
            guard answer.hasPrefix("HTTP/1.1 200 ") else { throw Failure(description: "during a rollover: \(answer)") }
        }
        try await self.await("/health", "200", "subscribed")
        server.execute { server in
            server.configuration.channels.upgrade = .reset
            server.disconnect(.all, .reset)
        }
        try await self.await("/health", "503", "recovering")
        server.execute { $0.configuration.channels.upgrade = .honest }
        try await self.await("/health", "200", "subscribed")
        process.terminate()
        let status = await status()
        guard status == 0 else { throw Failure(description: "after SIGTERM the health service ended with \(status)") }
    }

    /// A channel that ends by itself ends the program.
    func fail() async throws {
        try await self.await("/health", "200", "subscribed")
        server.execute { $0.revokeToken() }
        let status = await status()
        guard status == 1 else {
            throw Failure(description: "without a channel the health service ended with \(status)")
        }
    }

    /// All of it.
    static func run() async throws {
        let caFile = FileManager.default.temporaryDirectory.appending(path: "neighbor-\(UUID().uuidString).pem")
        defer { try? FileManager.default.removeItem(at: caFile) }
        try await HealthServiceCheck(caFile: caFile).liveThrough()
        try await HealthServiceCheck(caFile: caFile).fail()
    }
}
