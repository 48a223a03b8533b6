import GenesysLoop
import Testing

@testable import GenesysPlatform

/// Moves to a fresh channel: before the token or the channel ends, and without a break.
@Suite struct MoveTests {
    @Test func `a new token leads to a fresh channel, and the old one is given up when the new one delivers (trap 1)`()
    {
        var stage = ProvisionedStage.live()
        #expect(stage.renewToken() == ["call 4 GET list"])
        #expect(stage.ready() == ["call 5 POST", "made 1/1", "call 6 PUT with 2", "rollover c2"])
        #expect(stage.machine.places == [ProvisionedStage.uri("c2"), ProvisionedStage.uri("c1")])
        #expect(stage.recovered(.rollover, at: "c2") == ["call 7 DELETE with 1", "recovered rollover"])
        #expect(stage.machine.places == [ProvisionedStage.uri("c2")])
        #expect(stage.limits.last == Instant(nanoseconds: .min), "one attempt")
    }

    @Test func `moves have no limit: the old channel goes on`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.answer() + stage.answer()
        #expect(stage.limits.suffix(3).allSatisfy { $0 == nil })
    }

    @Test func `a renewal that comes before the confirmation is made up for`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.ready() + stage.renewToken()
        #expect(stage.subscribed() == ["subscribed", "call 4 GET list"])
    }

    @Test func `a renewal during a move is followed by another move`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.ready()
        #expect(stage.renewToken() == [])
        #expect(stage.recovered(.rollover, at: "c2").last == "call 8 GET list")
    }

    @Test func `the end of the channel's life leads to a fresh one, unless its life is extended`() {
        var stage = ProvisionedStage.live()
        #expect(stage.run(84_600) == [])
        #expect(stage.recovered(.extension, at: "c1") == ["recovered extension"])
        #expect(stage.run(84_600) == [])
        #expect(stage.run(250) == ["call 4 GET list"])
        var expiring = ProvisionedStage.live()
        #expect(expiring.willExpire(.lifetime(deadline: expiring.now.wall)) == ["expires", "call 4 GET list"])
        #expect(expiring.willExpire(.lifetime(deadline: expiring.now.wall)) == ["expires"])
    }

    @Test func `maintenance is the channel's own affair`() {
        var stage = ProvisionedStage.live()
        #expect(stage.willExpire(.maintenance(deadline: stage.now.wall)) == ["expires"])
        #expect(stage.recovered(.rollover, at: "c1") == ["recovered rollover"])
        #expect(stage.failedRollover() == ["rolloverFailed connect"])
    }

    @Test func `a rollover for maintenance ends before the move goes on`() {
        for isDone in [true, false] {
            var stage = ProvisionedStage.live()
            _ = stage.renewToken()
            stage.changed(to: .rollingOver)
            #expect(!stage.ready().contains { $0.hasPrefix("rollover") })
            #expect(stage.machine.places == [ProvisionedStage.uri("c1")])
            stage.changed(to: .subscribed)
            let words = isDone ? stage.recovered(.rollover, at: "c1") : stage.failedRollover()
            #expect(words.last == "rollover c2")
            #expect(stage.recovered(.rollover, at: "c2").last == "recovered rollover")
        }
        var lost = ProvisionedStage.live()
        _ = lost.renewToken()
        lost.changed(to: .rollingOver)
        _ = lost.ready()
        lost.changed(to: .recovering)
        #expect(lost.willReconnect() == ["reconnect #1 connectionClosed", "rollover c2"])
        var gone = ProvisionedStage.live()
        _ = gone.renewToken()
        gone.changed(to: .rollingOver)
        _ = gone.ready()
        #expect(gone.failed(.httpNotFound, after: 1).contains("call 7 DELETE with 2"))
    }

    @Test func `without topics a recovery does not lengthen the life`() {
        var stage = ProvisionedStage.live(topics: [])
        _ = stage.run(50_000)
        _ = stage.recovered(.rollover, at: "c1")
        #expect(stage.run(34_900) == ["call 3 GET list"])
    }

    @Test func `the host may ask for a fresh channel`() {
        var stage = ProvisionedStage.live()
        #expect(stage.moveNow() == ["call 4 GET list"])
        #expect(stage.moveNow() == [])
        var idle = ProvisionedStage()
        #expect(idle.moveNow() == [])
    }

    // MARK: - Failures

    @Test func `a failed preparation is reported and tried again, ever more slowly`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken()
        var delays: [Double] = []
        for _ in 0..<8 {
            #expect(stage.fail(403).isEmpty == false)
            #expect(stage.fail(403) == ["rolloverFailed httpForbidden"])
            let start = stage.seconds
            while stage.open.isEmpty { _ = stage.run(0.1) }
            delays.append(stage.seconds - start)
        }
        #expect((2.4...5.2).contains(delays[0]))
        #expect((149...301).contains(delays[7]))
    }

    @Test func `a failed rollover leaves the old channel, and another one is made`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.ready()
        #expect(stage.failedRollover() == ["rolloverFailed connect"])
        #expect(stage.run(6) == ["call 7 GET list"])
        #expect(stage.ready().last == "rollover c3")
        // Both that were left lose their topics when the third one delivers.
        let words = stage.recovered(.rollover, at: "c3")
        #expect(words.filter { $0.contains("DELETE") }.count == 2)
    }

    @Test func `moves to which the connection fails cost one channel, which is used when it can be reached`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.answer() + stage.answer() + stage.answer()
        for _ in 0..<30 {
            #expect(stage.failedRollover() == ["rolloverFailed connect"])
            while stage.open.isEmpty { _ = stage.run(1) }
            #expect(stage.answer(.channels(["c1", "c2"].map { ProvisionedStage.listed($0) })).count == 1)
            #expect(stage.open.last?.call == .setTopics(ProvisionedStage.topics, of: SecretBytes("c2")))
            #expect(stage.answer() == ["rollover c2"])
        }
        #expect(stage.latest == "c2")
        #expect(stage.recovered(.rollover, at: "c2").filter { $0.contains("DELETE") }.count == 1, "the old one")
    }

    @Test func `a channel that is gone, or of another token, is not used for another attempt`() {
        for isRenewed in [true, false] {
            var stage = ProvisionedStage.live()
            _ = stage.renewToken() + stage.ready()
            _ = stage.failedRollover(isRenewed ? .connect : .httpNotFound)
            if isRenewed { _ = stage.renewToken() }
            _ = stage.run(6) + stage.answer(.channels([ProvisionedStage.listed("c2")]))
            #expect(stage.open.last?.call == .createChannel)
        }
    }

    @Test func `a channel that is gone while it gets its topics for another attempt is followed by another one`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.ready() + stage.failedRollover() + stage.run(6)
        _ = stage.answer(.channels([ProvisionedStage.listed("c2")]))
        #expect(stage.fail(404) == ["gone httpNotFound", "call 9 GET list"])
        #expect(stage.answer(.channels([ProvisionedStage.listed("c2")])) == ["call 10 POST"])
        #expect(stage.ready().last == "rollover c3")
    }

    @Test func `of channels to which moves failed, the oldest are given up`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken()
        var left = 0
        for _ in 0..<30 {
            _ = stage.ready()
            left += stage.failedRollover(.httpNotFound).count { $0.contains("DELETE") }
            #expect(stage.machine.places.count <= 4)
            while stage.open.isEmpty { _ = stage.run(1) }
        }
        #expect(left == 27)
    }

    @Test func `a channel that is gone is replaced by the one that an earlier move was for`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.ready() + stage.failedRollover() + stage.run(6)
        _ = stage.answer(.channels([ProvisionedStage.listed("c2")]))
        #expect(!stage.failed(.httpNotFound, after: 1).contains { $0.contains("DELETE") })
        #expect(stage.ready() == ["open c2"])
        #expect(stage.subscribed() == ["gap httpNotFound", "recovered replacement"])
    }

    @Test func `a failure of another rollover does not take the move's channel away`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.ready()
        // A maintenance rollover failed just before; the move goes on.
        _ = stage.failedRollover()
        _ = stage.run(6) + stage.answer() + stage.answer()
        let words = stage.recovered(.rollover, at: "c2")
        #expect(words.contains("recovered rollover"))
        #expect(
            words.filter { $0.contains("DELETE") }.count == 2, "the first one, and the one that was just being made")
        #expect(words.contains { $0.hasPrefix("cancel") })
        #expect(stage.machine.places == [ProvisionedStage.uri("c2")])
    }

    @Test func `a reconnect that leads to the fresh channel replaces the old one`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.ready() + stage.willReconnect(.tokenRevoked)
        #expect(stage.missed(at: "c2") == ["gone tokenRevoked"])
        #expect(stage.recovered(.reconnect, at: "c2") == ["call 7 DELETE with 1", "recovered replacement"])
    }

    @Test func `a gap of a move replaces nothing`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.ready()
        #expect(stage.missed(at: "c2") == [])
        #expect(stage.recovered(.rollover, at: "c2").last == "recovered rollover")
    }

    @Test func `a reconnect that leads back does not end the move`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.ready() + stage.willReconnect()
        #expect(stage.missed(at: "c1") == [])
        #expect(stage.recovered(.reconnect, at: "c1") == ["recovered reconnect"])
        #expect(stage.recovered(.rollover, at: "c2").first == "call 7 DELETE with 1")
    }

    @Test func `a channel that is gone while a fresh one is being made is replaced by that one`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.answer()
        let words = stage.failed(.httpNotFound, after: 1)
        #expect(words == ["gone httpNotFound", "reconnect #1 httpNotFound", "limit 5"])
        #expect(stage.ready() == ["made 1/1", "call 6 PUT with 2", "open c2"])
        #expect(stage.subscribed() == ["gap httpNotFound", "recovered replacement"])
    }

    @Test func `a channel that is gone during the rollover is replaced by another one`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.ready()
        let words = stage.failed(.httpNotFound, after: 1)
        #expect(words == ["gone httpNotFound", "call 7 DELETE with 2", "reconnect #1 httpNotFound"])
        #expect(stage.run(1) == ["call 8 GET list"])
        #expect(stage.ready().last == "open c3")
    }

    // MARK: - Topics

    @Test func `a refusal is not reported again after a move`() {
        var stage = ProvisionedStage()
        let verdicts = [
            TopicVerdict("v2.users.1.presence", isPermitted: false),
            TopicVerdict("v2.users.2?presence&routingStatus", isPermitted: true),
        ]
        _ = stage.start() + stage.answer() + stage.answer() + stage.answer(.topics(verdicts)) + stage.subscribed()
        _ = stage.note(stage.machine.tokenChanged(to: stage.token))
        #expect(stage.rejections.count == 1)
        _ = stage.renewToken() + stage.answer() + stage.answer()
        #expect(stage.open.last?.call == .setTopics(ProvisionedStage.topics, of: SecretBytes("c2")), "asked for again")
        #expect(stage.answer(.topics(verdicts)) == ["rollover c2"])
        #expect(stage.rejections.count == 1)
    }

    @Test func `a topic that is refused again after it was permitted is reported again`() {
        var stage = ProvisionedStage(topics: ["v2.a.b", "v2.c.d"])
        let refused = [TopicVerdict("v2.a.b", isPermitted: true), TopicVerdict("v2.c.d", isPermitted: false)]
        _ = stage.start() + stage.answer() + stage.answer() + stage.answer(.topics(refused)) + stage.subscribed()
        for (isRefused, count) in [(false, 1), (true, 2), (true, 2)] {
            _ = stage.moveNow() + stage.answer() + stage.answer()
            _ = stage.answer(isRefused ? .topics(refused) : nil)
            _ = stage.recovered(.rollover, at: stage.latest)
            #expect(stage.rejections.count == count)
        }
    }

    @Test func `a topic that is removed while it is being refused, and added again, is asked for again`() {
        var stage = ProvisionedStage.live(topics: ["v2.a.b"])
        _ = stage.want(["v2.a.b", "v2.c.d"])
        _ = stage.moveNow() + stage.answer() + stage.answer()
        _ = stage.want(["v2.a.b"])
        #expect(stage.answer(.topics([TopicVerdict("v2.a.b", isPermitted: true)])) == ["rollover c2"])
        _ = stage.recovered(.rollover, at: "c2")
        #expect(stage.rejections.isEmpty, "nobody wants it")
        #expect(stage.want(["v2.a.b", "v2.c.d"]) == [#"set ["b", "d"]"#])
        // The same while the channel is on its way.
        _ = stage.moveNow() + stage.answer() + stage.answer()
        _ = stage.answer(.topics([TopicVerdict("v2.a.b", isPermitted: true)]))
        #expect(stage.rejections.count == 1)
        _ = stage.want(["v2.a.b"]) + stage.want(["v2.a.b", "v2.c.d"])
        _ = stage.recovered(.rollover, at: "c3")
        #expect(stage.channelTopics == ["v2.a.b", "v2.c.d"])
    }

    @Test func `a combined topic that is removed and added again has its refused name reported again`() {
        let topic: Topic = "v2.users.2?presence&routingStatus"
        var stage = ProvisionedStage(topics: [topic])
        let verdicts = [
            TopicVerdict(topic, isPermitted: true), TopicVerdict("v2.users.2.presence", isPermitted: false),
        ]
        _ = stage.start() + stage.answer() + stage.answer() + stage.answer(.topics(verdicts)) + stage.answer()
        _ = stage.subscribed() + stage.want([]) + stage.want([topic])
        _ = stage.moveNow() + stage.answer() + stage.answer() + stage.answer(.topics(verdicts))
        #expect(stage.answer().contains { $0.hasPrefix("rejected") })
        #expect(stage.rejections.count == 2)
    }

    @Test func `a topic that is permitted since is subscribed after the move`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.answer() + stage.answer()
        _ = stage.answer(.topics([TopicVerdict("v2.users.1.presence", isPermitted: true)])) + stage.subscribed()
        #expect(stage.channelTopics == ["v2.users.1.presence"])
        _ = stage.note(stage.machine.tokenChanged(to: stage.token)) + stage.renewToken() + stage.ready()
        #expect(stage.channelTopics == ["v2.users.1.presence"])
        _ = stage.recovered(.rollover, at: "c2")
        #expect(stage.channelTopics == ProvisionedStage.topics)
    }

    @Test func `a topic that is refused since is given up before the move`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken() + stage.answer() + stage.answer()
        let words = stage.answer(.topics([TopicVerdict("v2.users.1.presence", isPermitted: true)]))
        #expect(words.suffix(2) == [#"set ["presence"]"#, "rollover c2"])
        #expect(stage.channelTopics == ["v2.users.1.presence"])
    }

    @Test func `a combined topic that is refused in part since goes on with its other names`() {
        var stage = ProvisionedStage.live(topics: ["v2.users.2?presence&routingStatus"])
        _ = stage.renewToken() + stage.answer() + stage.answer()
        let verdicts = [
            TopicVerdict("v2.users.2?presence&routingStatus", isPermitted: true),
            TopicVerdict("v2.users.2.presence", isPermitted: false),
        ]
        _ = stage.answer(.topics(verdicts))
        #expect(stage.answer().suffix(2) == [#"set ["routingStatus"]"#, "rollover c2"])
    }

    @Test func `all topics refused since: the move fails, and the old channel goes on`() {
        var stage = ProvisionedStage.live(topics: ["v2.a.b"])
        _ = stage.renewToken() + stage.answer() + stage.answer()
        #expect(
            stage.answer(.topics([TopicVerdict("v2.a.b", isPermitted: false)])) == [
                #"rejected ["v2.a.b"]"#, "call 7 DELETE with 2", "rolloverFailed subscriptionRefused",
            ])
        #expect(stage.channelTopics == ["v2.a.b"])
        #expect(stage.machine.state == .live)
    }

    @Test func `a topic that is removed during a move is removed from the fresh channel too`() {
        var stage = ProvisionedStage.live(topics: ["v2.a.b", "v2.c.d"])
        _ = stage.renewToken() + stage.answer() + stage.answer()
        #expect(stage.want(["v2.a.b"]) == [#"set ["b"]"#])
        _ = stage.answer()
        let words = stage.recovered(.rollover, at: "c2")
        #expect(words.filter { $0.hasPrefix("set") } == [#"set ["b", "d"]"#, #"set ["b"]"#])
    }

    @Test func `a topic that is added during a move is added to the fresh channel by the WebSocket`() {
        var stage = ProvisionedStage.live(topics: ["v2.a.b"])
        _ = stage.renewToken() + stage.answer() + stage.answer()
        #expect(stage.want(["v2.a.b", "v2.c.d"]) == [#"set ["b", "d"]"#])
        _ = stage.answer()
        #expect(!stage.recovered(.rollover, at: "c2").contains { $0.hasPrefix("set") })
        #expect(stage.channelTopics == ["v2.a.b", "v2.c.d"])
    }

    // MARK: - Counts

    @Test func `counts go on across channels`() {
        var stage = ProvisionedStage.live()
        var recovery = Recovery(method: .reconnect, attemptCount: 3, reconnectCount: 2, extensionCount: 1)
        _ = stage.note(stage.machine.channelRecovered(recovery, at: ProvisionedStage.uri("c1"), now: stage.now.instant))
        #expect(stage.recoveries.last == recovery)
        _ = stage.failed(.httpNotFound, after: 1) + stage.run(1) + stage.ready() + stage.subscribed()
        #expect(
            stage.recoveries.last
                == Recovery(
                    method: .replacement, attemptCount: 1, reconnectCount: 3, extensionCount: 1))
        recovery = Recovery(method: .rollover, rolloverCount: 1)
        _ = stage.note(stage.machine.channelRecovered(recovery, at: ProvisionedStage.uri("c2"), now: stage.now.instant))
        #expect(
            stage.recoveries.last
                == Recovery(
                    method: .rollover, reconnectCount: 3, rolloverCount: 1, extensionCount: 1))
    }
}
