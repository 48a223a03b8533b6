import Testing

@testable import GenesysLoop

@Suite struct SubscriptionTests {
    private static let asked: [Topic] = ["v2.users.a?presence&routingStatus", "v2.b", "v2.c"]

    private func confirmed(_ named: [Topic]?, topics: [Topic] = asked) -> (Stage, [ChannelMachine.Action]) {
        var stage = Stage(topics: topics)
        stage.open()
        stage.opened(.first)
        let id = stage.machine.candidate?.pending.first?.correlationID
        let reply = CommandReply(correlationID: id, status: 200, statusText: "subscribed", topics: named)
        let actions = stage.reply(reply, on: .first)
        return (stage, actions)
    }

    @Test func `a confirmation that names fewer topics is one all the same, with a warning of the others`() {
        let (stage, actions) = confirmed(["v2.users.a.presence", "v2.c"])
        #expect(words(actions) == "warn of v2.users.a.routingStatus v2.b, didSubscribe")
        #expect(stage.machine.subscriptions.wanted == Self.asked)
        #expect(stage.machine.subscriptions.unconfirmed == ["v2.users.a.routingStatus", "v2.b"])
        #expect(words(confirmed([]).1).hasPrefix("warn of v2.users.a.presence v2.users.a.routingStatus v2.b v2.c"))
    }

    @Test func `combined topics are compared when they are taken apart, and more than was asked for is no matter`() {
        for named: [Topic]? in [
            Self.asked, ["v2.c", "v2.b", "v2.users.a.routingStatus", "v2.users.a.presence", "v2.x"],
            ["v2.users.a?routingStatus&presence", "v2.b", "v2.c"], nil,
        ] {
            #expect(words(confirmed(named).1) == "didSubscribe")
        }
        let single: [Topic] = ["v2.users.a.presence", "v2.users.a.routingStatus"]
        #expect(words(confirmed(["v2.users.a?presence&routingStatus"], topics: single).1) == "didSubscribe")
    }

    @Test func `a topic that stays unnamed is warned of once`() {
        var stage = confirmed(["v2.c"]).0
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        stage.opened(.second)
        let id = stage.machine.candidate?.pending.first?.correlationID
        let reply = CommandReply(correlationID: id, status: 200, statusText: "subscribed", topics: ["v2.b"])
        #expect(words(stage.reply(reply, on: .second)) == "warn of v2.c, didMiss, didRecover reconnect")
        #expect(stage.machine.subscriptions.unconfirmed.count == 4)
    }

    @Test func `what was confirmed under other names the second time is not compared`() {
        var stage = confirmed(Self.asked).0
        stage.setTopics(Self.asked + ["v2.d", "v2.e"])
        let id = stage.machine.current?.pending.first?.correlationID
        stage.setTopics(Self.asked + ["v2.e"])
        stage.wait(.seconds(5))
        let reply = CommandReply(correlationID: id, status: 200, statusText: "subscribed", topics: ["v2.d"])
        #expect(words(stage.reply(reply, on: .first)) == "")
    }

    @Test func `success is reported only when the service confirmed the subscription`() {
        var stage = Stage()
        #expect(words(stage.open()) == "connect 1 to 0")
        #expect(words(stage.opened(.first)) == "subscribe 1")
        #expect(words(stage.accept(.first)) == "didSubscribe")
        #expect(stage.machine.state == .live)
        stage.check()
    }

    @Test func `another command's confirmation is not taken for ours`() {
        var stage = Stage()
        stage.open()
        stage.opened(.first)
        #expect(
            stage.reply(CommandReply(correlationID: "theirs", status: 200, statusText: "subscribed"), on: .first) == [])
        #expect(stage.reply(CommandReply(status: 200, statusText: "subscribed"), on: .first) == [])
        #expect(stage.machine.state == .attempting)
    }

    @Test func `a refusal that names no command is taken for ours`() {
        var stage = Stage()
        stage.open()
        stage.opened(.first)
        let actions = stage.reply(CommandReply(status: 400, statusText: "error", message: "no"), on: .first)
        #expect(words(actions) == "retire 1, failed initialization.subscription subscriptionRefused")
        #expect(actions.failure?.message == "no")
        #expect(actions.failure?.status == 400)
    }

    @Test func `a reply without a result counts by its status`() {
        var stage = Stage()
        stage.open()
        stage.opened(.first)
        let id = stage.machine.record(.first)?.pending.first?.correlationID
        let reply = CommandReply(correlationID: id, status: 0, statusText: "subscribed")
        #expect(words(stage.reply(reply, on: .first)) == "didSubscribe")
    }

    @Test func `a result of 200 does not make a failure a success`() {
        var stage = Stage()
        stage.open()
        stage.opened(.first)
        let id = stage.machine.record(.first)?.pending.first?.correlationID
        let actions = stage.reply(CommandReply(correlationID: id, status: 200, statusText: "failure"), on: .first)
        #expect(actions.failure?.reason == .subscriptionRefused)
    }

    @Test func `an unanswered subscription is sent once more, with the same id, and then fails`() throws {
        var stage = Stage()
        stage.open()
        let first = stage.opened(.first)
        #expect(stage.wait(.milliseconds(4_999)) == [])
        #expect(stage.wait(.milliseconds(1)) == first)
        let end = stage.wait(.seconds(5))
        #expect(words(end) == "retire 1, failed initialization.subscription subscriptionTimeout")
        #expect(end.failure?.phase == .subscribe)
        stage.check()
    }

    @Test func `either of two answers confirms, and the second one does nothing`() throws {
        var stage = Stage()
        stage.open()
        stage.opened(.first)
        let id = try #require(stage.machine.record(.first)?.pending.first?.correlationID)
        stage.wait(.seconds(6))
        let reply = CommandReply(correlationID: id, status: 200, statusText: "subscribed")
        #expect(words(stage.reply(reply, on: .first)) == "didSubscribe")
        #expect(stage.reply(reply, on: .first) == [])
    }

    @Test func `a channel without topics sends nothing and is subscribed at open`() {
        var stage = Stage(topics: [])
        stage.open()
        #expect(stage.opened(.first) == [.tell(.didSubscribe([]))])
        #expect(stage.machine.state == .live)
        #expect(stage.message(.first, 1) == .deliver)
    }

    @Test func `a notification that comes before the confirmation is delivered`() {
        var stage = Stage()
        stage.open()
        #expect(stage.message(.first, 1) == .ignore)
        stage.opened(.first)
        #expect(stage.message(.first, 1) == .deliver)
        #expect(stage.message(.first, 1) == .deliver)
    }

    @Test(arguments: [
        (401, FailureReason.httpUnauthorized, ChannelFailure.Kind.authorization),
        (403, .httpForbidden, .authorization), (404, .httpNotFound, .subscription),
        (400, .subscriptionRefused, .subscription),
    ])
    func `a refused first subscription is final`(
        status: Int, reason: FailureReason, kind: ChannelFailure.Kind
    ) {
        var stage = Stage()
        stage.open()
        stage.opened(.first)
        let failure = stage.refuse(.first, status).failure
        #expect(failure?.reason == reason)
        #expect(failure?.kind == kind)
        #expect(failure?.phase == .subscribe)
    }

    @Test func `what the service says is cut, not kept whole`() {
        var stage = Stage()
        stage.open()
        stage.opened(.first)
        let failure = stage.refuse(.first, 400, String(repeating: "x", count: 5_000)).failure
        #expect(failure?.message?.count == 500)
    }
}
