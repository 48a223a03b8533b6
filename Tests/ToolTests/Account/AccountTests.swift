import Foundation
import Testing

/// `listen` with an OAuth client or a token, against a simulator that requires tokens.
@Suite(.timeLimit(.minutes(patience(3)))) struct AccountTests {
    @Test func `an OAuth client leads from its id and secret to notifications, and every event names the shard`()
        async throws
    {
        try await AccountScene.with { scene in
            let ways: [([String], [String: String])] = [
                (try scene.client(), [:]), (scene.place, scene.variables),
                (scene.place + ["--client-id", scene.announcement.clientId ?? ""], scene.variables),
            ]
            for (source, variables) in ways {
                let end = await (try scene.listen(source, ["--count", "2"], variables: variables)).end()
                #expect(end.status == 0, "\(end.errors)")
                #expect(end.output.count { $0 == 0x0A } == 2)
                let events = try end.events()
                #expect(events.map(\.name) == ["token", "channelMade", "subscribed", "closed"])
                #expect((events[0].event["lifetime"] as? Double ?? 0) > 86_000)
                #expect(events[1].event["ours"] as? Int == 1)
                #expect((events[1].event["all"] as? Int ?? 0) >= 1)
                for (name, event) in events {
                    #expect((event["shard"] as? Int == 0) == ["channelMade", "subscribed"].contains(name), "\(name)")
                }
                #expect(!end.errors.contains(scene.announcement.clientSecret ?? "-"))
            }
        }
    }

    @Test func `each refused topic is an event with its permissions, and all of them end it with 78`() async throws {
        let topics = ["v2.users.A.presence", "v2.users.B.presence", "v2.users.C.presence"]
        let step = #"{"at":0,"do":"set","forbiddenTopics":["v2.users.A.presence","v2.users.C.presence"]}"#
        try await AccountScene.with(step) { scene in
            let part = await (try scene.listen(try scene.client(), ["--count", "1"], topics: topics)).end()
            #expect(part.status == 0, "\(part.errors)")
            let rejected = try part.events().filter { $0.name == "rejected" }.map(\.event)
            #expect(rejected.map { $0["topics"] as? [String] } == [[topics[0]], [topics[2]]])
            for event in rejected {
                #expect((event["reason"] as? String)?.contains("permissions") == true)
                #expect(event["missingPermissions"] as? [String] == ["directory:userPresence:view"])
                #expect(event["shard"] as? Int == 0)
            }
            #expect(try part.events().first { $0.name == "subscribed" }?.event["topics"] as? [String] == [topics[1]])
            let all = await (try scene.listen(try scene.client(), topics: [topics[0]])).end()
            #expect(all.status == 78)
            #expect(try all.events().last?.event["phase"] as? String == "provision")
        }
    }

    @Test func `more topics than a channel holds are spread over channels, each with its number`() async throws {
        try await AccountScene.with("", ["--rate", "500"]) { scene in
            let topics = try scene.file((0..<1_500).map { "v2.users.\($0).presence" }.joined(separator: "\n"), "topics")
            let child = try scene.listen(
                try scene.client(), ["--topics-file", topics, "--duration", "20"], topics: [])
            _ = await child.event(with: #""event":"subscribed""#)
            _ = await child.event(with: #""event":"subscribed""#)
            child.signal(SIGUSR1)
            #expect(await child.event(with: #""event":"statistics""#)?.contains(#""state":"subscribed""#) == true)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors.suffix(500))")
            let events = try end.events()
            let subscribed = events.filter { $0.name == "subscribed" }.map(\.event)
            #expect(Set(subscribed.compactMap { $0["shard"] as? Int }) == [0, 1])
            #expect(subscribed.map { ($0["topics"] as? [String])?.count ?? 0 }.reduce(0, +) == 1_500)
            #expect(events.filter { $0.name == "channelMade" }.compactMap { $0.event["shard"] as? Int } == [0, 1])
            #expect(events.filter { $0.name == "token" }.count == 1)

            let doctor = await (try Child.tool(["doctor", "--topics-file", topics] + scene.client())).end()
            #expect(doctor.status == 0)
            let lines = String(decoding: doctor.output, as: UTF8.self)
            #expect(lines.contains("The topics need 1500 places on 2 channels."))
            #expect(lines.split(separator: "\n").filter { $0.contains(" is permitted.") }.count == 1_500)
        }
    }

    @Test func `20,001 topics are wrong usage, and 19,001 are a warning about moves`() async throws {
        try await AccountScene.with { scene in
            func topics(_ count: Int) throws -> String {
                try scene.file((0..<count).map { "v2.users.\($0).presence" }.joined(separator: "\n"), "\(count)")
            }
            let tooMany = await
                (try scene.listen(
                    try scene.client(), ["--topics-file", try topics(20_001)], topics: [])).end()
            #expect(tooMany.status == 64)
            #expect(tooMany.errors.contains("20001"), "\(tooMany.errors)")
            let many = try scene.listen(try scene.client(), ["--topics-file", try topics(19_001)], topics: [])
            #expect(await many.event(with: "costs a gap") != nil)
            #expect(await many.event(with: #""event":"token""#) != nil)
            many.signal(SIGTERM)
            #expect(await many.end().status == 0)
        }
    }

    @Test func `a token that ends takes its channel with it, and a new one takes its place`() async throws {
        try await AccountScene.with(#"{"at":0,"do":"tokens","life":8}"#) { scene in
            let child = try scene.listen(try scene.client())
            #expect(await child.event(with: #""by":"rollover""#)?.contains(#""shard":0"#) == true)
            child.signal(SIGUSR1)
            #expect(await child.event(with: #""event":"statistics""#)?.contains(#""rolloverCount":1"#) == true)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0)
            let names = try end.events().map(\.name)
            #expect(
                names == ["token", "channelMade", "subscribed", "token", "channelMade", "recovered", "statistics"]
                    + ["closed"])
        }
        try await AccountScene.with(#"{"at":1,"do":"expireTokens"}"#) { scene in
            let child = try scene.listen(try scene.client())
            #expect(await child.event(with: #""event":"channelGone""#)?.contains(#""reason":"httpNotFound""#) == true)
            #expect(await child.event(with: #""event":"gap""#) != nil)
            #expect(await child.event(with: #""event":"recovered""#)?.contains(#""by":"replacement""#) == true)
            child.signal(SIGTERM)
            #expect(await child.end().status == 0)
        }
    }

    static let refusals: [(String, Int32, String, String, [String])] = [
        (#""do":"tokens","clientSecret":"other""#, 77, "token", "httpUnauthorized", ["secret", "refused"]),
        (#""do":"tokens","clientId":"other""#, 77, "token", "httpUnauthorized", ["no OAuth client", "region"]),
        (#""do":"tokens","client":"disabled""#, 77, "token", "httpUnauthorized", ["client is active"]),
        (
            #""do":"rest","path":"oauth/token","answer":"redirect","location":"https://idp.example/""#, 69, "token",
            "invalidStatusCode", ["redirected", "idp.example"]
        ),
        (
            #""do":"rest","path":"channels","method":"POST","answer":429,"retryAfter":7200"#, 69, "provision",
            "httpTooManyRequests", ["7200 s"]
        ),
        (
            #""do":"rest","path":"channels","method":"POST","answer":503"#, 69, "provision", "invalidStatusCode",
            ["not available"]
        ),
        (
            #""do":"rest","path":"channels","method":"POST","answer":"html","status":200"#, 76, "provision",
            "invalidMessage", ["a page instead of JSON"]
        ),
        (
            #""do":"rest","path":"channels","method":"POST","answer":"empty""#, 76, "provision", "invalidMessage",
            ["is empty"]
        ),
    ]

    @Test(arguments: refusals)
    func `a refusal of the REST side ends it with its status, phase and sentence`(
        step: String, status: Int32, phase: String, reason: String, words: [String]
    ) async throws {
        try await AccountScene.with(#"{"at":0,\#(step)}"#) { scene in
            let end = await (try scene.listen(try scene.client(), ["--first-connection-limit", "3"])).end()
            #expect(end.status == status, "\(end.errors)")
            let failed = try #require(try end.events().last?.event)
            #expect(failed["event"] as? String == "failed")
            #expect(failed["phase"] as? String == phase)
            #expect(failed["reason"] as? String == reason)
            for word in words { #expect("\(failed["message"] ?? "")".contains(word), "\(failed)") }
            if reason == "httpTooManyRequests" {
                #expect(try end.events().contains { $0.name == "throttled" && $0.event["seconds"] as? Int == 7_200 })
            }
        }
    }

    @Test(arguments: ["oauth/token", "channels", "subscriptions"])
    func `a signal ends it within four seconds while the REST side does not answer`(path: String) async throws {
        try await AccountScene.with(#"{"at":0,"do":"rest","path":"\#(path)","answer":"never"}"#) { scene in
            let child = try scene.listen(try scene.client(), ["--metrics-listen", ":0"])
            #expect(await child.event(with: "Metrics:") != nil)
            if path == "subscriptions" { #expect(await child.event(with: "channelMade") != nil) }
            if path == "channels" { #expect(await child.event(with: #""event":"token""#) != nil) }
            child.signal(SIGUSR1)
            #expect(await child.event(with: #""event":"statistics""#)?.contains(#""state":"connecting""#) == true)
            let start = ContinuousClock.now
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0)
            #expect(end.instant - start < .seconds(4))
        }
    }

    @Test func `a token that is kept serves the next start, and a file that others can read is refused`() async throws {
        try await AccountScene.with { scene in
            let cache = scene.folder.appending(path: "cache").path
            var tokens: [String] = []
            for _ in 0..<2 {
                let end = await (try scene.listen(try scene.client(), ["--count", "1", "--token-cache", cache])).end()
                #expect(end.status == 0, "\(end.errors)")
                tokens.append(try String(contentsOfFile: cache, encoding: .utf8))
            }
            #expect(tokens[0] == tokens[1])
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: cache)
            let end = await (try scene.listen(try scene.client(), ["--token-cache", cache])).end()
            #expect(end.status == 64)
            #expect(end.errors.contains("0600"), "\(end.errors)")
            for (path, sentence) in [("-", "takes the name of a file"), (cache, "is a symbolic link")] {
                try? FileManager.default.removeItem(atPath: cache)
                try FileManager.default.createSymbolicLink(atPath: cache, withDestinationPath: "missing")
                let end = await (try scene.listen(try scene.client(), ["--token-cache", path])).end()
                #expect(end.status == 64)
                #expect(end.errors.contains(sentence), "\(end.errors)")
            }
        }
    }
}

/// `listen` with a token.
@Suite(.timeLimit(.minutes(patience(3)))) struct AccessTokenTests {
    @Test func `a token comes from a file, a pipe or the environment, and moves when the file holds another one`()
        async throws
    {
        try await AccountScene.with { scene in
            let tokens = [try await scene.token(), try await scene.token()]
            let file = try scene.file(tokens[0], "token")
            var place = scene.place
            place.removeFirst(2)
            // Without a region: the base is enough.
            let child = try scene.listen(place + ["--access-token-file", file])
            #expect(await child.event(with: "subscribed") != nil)
            child.signal(SIGHUP)
            #expect(await child.event(with: "holds the same token") != nil)
            try scene.file(tokens[1], "token")
            child.signal(SIGHUP)
            #expect(await child.event(with: "holds another token") != nil)
            #expect(await child.event(with: #""by":"rollover""#) != nil)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
            child.signal(SIGHUP)
            #expect(await child.event(with: "can be read by other users now") != nil)
            child.signal(SIGTERM)
            #expect(await child.end().status == 0)
            let other = await
                (try scene.listen(
                    scene.place, ["--count", "1"], variables: ["GENESYSCLOUD_ACCESS_TOKEN": " \(tokens[1])\n"])).end()
            #expect(other.status == 0, "\(other.errors)")
            let piped = try scene.listen(scene.place + ["--access-token-file", "-"], ["--count", "1"])
            try piped.send(line: tokens[1])
            #expect(await piped.end().status == 0)
            for token in tokens { #expect(!other.errors.contains(token)) }
        }
    }

    @Test func `a refused token is read again, and the same one ends it with 77`() async throws {
        try await AccountScene.with { scene in
            let token = try await scene.token()
            let file = try scene.file("streaming-2-secret", "token")
            let refused = await (try scene.listen(scene.place + ["--access-token-file", file])).end()
            #expect(refused.status == 77, "\(refused.errors)")
            #expect(refused.errors.contains("still holds it"))
            #expect(!refused.errors.contains("streaming-2-secret"))
            let variable = await
                (try scene.listen(scene.place, variables: ["GENESYSCLOUD_ACCESS_TOKEN": "streaming-2-secret"])).end()
            #expect(variable.status == 77)
            #expect(variable.errors.contains("cannot be read again"), "\(variable.errors)")
            #expect(!variable.errors.contains("streaming-2-secret"))
            // The file is changed before the refusal is answered.
            let child = try scene.listen(
                scene.place + ["--access-token-file", file], ["--count", "1", "--log-level", "debug"])
            #expect(await child.event(with: "status 401") != nil)
            try scene.file(token, "token")
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
        }
    }

    #if os(Linux)
    @Test(.enabled(if: ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] == nil))
    func `neither the arguments nor the environment of the process show a secret`() async throws {
        try await AccountScene.with { scene in
            let token = try await scene.token()
            let children = [
                try scene.listen(scene.place, variables: scene.variables),
                try scene.listen(scene.place, variables: ["GENESYSCLOUD_ACCESS_TOKEN": token]),
                try scene.listen(try scene.client(), variables: ["GENESYSCLOUD_ACCESS_TOKEN": token]),
            ]
            for child in children {
                #expect(await child.event(with: "subscribed") != nil)
                for file in ["cmdline", "environ"] {
                    let text = try String(
                        decoding: Data(contentsOf: URL(filePath: "/proc/\(child.identifier)/\(file)")), as: UTF8.self)
                    for secret in [token, scene.announcement.clientSecret ?? ""] { #expect(!text.contains(secret)) }
                }
                child.signal(SIGTERM)
                #expect(await child.end().status == 0)
            }
        }
    }
    #endif
}
