import Foundation
import Testing

/// `Examples/C/redis.c`: a channel and a Redis client on one loop, with a real Redis.
@Suite(.timeLimit(.minutes(patience(5)))) struct RedisHostTests {
    private static let topic = "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"

    private static let isPossible: Bool = {
        guard CProgram.isPossible, RedisServer.isPossible else { return false }
        if FileManager.default.fileExists(atPath: "/usr/include/hiredis/adapters/libuv.h") { return true }
        print("SKIPPED: the host with Redis was not tested: there is no hiredis")
        return false
    }()

    /// Compiles the host, and lends it with a simulator and a folder for Redis.
    private static func with(
        rate: Int, _ body: (_ start: (Int) throws -> Child, RedisServer) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "redis-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let redis = RedisServer(folder: folder)
        try await CProgram.built("Examples/C/redis.c", ["-lhiredis"]) { program in
            try await Simulator.with("--rate", "\(rate)") { simulator in
                let start = simulator.announcement
                try await body(
                    { try Child(program, [start.uri, start.caFile, "\($0)", topic, redis.socket, "notes"]) }, redis)
            }
        }
    }

    /// The numbers in the stream: the host uses them as the second part of the ids.
    private static func numbers(_ redis: RedisServer) async throws -> [Int] {
        let ids = try await redis.ask("EVAL", "return redis.call('XRANGE', 'notes', '-', '+')", "0")
        return ids.split(separator: "\n").compactMap { line in
            guard let match = line.wholeMatch(of: /\d{13}-(\d+)/) else { return nil }
            return Int(match.1)
        }
    }

    @Test func `every notification is added to the stream once and in order`() async throws {
        guard RedisHostTests.isPossible else { return }
        let count = isWhole ? 100_000 : 2_000
        try await RedisHostTests.with(rate: 20_000) { start, redis in
            let server = try await redis.start(RedisServer.always)
            let end = await (try start(count)).end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(try await redis.ask("XLEN", "notes") == "\(count)")
            #expect(try await RedisHostTests.numbers(redis) == Array(1...count))
            #expect(try await redis.ask("XRANGE", "notes", "-", "+", "COUNT", "1").contains(RedisHostTests.topic))
            server.signal(SIGKILL)
            _ = await server.end()
        }
    }

    @Test func `none is lost and none added twice when Redis is killed and comes back`() async throws {
        guard RedisHostTests.isPossible else { return }
        let count = isWhole ? 100_000 : 4_000
        try await RedisHostTests.with(rate: isWhole ? 20_000 : 4_000) { start, redis in
            var server = try await redis.start(RedisServer.always)
            let host = try start(count)
            for fraction in [4, 2] {
                // Killed with some entries in its stream, and others in transit.
                try await redis.wait(for: count / fraction, in: "notes")
                server.signal(SIGKILL)
                #expect(await server.end().status == 128 + SIGKILL)
                server = try await redis.start(RedisServer.always)
            }
            let end = await host.end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(try await redis.ask("XLEN", "notes") == "\(count)")
            #expect(try await RedisHostTests.numbers(redis) == Array(1...count))
            server.signal(SIGKILL)
            _ = await server.end()
        }
    }
}
