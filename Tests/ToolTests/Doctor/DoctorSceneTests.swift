import Foundation
import Testing

/// Staged faults: `doctor` names each, ends with the status of `listen`, and says what to do.
@Suite(.timeLimit(.minutes(patience(3)))) struct DoctorSceneTests {
    /// What is wrong, and what the tool must say about it.
    struct Scene: Sendable, CustomTestStringConvertible {
        var name: String
        /// The check that fails; nil for none.
        var check: String?
        var status: Int32
        /// Words of its detail, and of its advice.
        var detail: String
        var advice: String
        var arguments: [String] = []
        /// The mode of `hostile_server.py`, and its options.
        var server: [String] = []

        var testDescription: String { name }
    }

    private static let hostile: [Scene] = [
        Scene(
            name: "a server that is silent about TLS", check: "tls", status: 69, detail: "longer than its deadline",
            advice: "firewall", arguments: ["--first-connection-limit", "0.5"], server: ["tls-stall"]),
        Scene(
            name: "a server without TLS", check: "tls", status: 76, detail: "does not speak TLS",
            advice: "Check the port",
            server: ["plain-http"]),
        Scene(
            name: "a server that resets the connection", check: "tls", status: 69, detail: "connection",
            advice: "firewall", server: ["tcp-close"]),
        Scene(
            name: "a server that is silent about the upgrade", check: "upgrade", status: 69,
            detail: "longer than its deadline", advice: "WebSockets", arguments: ["--first-connection-limit", "0.5"],
            server: ["upgrade-stall"]),
        Scene(
            name: "401", check: "upgrade", status: 77, detail: "401", advice: "new token",
            server: ["status", "--status", "401"]),
        Scene(
            name: "403", check: "upgrade", status: 77, detail: "403", advice: "gateway",
            server: ["status", "--status", "403"]),
        Scene(
            name: "404", check: "upgrade", status: 66, detail: "404", advice: "new channel over REST",
            server: ["status", "--status", "404"]),
        Scene(
            name: "429", check: "upgrade", status: 69, detail: "asks to wait 7 s", advice: "after 7 s",
            server: ["status", "--status", "429", "--retry-after", "7"]),
        Scene(
            name: "503", check: "upgrade", status: 69, detail: "503", advice: "Try again later",
            server: ["status", "--status", "503"]),
        Scene(
            name: "a redirect", check: "upgrade", status: 69, detail: "login.example.com", advice: "log-in",
            server: ["status", "--status", "302", "--location", "https://login.example.com/"]),
        Scene(
            name: "an answer that is no upgrade", check: "upgrade", status: 76, detail: "Upgrade: websocket",
            advice: "names a WebSocket", server: ["missing-upgrade"]),
        Scene(
            name: "a server that is silent after the upgrade", check: "subscription", status: 69,
            detail: "did not confirm", advice: "notifications channel",
            arguments: ["--first-connection-limit", "0.5"], server: ["no-confirmation"]),
        Scene(
            name: "a refused subscription", check: "subscription", status: 78, detail: "not permitted for this user",
            advice: "permissions", server: ["subscription-refused"]),
        Scene(
            name: "a refusal in-band", check: "subscription", status: 77, detail: "403", advice: "permissions",
            server: ["in-band", "--status", "403"]),
        Scene(
            name: "a Close frame instead of a confirmation", check: "subscription", status: 69, detail: "not today",
            advice: "those who run the server", server: ["close"]),
        Scene(
            name: "a masked frame", check: "subscription", status: 76, detail: "mask",
            advice: "those who run the server",
            server: ["masked-frame"]),
    ]

    @Test(.enabled(if: Peer.python != nil, Peer.missing), arguments: hostile)
    func `a server's fault is named, with its status and what to do`(scene: Scene) async throws {
        try await Slots.taken {
            let peer = try await Peer("hostile_server.py", ["--mode"] + scene.server)
            let diagnosis = try await Diagnosis.run(
                ["--uri", peer.announcement.uri, "--ca-file", peer.announcement.caFile, "--topic", "v2.a"]
                    + scene.arguments)
            try peer.child.closeInput()
            _ = await peer.child.end()
            try check(diagnosis, scene)
            #expect(diagnosis.checks.contains { $0.name == "address" && $0.verdict == "ok" })
        }
    }

    private func check(_ diagnosis: Diagnosis, _ scene: Scene) throws {
        #expect(diagnosis.status == scene.status, "\(diagnosis)")
        let failure = try #require(diagnosis.failures.last, "\(diagnosis)")
        #expect(failure.name == scene.check, "\(failure)")
        #expect(failure.detail.contains(scene.detail), "\(failure)")
        #expect(failure.advice.contains(scene.advice), "\(failure)")
        for check in diagnosis.checks {
            #expect(!check.detail.contains("secret") && !check.detail.contains("hostile-"))
        }
    }

    // MARK: - Names and addresses

    @Test func `a name that does not exist`() async throws {
        try await Slots.taken {
            let diagnosis = try await Diagnosis.run(["--uri", "wss://nobody.invalid/channels/secret"])
            #expect(diagnosis.status == 69)
            #expect(diagnosis.failures.map(\.name) == ["name"])
            let check = try diagnosis.named("name")
            #expect(check.detail.contains("nobody.invalid: the host name could not be resolved"))
            #expect(check.advice == "Check the host name and the network.")
        }
    }

    @Test func `a port that refuses`() async throws {
        let held = try HeldPort()
        try await Slots.taken {
            let diagnosis = try await Diagnosis.run(["--uri", "ws://127.0.0.1:\(held.port)/"])
            #expect(diagnosis.status == 69)
            #expect(diagnosis.failures.map(\.name) == ["address"])
            let check = try diagnosis.named("address")
            #expect(check.detail == "127.0.0.1:\(held.port): connection refused.")
            #expect(check.advice == "Check the network, the firewall and the port.")
        }
    }

    @Test func `a port that neither accepts nor refuses`() async throws {
        let silent = try SilentPort()
        try await Slots.taken {
            let diagnosis = try await Diagnosis.run(
                ["--uri", "ws://127.0.0.1:\(silent.port)/", "--first-connection-limit", "0.5"])
            #expect(diagnosis.status == 69)
            let check = try #require(diagnosis.failures.first)
            #expect(check.detail == "127.0.0.1:\(silent.port): no answer.")
            #expect(check.advice == "Check the network, the firewall and the port." && check.seconds >= 0.5)
        }
        withExtendedLifetime(silent) {}
    }

    @Test(.enabled(if: HostProgram.canPreload, HostProgram.missing))
    func `one of two addresses that is dead is a warning, and so is a connection without TLS`() async throws {
        let stub = try await HostProgram(nil, preloading: "Conformance/resolver.c")
        try await Slots.taken {
            let peer = try ScriptedPeer()
            let port = try #require(URL(string: peer.uri)?.port)
            let diagnosis = try await Diagnosis.run(
                ["--uri", "ws://a.dual.test:\(port)/", "--first-connection-limit", "1"], variables: stub.variables)
            #expect(diagnosis.status == 0)
            #expect(diagnosis.warnings.map(\.name) == ["takeover", "source", "address"])
            #expect(try diagnosis.named("source").advice.contains("Use wss://"))
            #expect(diagnosis.warnings.last?.detail.hasPrefix("[2001:db8::5]:\(port): ") == true)
            #expect(diagnosis.warnings.last?.advice.contains("another one works") == true)
            #expect(diagnosis.checks.contains { $0.detail == "127.0.0.1:\(port) accepts connections." })
            #expect(try diagnosis.named("name").detail.contains("IPv6: 2001:db8::5; IPv4: 127.0.0.1"))
        }
    }

    @Test(.enabled(if: HostProgram.canPreload, HostProgram.missing))
    func `two dead addresses are two failures`() async throws {
        let stub = try await HostProgram(nil, preloading: "Conformance/resolver.c")
        let held = try HeldPort()
        try await Slots.taken {
            let diagnosis = try await Diagnosis.run(
                ["--uri", "ws://a.dual.test:\(held.port)/", "--first-connection-limit", "1"],
                variables: stub.variables)
            #expect(diagnosis.status == 69)
            #expect(diagnosis.failures.map(\.name) == ["address", "address"])
        }
    }

    @Test(.enabled(if: HostProgram.canPreload, HostProgram.missing))
    func `a look-up that never ends is a failure, and for one family a warning`() async throws {
        let stub = try await HostProgram(nil, preloading: "Conformance/resolver.c")
        try await Slots.taken {
            let limit = ["--first-connection-limit", "0.5"]
            let stuck = try await Diagnosis.run(["--uri", "wss://a.stuck.test/"] + limit, variables: stub.variables)
            #expect(stuck.status == 69)
            let failure = try #require(stuck.failures.first)
            #expect(failure.name == "name" && failure.detail.contains("the system's resolver does not answer"))
            #expect(failure.advice.contains("name servers"))
            let peer = try ScriptedPeer()
            let port = try #require(URL(string: peer.uri)?.port)
            let slow = try await Diagnosis.run(
                ["--uri", "ws://a.slow6.test:\(port)/"] + limit, variables: stub.variables)
            #expect(slow.status == 0)
            #expect(try slow.named("name").verdict == "warn")
            #expect(try slow.named("name").detail.contains("IPv6: no answer; IPv4: 127.0.0.1"))
        }
    }

    // MARK: - Proxies

    @Test(
        arguments: [
            ("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n", 77, "407", "--proxy-credentials-file"),
            ("HTTP/1.1 403 No\r\n\r\n", 69, "403", "service.invalid:443"),
            ("HTTP/1.1 502 No\r\n\r\n", 69, "502", "service.invalid:443"),
            ("220 mail ready\r\n", 69, "did not answer CONNECT in HTTP", "scheme"),
        ] as [(String, Int32, String, String)])
    func `a proxy that refuses`(answer: String, status: Int32, detail: String, advice: String) async throws {
        let proxy = try ScriptedPeer(head: { _ in answer }, isLast: true)
        let port = try #require(URL(string: proxy.uri)?.port)
        try await Slots.taken {
            let diagnosis = try await Diagnosis.run(
                ["--uri", "wss://service.invalid/secret", "--proxy", "http://someone:hidden@127.0.0.1:\(port)"])
            #expect(diagnosis.status == status)
            let check = try #require(diagnosis.failures.first)
            #expect(check.name == "proxy" && check.detail.contains(detail) && check.advice.contains(advice), "\(check)")
            #expect(check.detail.contains("that of --proxy"))
            #expect(!"\(diagnosis)".contains("hidden") && !"\(diagnosis)".contains("someone"))
        }
    }

    @Test(arguments: [false, true])
    func `a proxy that is not there`(isNamed: Bool) async throws {
        let held = try HeldPort()
        try await Slots.taken {
            let host = isNamed ? "nobody.invalid" : "127.0.0.1"
            let diagnosis = try await Diagnosis.run(
                ["--uri", "wss://service.invalid/"], variables: ["HTTPS_PROXY": "http://\(host):\(held.port)"])
            #expect(diagnosis.status == 69)
            #expect(diagnosis.failures.map(\.name) == [isNamed ? "name" : "address", "proxy"])
            let check = try diagnosis.named("proxy")
            #expect(
                check.detail.contains("http://\(host):\(held.port)") && check.detail.contains("that of HTTPS_PROXY"))
            #expect(check.advice.contains("--no-proxy"))
        }
    }

    // MARK: - The clock

    @Test(
        arguments: [(-3_600, "ahead of"), (3_600, "behind"), (0, nil)] as [(TimeInterval, String?)])
    func `a clock that is an hour off is a warning`(offset: TimeInterval, side: String?) async throws {
        let peer = try ScriptedPeer(head: { key in
            let format = DateFormatter()
            format.locale = Locale(identifier: "en_US_POSIX")
            format.timeZone = TimeZone(identifier: "GMT")
            format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            let date = "Date: \(format.string(from: Date.now + offset))"
            return ScriptedPeer.acceptance(of: key).replacing(
                "Upgrade: websocket", with: "Upgrade: websocket\r\n\(date)")
        })
        try await Slots.taken {
            let diagnosis = try await Diagnosis.run(["--uri", peer.uri])
            #expect(diagnosis.status == 0)
            let check = try diagnosis.named("clock")
            #expect(check.verdict == (side == nil ? "ok" : "warn"))
            guard let side else { return }
            #expect(check.detail.contains("and is 59 min") || check.detail.contains("and is 1 h"), "\(check)")
            #expect(check.detail.contains("\(side) the server's") && check.advice.contains("NTP"), "\(check)")
        }
    }

    // MARK: - The subscription

    @Test(.enabled(if: Peer.python != nil, Peer.missing))
    func `topics that the confirmation does not name are a warning`() async throws {
        try await Slots.taken {
            let peer = try await Peer("hostile_server.py", ["--mode", "part-confirmation"])
            let diagnosis = try await Diagnosis.run([
                "--uri", peer.announcement.uri, "--ca-file", peer.announcement.caFile, "--topic", "v2.a", "--topic",
                "v2.b",
            ])
            try peer.child.closeInput()
            _ = await peer.child.end()
            #expect(diagnosis.status == 0)
            let check = try diagnosis.named("subscription")
            #expect(check.verdict == "warn" && check.detail.contains("v2.b") && !check.detail.contains("v2.a"))
            #expect(check.advice.contains("permissions"))
        }
    }
}
