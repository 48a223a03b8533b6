import Foundation
import Testing

/// A `redis-server` in a folder of its own, reached through a local socket.
struct RedisServer {
    static let isPossible: Bool = {
        if CProgram.has("redis-server"), CProgram.has("redis-cli") { return true }
        print("SKIPPED: what needs a real Redis: \(missing)")
        return false
    }()
    static let missing: Comment = "there is no redis-server, or no redis-cli"
    /// It keeps everything that it has acknowledged.
    static let always = ["--appendonly", "yes", "--appendfsync", "always"]

    let folder: URL
    var socket: String { folder.appending(path: "socket").path }
    var target: String { "redis+unix://\(socket)" }

    /// Starts it, and waits until it takes commands. Without more options it keeps nothing.
    func start(_ more: [String] = []) async throws -> Child {
        let child = try Child(
            try #require(CProgram.find("redis-server")),
            ["--port", "0", "--unixsocket", socket, "--dir", folder.path, "--save", ""] + more)
        while let line = await child.output?.nextLine(), !line.contains("ready to accept") {}
        return child
    }

    /// The answer of `redis-cli`.
    func ask(_ words: String...) async throws -> String {
        let end = try await CProgram.run("redis-cli", ["-s", socket] + words)
        return end.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Waits until a stream has this many entries; the server says when there are more.
    func wait(for count: Int, in stream: String = "genesys:test") async throws {
        while Int(try await ask("XLEN", stream)) ?? 0 < count {
            _ = try await ask("XREAD", "BLOCK", "100", "STREAMS", stream, "$")
        }
    }

    /// Lends one that runs, and keeps everything.
    static func with(_ body: (RedisServer, Child) async throws -> Void) async throws {
        try await CProgram.withFolder { folder in
            let redis = RedisServer(folder: folder)
            let server = try await redis.start(always)
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
