import Foundation
import Testing

/// The readers of the manual, with the stream of a relay.
@Suite(.timeLimit(.minutes(patience(3))), .enabled(if: RedisServer.isPossible, RedisServer.missing))
struct StreamReaderTests {
    private static let topic = "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"

    enum Reader: CaseIterable {
        case swift, python

        func start(_ redis: RedisServer) throws -> Child? {
            switch self {
            case .swift: return try Child(Tool.streamReader, [redis.socket, "genesys:test"])
            case .python:
                guard let python = Peer.python else {
                    print("SKIPPED: the reader in Python did not run: \(Peer.missing)")
                    return nil
                }
                let script = Peer.folder.deletingLastPathComponent().appending(path: "Examples/Python/consume.py")
                return try Child(
                    URL(filePath: python), ["-u", script.path, "unix://\(redis.socket)", "genesys:test"])
            }
        }
    }

    @Test(arguments: Reader.allCases)
    func `a reader sees each notification once, and the gap after a crash`(reader: Reader) async throws {
        try await Simulator.with("--rate", "200") { simulator in
            try await RedisServer.with { redis, _ in
                guard let child = try reader.start(redis) else { return }
                var lines: [String] = []
                for round in 0..<2 {
                    let relay = try Child.tool(
                        [
                            "relay", "--uri", simulator.announcement.uri, "--ca-file", simulator.announcement.caFile,
                            "--topic", StreamReaderTests.topic, "--to", redis.target, "--name",
                            "test",
                            "--lease", "1", "--events",
                        ], mayLeak: true)
                    // Those of the second relay follow its gap.
                    var count = round == 0 ? 0 : nil
                    while count ?? 0 < 20, let line = await child.output?.nextLine() {
                        lines.append(line)
                        if line.hasPrefix("refresh: ") { count = 0 } else { count = count.map { $0 + 1 } }
                    }
                    relay.signal(round == 0 ? SIGKILL : SIGTERM)
                    let end = await relay.end()
                    #expect(end.status == (round == 0 ? 128 + SIGKILL : 0), "\(end.errors)")
                }
                let notifications = lines.filter { $0.hasPrefix("notification: \(StreamReaderTests.topic) {") }
                let gaps = lines.filter {
                    $0.hasPrefix("refresh: read the state") && $0.contains("\"reason\":\"crash\"")
                }
                #expect(notifications.count + gaps.count == lines.count && gaps.count == 1, "\(lines)")
                #expect(Set(notifications).count == notifications.count)
                child.signal(SIGKILL)
                _ = await child.end()
            }
        }
    }
}
