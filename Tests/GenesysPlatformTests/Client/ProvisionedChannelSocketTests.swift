import GenesysSimulator
import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

@Suite struct ProvisionedChannelSocketTests {
    @Test func `a client's id and secret lead to notifications, and closing leaves nothing on the loop`() throws {
        let stage = try PlatformStage()
        let channel = try stage.makeChannel()
        channel.open()
        #expect(stage.log == [])
        try stage.run { stage.notificationCount >= 5 }
        #expect(stage.log == ["connecting", "token 86300 s", "made 1 1", "subscribed", "subscribed 2"])
        #expect(
            stage.requests == [
                "POST /oauth/token", "GET /api/v2/notifications/channels", "POST /api/v2/notifications/channels",
                "PUT /api/v2/notifications/channels/{id}/subscriptions",
            ])
        channel.close()
        try stage.run(untilLogged: "closed")
        #expect(stage.log.last == "closed" && stage.log.count == 6)
        stage.leave()
    }

    @Test func `refused topics are reported with their permissions, and the others are delivered`() throws {
        let stage = try PlatformStage { $0.channels.forbiddenTopics = ["v2.users.b.presence"] }
        let channel = try stage.makeChannel()
        channel.open()
        try stage.run(untilLogged: "subscribed 1")
        #expect(stage.log.contains { $0.hasPrefix("rejected [v2.users.b.presence] [[\"") })
        #expect(channel.topics == PlatformStage.topics)
        channel.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `all topics refused ends it, with a sentence about permissions`() throws {
        let stage = try PlatformStage { $0.channels.forbiddenTopics = Set(PlatformStage.topics) }
        try stage.makeChannel().open()
        try stage.run(untilLogged: "failed")
        #expect(stage.log.suffix(2) == ["ended", "failed provision subscriptionRefused"])
        #expect(stage.failure?.kind == .authorization)
        stage.leave()
    }

    @Test func `a move goes to a fresh channel without a gap`() throws {
        let stage = try PlatformStage()
        let channel = try stage.makeChannel()
        channel.open()
        try stage.run { stage.notificationCount >= 5 }
        channel.move()
        try stage.run(untilLogged: "recovered rollover")
        let count = stage.notificationCount
        try stage.run { stage.notificationCount >= count + 5 }
        #expect(stage.log.suffix(4) == ["made 2 2", "rollingOver", "subscribed", "recovered rollover"])
        try stage.run { stage.requests.last?.hasPrefix("DELETE") ?? false }
        channel.close()
        try stage.run(untilLogged: "closed")
        #expect(!stage.log.contains { $0.hasPrefix("gap") })
        stage.leave()
    }

    @Test func `a channel that expired is replaced, with its gap`() throws {
        let stage = try PlatformStage()
        let channel = try stage.makeChannel()
        channel.open()
        try stage.run { stage.notificationCount >= 5 }
        stage.server.evict(.all)
        stage.server.disconnect()
        try stage.run(untilLogged: "recovered replacement")
        let count = stage.notificationCount
        try stage.run { stage.notificationCount >= count + 5 }
        let story = stage.log.drop { $0 != "subscribed 2" }.filter { !$0.hasPrefix("reconnecting") }
        #expect(
            story == [
                "subscribed 2", "recovering", "gone httpNotFound", "made 1 1", "subscribed", "gap connectionClosed",
                "recovered replacement",
            ])
        let statistics = channel.statistics
        #expect(statistics.receivedCount == stage.notificationCount)
        #expect(statistics.reconnectsByReason == [.connectionClosed: 1] && statistics.reconnectCount == 1)
        #expect(statistics.gapCount == 1 && statistics.gapsByReason == [.connectionClosed: 1])
        #expect(statistics.state == .subscribed && statistics.connectionCount == 1)
        channel.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `a revoked token is followed by a new one and a new channel`() throws {
        let stage = try PlatformStage()
        let channel = try stage.makeChannel()
        channel.open()
        try stage.run { stage.notificationCount >= 5 }
        stage.server.revokeToken()
        try stage.run(untilLogged: "recovered replacement")
        #expect(stage.log.filter { $0.hasPrefix("token") }.count == 2)
        channel.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `before the token ends it moves to a channel of the next one`() throws {
        let stage = try PlatformStage { $0.tokens.life = .seconds(2) }
        let channel = try stage.makeChannel()
        channel.open()
        try stage.run(untilLogged: "recovered rollover", count: 2)
        #expect(!stage.log.contains { $0.hasPrefix("gap") || $0.hasPrefix("gone") })
        channel.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `the host's tokens are asked for with the reason, and a repeated one ends it`() throws {
        let stage = try PlatformStage()
        var reasons: [TokenReason] = []
        let credentials = PlatformCredentials.tokens { request in
            reasons.append(request.reason)
            request.provide("not-a-token")
            request.provide("late")
        }
        try stage.makePlatform(credentials: credentials)
        try stage.makeChannel().open()
        try stage.run(untilLogged: "failed")
        #expect(reasons == [.first, .refused])
        #expect(stage.log.last == "failed token httpUnauthorized")
        stage.leave()
    }

    @Test func `a host that drops the request for a token gets a failure instead of a long wait`() throws {
        let stage = try PlatformStage()
        try stage.makePlatform(credentials: .tokens { _ in })
        try stage.makeChannel().open()
        try stage.run(untilLogged: "failed")
        #expect(stage.log.last == "failed token httpUnauthorized")
        stage.leave()
    }

    @Test func `the reason of a refused topic repeats neither the token nor a channel`() throws {
        let stage = try PlatformStage()
        var token = ""
        stage.didLog = { stage, entry in
            guard entry.hasPrefix("made"), let id = stage.server.service.channelIDs.first else { return }
            token = stage.platform?.machine.tokens.current?.value.text ?? ""
            let reason = "no \(token) for wss://streaming.example/channels/streaming-1-other and \(id)"
            let body = #"{"entities":[{"id":"v2.users.a.presence","state":"Rejected","rejectionReason":"\#(reason)"}]}"#
            var fault = SimulatedService.Fault(answer: .json(status: 200, Array(body.utf8)))
            fault.path = "subscriptions"
            stage.server.install(fault)
        }
        try stage.makeChannel().open()
        try stage.run(untilLogged: "failed")
        let id = try #require(stage.server.service.channelIDs.first)
        let said = "\(stage.rejections) \(try #require(stage.failure))"
        #expect(said.contains("no ") && !token.isEmpty)
        #expect(!said.contains(token) && !said.contains(id) && !said.contains("streaming-1-other"), "\(said)")
        stage.leave()
    }

    @Test(arguments: [#"a\nb"#, "a b", "aé", ""])
    func `a token that cannot be sent is an answer that cannot be used`(token: String) throws {
        let stage = try PlatformStage()
        let body = #"{"access_token":"\#(token)","token_type":"bearer","expires_in":100}"#
        var fault = SimulatedService.Fault(answer: .json(status: 200, Array(body.utf8)))
        fault.path = "oauth/token"
        stage.server.install(fault)
        try stage.makeChannel(total: .zero).open()
        try stage.run(untilLogged: "failed")
        #expect(stage.log.last == "failed token invalidMessage")
        stage.leave()
    }

    @Test func `the credentials of an OAuth client are in no failure, alone or with their scheme`() throws {
        let stage = try PlatformStage()
        let encoded = HandshakeKey.base64(Array("simulated-client:simulated-secret".utf8))
        let text = "Invalid credentials \(encoded), simulated-secret, Basic \(encoded)"
        var fault = SimulatedService.Fault(
            answer: .raw(status: 403, headers: [], contentType: "text/plain", body: Array(text.utf8)))
        fault.path = "oauth/token"
        stage.server.install(fault)
        try stage.makeChannel().open()
        try stage.run(untilLogged: "failed")
        let said = "\(try #require(stage.failure))"
        #expect(said.contains("Invalid credentials"))
        #expect(!said.contains(encoded) && !said.contains("simulated-secret"))
        stage.leave()
    }

    @Test func `closing while the host looks for a token ends at once`() throws {
        let stage = try PlatformStage()
        var open: TokenRequest?
        try stage.makePlatform(credentials: .tokens { open = $0 })
        let channel = try stage.makeChannel()
        channel.open()
        try stage.run { open != nil }
        channel.close()
        try stage.run(untilLogged: "closed")
        #expect(open?.isPending == false)
        open?.provide("late")
        stage.leave()
    }

    @Test(arguments: ["oauth/token", "channels", "subscriptions"])
    func `closing while a call has no answer ends at once`(path: String) throws {
        let stage = try PlatformStage()
        var fault = SimulatedService.Fault(answer: .never)
        fault.path = path
        stage.server.install(fault)
        let channel = try stage.makeChannel()
        channel.open()
        try stage.run { stage.requests.last?.hasSuffix(path) ?? false }
        channel.close()
        try stage.run(untilLogged: "closed")
        #expect(stage.log.last == "closed")
        stage.leave()
    }

    @Test func `an answer to the upgrade that repeats the token or the client's secret shows neither`() throws {
        let stage = try PlatformStage()
        var token = ""
        stage.didLog = { stage, entry in
            guard entry.hasPrefix("made"), let value = stage.platform?.machine.tokens.current?.value else { return }
            token = value.text
            var refusal = SimulatedService.Refusal(status: 503, message: "no: Bearer \(token), simulated-secret")
            refusal.headers = [.init("ININ-Correlation-Id", "id-\(token)")]
            stage.server.configuration.channels.upgrade = .refuse(refusal)
        }
        try stage.makeChannel(total: .zero).open()
        try stage.run(untilLogged: "failed")
        let failure = try #require(stage.failure)
        #expect(failure.message?.contains("no: Bearer …") == true && failure.correlationID?.hasPrefix("id-") == true)
        for text in ["\(failure)", failure.message ?? "", failure.correlationID ?? ""] {
            #expect(!token.isEmpty && !text.contains(token) && !text.contains("simulated-secret"), "\(text)")
        }
        stage.leave()
    }

    @Test func `everything of the API is legal inside of every delegate method`() throws {
        let stage = try PlatformStage { $0.channels.forbiddenTopics = ["v2.users.b.presence"] }
        let channel = try stage.makeChannel()
        stage.didLog = { stage, _ in
            channel.pause()
            channel.resume()
            channel.move()
            channel.unsubscribe("v2.users.c.presence")
            try? channel.subscribe("v2.users.c.presence")
            channel.open()
            _ = channel.state
            if stage.notificationCount > 3 { channel.close() }
        }
        channel.open()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `a delegate that is gone closes the channel`() throws {
        let stage = try PlatformStage()
        let channel = try stage.makeChannel()
        channel.open()
        try stage.run { stage.notificationCount >= 1 }
        channel.delegate = nil
        try stage.run { channel.state == .ended }
        stage.leave()
    }

    @Test func `closing the loop closes a provisioned channel`() throws {
        let stage = try PlatformStage()
        let channel = try stage.makeChannel()
        channel.open()
        try stage.run { stage.notificationCount >= 1 }
        stage.loop.closeAll()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }
}
