import GenesysLoop
import GenesysSimulator
import Testing

@Suite struct OperatorTests {
    @Test func `an expired and an evicted channel end alike: 1001, then 404`() throws {
        let ways: [(inout SimulatedService, Duration) -> [SimulatedService.Action]] = [
            { $0.expireChannel(.all, now: $1) }, { $0.evict(.all, now: $1) },
        ]
        for way in ways {
            var stage = try Stage()
            let socket = try stage.open()
            #expect(way(&stage.service, stage.now).map(line) == ["\(socket) close 1001"])
            #expect(stage.isRefused())
            #expect(way(&stage.service, stage.now) == [])
        }
    }

    @Test func `a gone channel can end its sockets with another code`() throws {
        var stage = try Stage { $0.endings.goneChannel = .end(.close(code: 1_008)) }
        let socket = try stage.open()
        #expect(stage.service.evict(.all, now: stage.now).map(line) == ["\(socket) close 1008"])
    }

    @Test func `a revoked token is announced before the end, or not`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        let notice =
            #"{"topicName":"v2.system.token_revoked","version":"2","eventBody":{"channelId":"\#(stage.channel.id)","#
            + #""systemTopicType":"token_revoked","reason":"user_tokens_revoked","#
            + #""message":"The tokens of the user were revoked"}}"#
        #expect(
            stage.service.revokeToken(.all, now: stage.now).map(line) == [
                "\(socket) \(notice)", "\(socket) close 1001",
            ])
        #expect(stage.isRefused())
        stage.service.configuration.endings.announcesRevocation = false
        let other = try stage.service.channelCreated(now: stage.now)
        let second = try stage.open(other)
        #expect(stage.service.revokeToken(.all, now: stage.now).map(line) == ["\(second) close 1001"])
    }

    @Test func `a channel that is no longer subscribed is told so and gets no notification`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        let lines = stage.service.announce(.noLongerSubscribed, to: .all, now: stage.now).map(line)
        #expect(lines.first?.contains(#""reason":"another_channel_subscribed""#) == true)
        #expect(stage.service.publish([1], to: Topic(presence), now: stage.now) == [])
    }

    @Test(arguments: [SimulatedService.SystemNotice.subscriptionChanged, .duplicateID, .tokenRevoked])
    func `other notices leave the topics alone`(notice: SimulatedService.SystemNotice) throws {
        var stage = try Stage()
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        let lines = stage.service.announce(notice, to: .all, now: stage.now).map(line)
        #expect(lines.first?.hasPrefix(#"\#(socket) {"topicName":"v2.system.\#(notice.rawValue)""#) == true)
        #expect(stage.service.publish([1], to: Topic(presence), now: stage.now) == [.send(socket, [1])])
    }

    @Test func `sockets can be dropped and closed, and the channel stays`() throws {
        var stage = try Stage()
        let first = try stage.open()
        #expect(stage.service.disconnect(.all, now: stage.now) == [.drop(first)])
        let second = try stage.open()
        #expect(
            stage.service.disconnect(.channel(stage.channel.id), .close(code: 1_012), now: stage.now).map(line)
                == ["\(second) close 1012"])
        #expect(!stage.isRefused())
    }

    @Test func `any bytes can be injected as text or binary`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        #expect(stage.service.inject([0xFF], into: .all, now: stage.now) == [.send(socket, [0xFF])])
        #expect(
            stage.service.inject([1, 2], asBinary: true, into: .all, now: stage.now) == [.sendBinary(socket, [1, 2])])
    }

    @Test func `an operator reaches one channel only where one is named`() throws {
        var stage = try Stage()
        _ = try stage.open()
        let other = try stage.service.channelCreated(now: stage.now)
        let second = try stage.open(other)
        #expect(stage.service.announceMaintenance(.channel(other.id), now: stage.now).map(\.socket) == [second])
        #expect(stage.service.announceMaintenance(.channel("unknown"), now: stage.now) == [])
    }
}
