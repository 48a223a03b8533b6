import Foundation
import Testing

/// ALPN in the programs: a server that accepts one protocol, or none.
@Suite(.timeLimit(.minutes(patience(2)))) struct ALPNTests {
    private static let taken: [[String]] = [[], ["--alpn", "http/1.1"], ["--alpn", "none"]]

    @Test func `http/1.1 is offered by default, and --alpn offers another one or none`() async throws {
        try await Slots.taken {
            let folder = FileManager.default.temporaryDirectory.appending(path: "alpn-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let child = try Child(
                Tool.echo, ["--listen", "0", "--certificates", folder.path, "--alpn", "http/1.1"], mayLeak: true)
            let line = try #require(await child.output?.nextLine(), "the server did not start")
            let server = try JSONDecoder().decode(Simulator.Announcement.self, from: Data(line.utf8))
            let listen = [
                "listen", "--uri", server.uri, "--ca-file", server.caFile, "--topic", "v2.a", "--events",
                "--reconnect", "never",
            ]
            for flags in Self.taken {
                let child = try Child.tool(listen + flags, mayLeak: true)
                // The server sends the subscription back, which is not a notification; so the connection was open.
                let event = await child.errors.nextLine()
                #expect(event?.contains("\"discarded\"") == true, "\(flags): \(event ?? "nothing")")
                child.signal(SIGTERM)
                _ = await child.end()
            }
            let refused = await (try Child.tool(listen + ["--alpn", "h2"], mayLeak: true)).end()
            let last = try #require(try Tool.events(refused.errors).last)
            #expect(refused.status == 69)
            #expect(last["reason"] as? String == "tlsHandshake")
            #expect((last["message"] as? String)?.contains("ALPN") == true, "\(refused.errors)")
            let echo = await
                (try Child(
                    Tool.echo, [server.uri, "--ca-file", server.caFile, "--alpn", "h2"], mayLeak: true)).end()
            #expect(echo.status == 69)
            #expect(echo.errors.contains("no application protocol"), "\(echo.errors)")
            child.signal(SIGTERM)
            #expect(await child.end().status == 0)
        }
    }
}
