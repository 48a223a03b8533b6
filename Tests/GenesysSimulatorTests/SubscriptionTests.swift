import GenesysLoop
import GenesysSimulator
import Testing

/// Topics over REST.
@Suite struct SubscriptionTests {
    @Test func `topics are added, replaced, listed and removed`() throws {
        var stage = try Stage()
        let id = stage.channel.id
        _ = try stage.service.subscriptionsChanged(["a.1.x"], of: id, now: stage.now)
        _ = try stage.service.subscriptionsChanged(["a.2.x", "a.1.x"], of: id, now: stage.now)
        #expect(try stage.service.subscriptions(of: id) == ["a.1.x", "a.2.x"])
        _ = try stage.service.subscriptionsChanged(["a.3.x"], of: id, replaces: true, now: stage.now)
        #expect(try stage.service.subscriptions(of: id) == ["a.3.x"])
        try stage.service.subscriptionsRemoved(of: id, now: stage.now)
        #expect(try stage.service.subscriptions(of: id) == [])
    }

    @Test func `topics that differ in Unicode normalization are two`() throws {
        var stage = try Stage()
        let id = stage.channel.id
        let (one, other) = (Topic("caf\u{E9}.1.x"), Topic("cafe\u{301}.1.x"))
        _ = try stage.service.subscriptionsChanged([one, other], of: id, now: stage.now)
        #expect(try stage.service.subscriptions(of: id) == [one, other])
        _ = try stage.service.subscriptionsChanged([other], of: id, replaces: true, now: stage.now)
        let socket = try stage.open()
        #expect(stage.service.publish([5], to: one, now: stage.now) == [])
        #expect(stage.service.publish([5], to: other, now: stage.now) == [.send(socket, [5])])
    }

    @Test func `a change renews the life of the channel`() throws {
        var stage = try Stage()
        stage.now += .seconds(3_600)
        _ = try stage.service.subscriptionsChanged(["a.1.x"], of: stage.channel.id, now: stage.now)
        #expect(stage.service.expiry(of: stage.channel.id) == stage.now + .seconds(24 * 3600))
    }

    @Test func `topics set by REST flow without any command on the socket`() throws {
        var stage = try Stage()
        _ = try stage.service.subscriptionsChanged([Topic(presence)], of: stage.channel.id, now: stage.now)
        let socket = try stage.open()
        #expect(stage.service.publish([5], to: Topic(presence), now: stage.now) == [.send(socket, [5])])
    }

    @Test func `more than 1,000 topics get 400 and change nothing`() throws {
        var stage = try Stage()
        let topics = (0...1_000).map { Topic("a.\($0).x") }
        let refusal = #expect(throws: SimulatedService.Refusal.self) {
            try stage.service.subscriptionsChanged(topics, of: stage.channel.id, replaces: true, now: stage.now)
        }
        #expect(refusal?.status == 400)
        #expect(try stage.service.subscriptions(of: stage.channel.id) == [])
    }

    @Test func `an unknown channel gets 404`() throws {
        var stage = try Stage()
        #expect(throws: SimulatedService.Refusal.notFound) { try stage.service.subscriptions(of: "x") }
        #expect(throws: SimulatedService.Refusal.notFound) {
            try stage.service.subscriptionsChanged(["a.1.x"], of: "x", now: stage.now)
        }
        #expect(throws: SimulatedService.Refusal.notFound) {
            try stage.service.subscriptionsRemoved(of: "x", now: stage.now)
        }
    }

    @Test func `a missing permission refuses all with 403`() throws {
        var stage = try Stage { $0.channels.forbiddenTopics = ["a.1.x"] }
        #expect(throws: SimulatedService.Refusal.forbidden) {
            try stage.service.subscriptionsChanged(["a.2.x", "a.1.x"], of: stage.channel.id, now: stage.now)
        }
        #expect(try stage.service.subscriptions(of: stage.channel.id) == [])
    }

    @Test func `with errors ignored the denied single topic is rejected and the combined one permitted`() throws {
        var stage = try Stage { $0.channels.forbiddenTopics = ["a.1.x", "a.2.x"] }
        let socket = try stage.open()
        let states = try stage.service.subscriptionsChanged(
            ["a.1?x&y", "a.2.x"], of: stage.channel.id, ignoringErrors: true, now: stage.now)
        #expect(states.map(\.topic) == ["a.1?x&y", "a.1.x", "a.2.x"])
        #expect(states.map(\.isPermitted) == [true, false, false])
        #expect(try stage.service.subscriptions(of: stage.channel.id) == ["a.1?x&y"])
        #expect(stage.service.publish([1], to: "a.1.x", now: stage.now) == [])
        #expect(stage.service.publish([1], to: "a.1.y", now: stage.now) == [.send(socket, [1])])
    }
}
