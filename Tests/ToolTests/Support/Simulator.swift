import Foundation
import Testing

/// A `genesys-loop simulate` process.
struct Simulator {
    struct Announcement: Decodable, Equatable {
        var uri: String
        var caFile: String
        // With --require-token.
        var clientId: String?
        var clientSecret: String?
        var region: String?
        var loginBase: String?
        var apiBase: String?
    }

    let announcement: Announcement
    let child: Child

    /// Lends a simulator to a test, and stops it afterwards.
    static func with(_ arguments: String..., body: (Simulator) async throws -> Void) async throws {
        try await Slots.taken {
            let simulator = try await Simulator(arguments)
            do {
                try await body(simulator)
            } catch {
                _ = await simulator.stop()
                throw error
            }
            #expect(await simulator.stop().status == 0)
        }
    }

    init(_ arguments: [String]) async throws {
        child = try Child.tool(["simulate"] + arguments)
        let line = try #require(await child.output?.nextLine(), "the simulator did not start")
        announcement = try JSONDecoder().decode(Announcement.self, from: Data(line.utf8))
    }

    func listening(_ more: String...) -> [String] {
        [
            "listen", "--uri", announcement.uri, "--ca-file", announcement.caFile, "--topic",
            "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1?presence&activity",
        ] + more
    }

    /// Runs the tool to its end.
    func listen(_ more: String...) async throws -> Child.End {
        await (try Child.tool(listening() + more)).end()
    }

    private func stop() async -> Child.End {
        child.signal(SIGTERM)
        return await child.end()
    }
}
