import Foundation
import Testing

/// `listen` against an independent service.
@Suite(.enabled(if: Peer.python != nil, Peer.missing)) struct PeerTests {
    @Test(arguments: ["normal", "ip", "intermediate", "tls-1.2"])
    func `every notification is printed byte for byte`(mode: String) async throws {
        try await Slots.taken {
            let folder = FileManager.default.temporaryDirectory.appending(path: "peer-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let count = mode == "normal" ? "2000" : "20"
            let peer = try await Peer("peer_server.py", ["--mode", mode, "--count", count, "--directory", folder.path])
            let path = try #require(peer.announcement.expected)
            let expected = try Array(Data(contentsOf: URL(filePath: path)))
            let lineCount = try #require(peer.announcement.count)
            let end = await (try Child.tool(peer.listening("--count", "\(lineCount)"))).end()
            #expect(end.status == 0, "\(end.errors)")
            let isSame = end.output == expected
            #expect(isSame, "\(end.output.count) bytes instead of \(expected.count)")
            #expect(try await peer.report().problems == [])
            #expect(await peer.child.end().status == 0)
        }
    }

    @Test(arguments: [
        ("wrong-ca", "neither in the trust store"), ("self-signed", "self-signed"), ("expired", "expired"),
        ("not-yet-valid", "not valid"), ("wrong-host", "other.example"), ("cn-only", "for no host at all"),
        ("ip-in-dns", "not for “127.0.0.1”"), ("missing-intermediate", "not trusted"),
        ("wrong-purpose", "must not be used for a server"), ("weak-key", "too weak"),
    ])
    func `a certificate that must not be trusted ends with 77 and names the fault`(
        mode: String, sentence: String
    ) async throws {
        try await Slots.taken {
            let peer = try await Peer("peer_server.py", ["--mode", mode])
            // The policy retries, but not for this failure.
            let end = await (try Child.tool(peer.listening("--duration", "20"))).end()
            #expect(end.status == 77, "\(end.errors)")
            #expect(end.output == [])
            #expect(end.errors.contains(sentence), "\(end.errors)")
            try peer.child.closeInput()
            #expect(try await peer.report().problems == [])
            _ = await peer.child.end()
        }
    }

    @Test func `a reader that comes late gets every line`() async throws {
        try await Slots.taken {
            try await withStuckReader { tool, reading, expected in
                let output = StreamCollector(reading)
                #expect(await tool.end().status == 0)
                let isSame = await output.all() == expected
                #expect(isSame)
            }
        }
    }

    @Test func `a signal ends it although nobody reads its output`() async throws {
        try await Slots.taken {
            try await withStuckReader { tool, reading, expected in
                tool.signal(SIGINT)
                let end = await tool.end()
                #expect(end.status == 0)
                #expect(end.errors.contains("Nobody reads standard output"), "\(end.errors)")
                try reading.close()
            }
        }
    }

    /// Passes on a tool that has received everything and closed its channel, but whose pipe is not read.
    private func withStuckReader(_ body: (Child, FileHandle, [UInt8]) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "peer-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let peer = try await Peer("peer_server.py", ["--count", "20", "--directory", folder.path])
        let path = try #require(peer.announcement.expected)
        let expected = try Array(Data(contentsOf: URL(filePath: path)))
        let lineCount = try #require(peer.announcement.count)
        let pipe = Pipe()
        let tool = try Child.tool(
            peer.listening("--count", "\(lineCount)"), standardOutput: pipe.fileHandleForWriting, mayLeak: true)
        try pipe.fileHandleForWriting.close()
        #expect(try await peer.report().problems == [])
        try await body(tool, pipe.fileHandleForReading, expected)
    }
}
