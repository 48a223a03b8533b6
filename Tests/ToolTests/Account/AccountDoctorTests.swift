import Foundation
import Testing

/// `doctor` with an OAuth client or a token.
@Suite(.timeLimit(.minutes(patience(3)))) struct AccountDoctorTests {
    private static let topics = ["--topic", "v2.users.A.presence"]

    @Test func `it checks token, channels and topics, then a channel of its own, and takes none from others`()
        async throws
    {
        try await AccountScene.with { scene in
            let sources: [([String], [String: String])] = [
                (try scene.client(), [:]), (scene.place, scene.variables),
                (scene.place + ["--access-token-file", try scene.file(try await scene.token(), "token")], [:]),
            ]
            for (source, variables) in sources {
                let diagnosis = try await Diagnosis.run(source + Self.topics, variables: variables)
                #expect(diagnosis.status == 0)
                #expect(diagnosis.warnings.isEmpty)
                #expect(
                    diagnosis.checks.map(\.name) == [
                        "source", "tls-trust", "token", "channels", "channel", "topic", "name", "address", "tls",
                        "tls-certificate", "upgrade", "subscription",
                    ])
                #expect(try diagnosis.named("token").detail.contains("“Simulated organization”"))
                #expect(try diagnosis.named("channels").detail.contains("of 20 channels"))
                #expect(!"\(diagnosis)".contains(scene.announcement.clientSecret ?? "-"))
                #expect(!"\(diagnosis)".contains("streaming-"))
            }
        }
    }

    @Test func `topics that are refused in part are warnings, and all of them end it with 78`() async throws {
        let step = #"{"at":0,"do":"set","forbiddenTopics":["v2.users.A.presence"]}"#
        try await AccountScene.with(step) { scene in
            let part = try await Diagnosis.run(
                try scene.client() + Self.topics + ["--topic", "v2.users.B.presence", "--topic", "v2.nonsense"])
            #expect(part.status == 0)
            #expect(part.warnings.map(\.name) == ["topic", "topic"])
            #expect(part.warnings[0].detail.contains("directory:userPresence:view"))
            #expect(try part.named("subscription").detail.contains("2 topics"))
            let all = try await Diagnosis.run(try scene.client() + Self.topics)
            #expect(all.status == 78)
            #expect(all.failures.map(\.name) == ["topic"])
            #expect(all.checks.last?.name == "topic")
        }
    }

    @Test func `no channel is made where twenty exist`() async throws {
        try await AccountScene.with(#"{"at":0,"do":"otherProcess","channels":20}"#) { scene in
            for _ in 0..<2 {
                let diagnosis = try await Diagnosis.run(try scene.client() + Self.topics)
                #expect(diagnosis.status == 69)
                #expect(diagnosis.failures.map(\.name) == ["channels"])
                #expect(diagnosis.failures[0].detail.hasPrefix("20 of 20 channels"))
            }
        }
    }

    @Test func `no-connect examines the hosts of the base URLs, and asks for nothing`() async throws {
        // A second simulator is the API of the first one.
        try await AccountScene.with { scene in
            let api = try await Simulator(["--require-token"])
            var place = scene.place
            place[5] = api.announcement.apiBase ?? ""
            place[7] = try scene.file(
                [scene.announcement.caFile, api.announcement.caFile].map {
                    try String(contentsOfFile: $0, encoding: .utf8)
                }.joined(), "ca.pem")
            let client = ["--client-id", "c", "--client-secret-file", try scene.file("wrong")]
            let diagnosis = try await Diagnosis.run(place + client + ["--no-connect"])
            api.child.signal(SIGTERM)
            #expect(await api.child.end().status == 0)
            #expect(diagnosis.status == 0)
            let host = ["name", "address", "tls", "tls-certificate"]
            #expect(diagnosis.checks.map(\.name) == ["source", "tls-trust"] + host + host)
            let token = scene.place + ["--access-token-file", try scene.file("wrong", "token")]
            let one = try await Diagnosis.run(token + ["--no-connect"])
            #expect(one.checks.map(\.name) == ["source", "tls-trust"] + host)
        }
    }

    /// What is wrong, the check that fails, the status, and words of its detail and of its advice.
    static let faults: [(String, String, Int32, String, String)] = [
        (#""do":"tokens","clientSecret":"other""#, "token", 77, "The secret of the OAuth client is refused", "secret"),
        (#""do":"tokens","client":"unknown""#, "token", 77, "No OAuth client of this region", "region"),
        (#""do":"tokens","client":"disabled""#, "token", 77, "The OAuth client is refused", "active"),
        (
            #""do":"rest","path":"oauth/token","answer":"redirect","location":"https://idp.example/""#, "token", 69,
            "redirected the request to idp.example", "log-in"
        ),
        (
            #""do":"rest","path":"tokens/me","answer":"html","status":200"#, "token", 76, "a page instead of JSON",
            "gateway"
        ),
        (#""do":"rest","path":"oauth/token","answer":"empty""#, "token", 76, "its answer is empty", "server"),
        (
            #""do":"rest","path":"channels","method":"GET","answer":"truncate""#, "channels", 76,
            "before its answer was complete", "Try again"
        ),
        (
            #""do":"rest","path":"channels","method":"POST","answer":503,"retryAfter":9"#, "channel", 69,
            "not available", "after 9 s"
        ),
    ]

    @Test(arguments: faults)
    func `a fault of the REST side is named, with its status and what to do`(
        step: String, check: String, status: Int32, detail: String, advice: String
    ) async throws {
        try await AccountScene.with(#"{"at":0,\#(step)}"#) { scene in
            let diagnosis = try await Diagnosis.run(try scene.client() + Self.topics)
            #expect(diagnosis.status == status)
            #expect(diagnosis.failures.map(\.name) == [check])
            #expect(diagnosis.failures[0].detail.contains(detail), "\(diagnosis.failures)")
            #expect(diagnosis.failures[0].advice.contains(advice), "\(diagnosis.failures)")
        }
    }

    @Test func `a host that cannot be reached or trusted is named`() async throws {
        try await AccountScene.with { scene in
            var untrusted = try scene.client()
            untrusted.removeLast(2)
            var unknown = try scene.client()
            unknown[7] = "https://login.invalid"
            let held = try HeldPort()
            var silent = try scene.client()
            silent[7] = "https://127.0.0.1:\(held.port)"
            for (arguments, status, detail, advice) in [
                (untrusted, Int32(77), "“GenesysLoop Simulator”", "--ca-file"),
                (unknown, 69, "login.invalid: the name", "host name"), (silent, 69, "127.0.0.1:", "port"),
            ] {
                let diagnosis = try await Diagnosis.run(arguments + Self.topics)
                #expect(diagnosis.status == status, "\(diagnosis.checks)")
                #expect(diagnosis.failures.map(\.name) == ["token"])
                #expect(diagnosis.failures[0].detail.contains(detail), "\(diagnosis.failures)")
                #expect(diagnosis.failures[0].advice.contains(advice), "\(diagnosis.failures)")
            }
            withExtendedLifetime(held) {}
        }
    }

    @Test func `a proxy that wants a password is named, with the file that has it`() async throws {
        try await AccountScene.with { scene in
            let answer = "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n"
            let proxy = try ScriptedPeer(head: { _ in answer }, isLast: true)
            let diagnosis = try await Diagnosis.run(
                try scene.client() + Self.topics + ["--proxy", proxy.uri.replacing("ws:", with: "http:")])
            #expect(diagnosis.status == 77)
            #expect(diagnosis.failures.map(\.name) == ["token"])
            #expect(diagnosis.failures[0].detail.contains("407"), "\(diagnosis.failures)")
            #expect(diagnosis.failures[0].advice.contains("--proxy-credentials-file"), "\(diagnosis.failures)")
        }
    }

    @Test(arguments: ["oauth/token", "channels", "subscriptions"])
    func `a signal ends it with what was found`(path: String) async throws {
        try await AccountScene.with(#"{"at":0,"do":"rest","path":"\#(path)","answer":"never"}"#) { scene in
            let child = try Child.tool(["doctor"] + (try scene.client()) + Self.topics)
            let last = path == "oauth/token" ? "tls-trust" : path == "channels" ? "token" : "channel "
            while let line = await child.output?.nextLine(), !line.contains(last) {}
            let start = ContinuousClock.now
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0)
            #expect(end.instant - start < .seconds(4))
        }
    }
}
