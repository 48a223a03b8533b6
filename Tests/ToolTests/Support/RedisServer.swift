import Foundation
import Testing

/// A `redis-server` in a folder of its own, which keeps everything that it has acknowledged.
struct RedisServer {
    static let isPossible = CProgram.has("redis-server") && CProgram.has("redis-cli")
    static let missing: Comment = "there is no redis-server, or no redis-cli"

    let folder: URL
    var socket: String { folder.appending(path: "socket").path }

    func start() throws -> Child {
        try Child(
            try #require(CProgram.find("redis-server")),
            ["--port", "0", "--unixsocket", socket, "--dir", folder.path, "--save", ""]
                + ["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// The answer of `redis-cli`.
    func ask(_ words: String...) async throws -> String {
        let end = try await CProgram.run("redis-cli", ["-s", socket] + words)
        return end.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Lends one that runs.
    static func with(_ body: (RedisServer, Child) async throws -> Void) async throws {
        try await CProgram.withFolder { folder in
            let redis = RedisServer(folder: folder)
            let server = try redis.start()
            while try await redis.ask("PING") != "PONG" { await Task.yield() }
            do {
                try await body(redis, server)
            } catch {
                server.signal(SIGKILL)
                _ = await server.end()
                throw error
            }
            server.signal(SIGKILL)
            _ = await server.end()
        }
    }
}
