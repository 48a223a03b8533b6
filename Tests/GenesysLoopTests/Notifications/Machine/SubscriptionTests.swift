import Testing

@testable import GenesysLoop

@Suite struct SubscriptionTests {
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
