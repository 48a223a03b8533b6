import Foundation
import GenesysLoop
import Testing

/// `websocket-echo`, run as a program.
@Suite struct EchoTests {
    private static let close = ScriptedPeer.frame(.close, [3, 232])

    private func run(_ arguments: [String]) async throws -> Child.End {
        try await Slots.taken { await (try Child(Tool.echo, arguments, mayLeak: true)).end() }
    }

    @Test func `every message comes back as it was, and a closing handshake ends with 0`() async throws {
        let messages: [(Opcode, [UInt8])] = [
            (.text, Array("héllo".utf8)), (.binary, (0..<70_000).map { UInt8(truncatingIfNeeded: $0) }), (.text, []),
            (.binary, []),
        ]
        let sent = messages.flatMap { ScriptedPeer.frame($0.0, $0.1) }
        let peer = try ScriptedPeer(then: sent + Self.close)
        let end = try await run([peer.uri])
        #expect(end.status == 0)
        #expect(end.output == [] && end.errors == "")
        let received = await peer.received()
        var decoder = MessageReader(role: .server)
        var offset = 0
        for (opcode, payload) in messages {
            let event = try decoder.next(in: received.span, at: &offset)
            #expect(event == .assembledMessage(opcode == .text ? .text : .binary))
            #expect(decoder.takeMessage() == payload)
        }
        #expect(try decoder.next(in: received.span, at: &offset) == .close(.normal))
        #expect(offset == received.count)
    }

    @Test(
        arguments: [
            ([0x81, 0x81, 1, 2, 3, 4, 5], "masked"), ([0xF1, 0x00], "reserved"), ([0x81, 0x01, 0xFF], "UTF-8"),
            ([0x82, 0x7E, 0x01, 0x00], "larger than the limit"),
        ] as [([UInt8], String)])
    func `a violation by the peer ends with 76 and a sentence`(bytes: [UInt8], word: String) async throws {
        let peer = try ScriptedPeer(then: bytes)
        let end = try await run([peer.uri, "--max-message-size", "255"])
        #expect(end.status == 76)
        #expect(end.errors.contains(word), "\(end.errors)")
        #expect(end.errors.split(separator: "\n").count == 1)
        #expect(end.output == [])
    }

    @Test func `an upgrade response that breaks the rules ends with 76`() async throws {
        let peer = try ScriptedPeer(head: { ScriptedPeer.acceptance(of: $0 + "x") })
        let end = try await run([peer.uri])
        #expect(end.status == 76, "\(end.errors)")
    }

    @Test(arguments: [[], [0x81, 0x05, 0x68]] as [[UInt8]])
    func `a connection that ends without a Close frame ends with 69`(bytes: [UInt8]) async throws {
        let peer = try ScriptedPeer(then: bytes, isLast: true)
        let end = try await run([peer.uri])
        #expect(end.status == 69)
        #expect(end.errors.contains("without a Close frame"), "\(end.errors)")
    }

    @Test func `a server that refuses or is not there ends with 69`() async throws {
        let peer = try ScriptedPeer(head: { _ in "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" }, isLast: true)
        let refused = try await run([peer.uri])
        #expect(refused.status == 69)
        #expect(refused.errors.contains("404"), "\(refused.errors)")
        let held = try HeldPort()
        #expect(try await run(["ws://127.0.0.1:\(held.port)/"]).status == 69)
    }

    @Test(
        arguments: [
            ([], "a URI"), (["ws://localhost/secret", "--listen", "0"], "not both"),
            (["http://localhost/secret"], "ws"),
            (["ws://localhost/secret", "--certificates", "a"], "--certificates"),
            (["--listen", "0", "--ca-file", "a"], "--ca"),
            (["--listen", "65536"], "--listen"),
            (["ws://localhost/secret", "--max-message-size", "0"], "--max-message-size"),
            (["wss://localhost/secret", "--ca-file", "/nonexistent"], "/nonexistent"),
            (["ws://localhost/secret", "--ca-file", "/nonexistent"], "/nonexistent"),
            (["--listen", "0", "--certificates", "/dev/null/x"], "/dev/null"),
            (["ws://localhost/", "ws://a/secret"], "Unexpected"),
        ] as [([String], String)])
    func `wrong usage ends with 64 and a sentence`(arguments: [String], word: String) async throws {
        let end = try await run(arguments)
        #expect(end.status == 64)
        #expect(end.errors.contains(word), "\(end.errors)")
        #expect(!end.errors.contains("secret"), "\(end.errors)")
        #expect(end.output == [])
    }

    @Test(arguments: [[], ["--compress"]], [false, true])
    func `a client and a server close in order when they are interrupted`(more: [String], tls: Bool) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "echo-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let certificates = tls ? ["--certificates", folder.path] : []
        try await Slots.taken {
            let server = try Child(Tool.echo, ["--listen", "0"] + certificates + more)
            let line = try #require(await server.output?.nextLine(), "the server did not start")
            let announcement = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
            let uri = try #require(announcement["uri"])
            #expect(uri.hasPrefix(tls ? "wss://127.0.0.1:" : "ws://127.0.0.1:"))
            #expect((announcement["caFile"] != nil) == tls)
            let trust = announcement["caFile"].map { ["--ca-file", $0] } ?? []
            let client = try Child(Tool.echo, [uri] + trust + more)
            server.signal(SIGTERM)
            #expect(await server.end().status == 0)
            // It came too late, or received a Close frame.
            #expect([0, 69].contains(await client.end().status))
        }
    }

    @Test func `a server's port in use ends with 69 and names the port`() async throws {
        let held = try HeldPort(listens: true)
        let end = try await run(["--listen", "\(held.port)"])
        #expect(end.status == 69)
        #expect(end.errors.contains("Port \(held.port)"))
    }
}
