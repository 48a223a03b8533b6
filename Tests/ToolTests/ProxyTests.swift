import Foundation
import Testing

/// `listen` through a proxy that fails in some way.
@Suite(.timeLimit(.minutes(patience(3)))) struct ProxyTests {
    private static let topic = ["--topic", "v2.a", "--events", "--reconnect", "never"]

    private func run(_ arguments: [String], _ variables: [String: String] = [:]) async throws -> Child.End {
        try await Slots.taken {
            await (try Child.tool(["listen"] + arguments + Self.topic, mayLeak: true, variables: variables)).end()
        }
    }

    @Test(
        arguments: [
            ("HTTP/1.1 407 No\r\n\r\n", 77, 407), ("HTTP/1.1 502 Bad Gateway\r\n\r\n", 69, 502),
            ("HTTP/1.0 403 No\r\n\r\n", 69, 403), ("\u{5}\u{FFFD}", 69, nil), ("HTTP/1.1 200 OK\r\n", 69, nil),
            ("HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 20_000))", 69, nil),
        ] as [(String, Int32, Int?)])
    func `a refusal or a fault of the proxy is told with its reason and ends with its status`(
        answer: String, status: Int32, code: Int?
    ) async throws {
        let proxy = try ScriptedPeer(head: { _ in answer }, isLast: true)
        let port = try #require(URL(string: proxy.uri)?.port)
        let end = try await run([
            "--uri", "wss://service.invalid/", "--proxy", "http://someone:hidden@127.0.0.1:\(port)",
        ])
        #expect(end.status == status, "\(end.errors)")
        let last = try #require(try Tool.events(end.errors).last)
        #expect(last["event"] as? String == "failed")
        #expect(last["reason"] as? String == "proxy")
        #expect(last["phase"] as? String == "proxy")
        #expect(last["status"] as? Int == code)
        #expect((last["message"] as? String)?.contains("http://127.0.0.1:\(port)") == true, "\(end.errors)")
        #expect(!end.errors.contains("hidden") && !end.errors.contains("someone"))
    }

    @Test(
        arguments: [
            ("http", "http://HOST"), ("socks5h", "socks5h://HOST"), ("socks5", "socks://HOST/"),
            ("socks5", "\nSOCKS://HOST\r\n"), ("http", " HOST\n"),
        ])
    func `a proxy that is not there ends with 69`(scheme: String, value: String) async throws {
        let held = try HeldPort()
        let proxy = value.replacing("HOST", with: "127.0.0.1:\(held.port)")
        let end = try await run(["--uri", "wss://service.invalid/"], ["ALL_PROXY": proxy])
        #expect(end.status == 69)
        let last = try #require(try Tool.events(end.errors).last)
        #expect(last["reason"] as? String == "proxy")
        #expect((last["message"] as? String)?.contains("\(scheme)://127.0.0.1:\(held.port)") == true, "\(end.errors)")
    }

    @Test func `a flag wins over the environment, and the environment can be left out`() async throws {
        try await Simulator.with { simulator in
            let held = try HeldPort()
            let dead = ["HTTPS_PROXY": "http://127.0.0.1:\(held.port)"]
            let ways: [([String], [String: String], Int32)] = [
                ([], dead, 69), (["--no-proxy"], dead, 0), ([], dead.merging(["NO_PROXY": "localhost"]) { $1 }, 0),
                (["--proxy", "http://127.0.0.1:\(held.port)"], ["no_proxy": "*"], 69),
                ([], ["HTTP_PROXY": "http://127.0.0.1:\(held.port)"], 0),
                ([], dead.merging(["NO_PROXY": "\n  other.example\n  localhost\n"]) { $1 }, 0),
                ([], ["HTTPS_PROXY": " \n", "SSL_CERT_FILE": "\n/nonexistent\n"], 0),
            ]
            for (flags, variables, status) in ways {
                let arguments = simulator.listening("--count", "1", "--reconnect", "never") + flags
                let end = await (try Child.tool(arguments, variables: variables)).end()
                #expect(end.status == status, "\(flags) \(variables): \(end.errors)")
            }
        }
    }

    @Test func `SOCKS4 is refused by its name`() async throws {
        for (flags, variables) in [
            (["--proxy", "socks4://u:hidden@proxy"], [:]), ([], ["ALL_PROXY": "socks4a://proxy\n"]),
        ] {
            let end = try await run(["--uri", "wss://service.invalid/"] + flags, variables)
            #expect(end.status == 64)
            #expect(end.errors.contains("SOCKS4") && !end.errors.contains("hidden"), "\(end.errors)")
        }
    }

    @Test func `an unusable proxy of the environment is told, and not gone around`() async throws {
        let end = try await run(["--uri", "wss://service.invalid/"], ["HTTPS_PROXY": "gopher://u:hidden@proxy"])
        #expect(end.status == 64, "\(end.errors)")
        #expect(end.errors.contains("HTTPS_PROXY"))
        #expect(!end.errors.contains("hidden"))
    }
}
