import Foundation
import Testing

/// `listen` through third-party proxies, to a simulator.
@Suite(.timeLimit(.minutes(patience(5)))) struct RealProxyTests {
    /// Listens through a proxy, by option or by environment, and expects that the connection used the proxy.
    private func listen(through kind: RealProxy.Kind, byEnvironment: Bool) async throws {
        try await Simulator.with { simulator in
            let proxy = try await RealProxy(kind)
            let url = "\(kind.scheme)://127.0.0.1:\(proxy.port)"
            let arguments = simulator.listening("--count", "3") + (byEnvironment ? [] : ["--proxy", url])
            let end = await (try Child.tool(arguments, variables: byEnvironment ? ["HTTPS_PROXY": url] : [:])).end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.output.count { $0 == 0x0A } == 3)
            let port = try #require(URL(string: simulator.announcement.uri)?.port)
            let log = try await proxy.end()
            #expect(log.contains(kind == .dante ? ".\(port)" : "CONNECT localhost:\(port)"), "\(log)")
        }
    }

    @Test(.needs(.tinyproxy), arguments: [false, true]) func `tinyproxy is a way`(byEnvironment: Bool) async throws {
        try await listen(through: .tinyproxy, byEnvironment: byEnvironment)
    }

    @Test(.needs(.squid)) func `squid is a way`() async throws {
        try await listen(through: .squid, byEnvironment: false)
    }

    @Test(.needs(.dante), arguments: [false, true]) func `dante is a way`(byEnvironment: Bool) async throws {
        try await listen(through: .dante, byEnvironment: byEnvironment)
    }

    @Test(.needs(.tinyproxy)) func `tinyproxy wants its user and password, and is given them`() async throws {
        try await Simulator.with { simulator in
            let proxy = try await RealProxy(.tinyproxy, ["--user", "someone", "--password", "hidden"])
            for (user, status) in [("someone:hidden@", 0), ("someone:false@", 77), ("", 77)] as [(String, Int32)] {
                let url = "http://\(user)127.0.0.1:\(proxy.port)"
                let end = try await simulator.listen("--count", "1", "--events", "--proxy", url)
                #expect(end.status == status, "\(end.errors)")
                let last = try #require(try Tool.events(end.errors).last)
                #expect(last["event"] as? String == (status == 0 ? "closed" : "failed"))
                #expect(!end.errors.contains("hidden") && !end.errors.contains("someone"))
                if status == 77 {
                    #expect(last["status"] as? Int == (user.isEmpty ? 407 : 401) || last["status"] as? Int == 407)
                }
            }
            _ = try await proxy.end()
        }
    }

    @Test(.needs(.squid)) func `squid's answer for a server that refuses is its own failure`() async throws {
        try await Slots.taken {
            let proxy = try await RealProxy(.squid)
            let held = try HeldPort()
            let end = await
                (try Child.tool([
                    "listen", "--uri", "wss://127.0.0.1:\(held.port)/", "--topic", "v2.a", "--reconnect", "never",
                    "--events", "--proxy", "http://127.0.0.1:\(proxy.port)",
                ])).end()
            #expect(end.status == 69, "\(end.errors)")
            let last = try #require(try Tool.events(end.errors).last)
            #expect(last["reason"] as? String == "proxy")
            #expect(last["phase"] as? String == "proxy")
            #expect(last["status"] as? Int == 503)
            _ = try await proxy.end()
        }
    }
}
