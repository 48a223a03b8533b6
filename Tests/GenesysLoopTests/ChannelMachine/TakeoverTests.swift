import Testing

@testable import GenesysLoop

@Suite struct TakeoverTests {
    /// Recovers from the loss of `link`, and stays connected for `time`.
    private func recover(_ stage: inout Stage, from link: UInt32, living time: Duration = .seconds(3)) {
        stage.wait(.seconds(10))
        stage.connect(LinkID(rawValue: link + 1))
        stage.live(time)
    }

    @Test func `two clients that steal one channel from each other are told so`() {
        var stage = Stage.live()
        stage.live(.seconds(3))
        for link in 1...4 as ClosedRange<UInt32> {
            #expect(stage.ended(LinkID(rawValue: link), .closed(1000)).attempts.count == 1)
            recover(&stage, from: link)
        }
        let end = stage.ended(LinkID(rawValue: 5), .closed(1000))
        #expect(words(end) == "failed recovery.reconnect channelTakenOver")
        stage.check()
    }

    @Test func `the failure has the reason of the last Close frame`() {
        var stage = Stage.live()
        stage.live(.seconds(3))
        for link in 1...4 as ClosedRange<UInt32> {
            _ = stage.ended(LinkID(rawValue: link), .closed(1000))
            recover(&stage, from: link)
        }
        let frame = CloseFrame(code: .normal, reason: "moved", safeReason: "moved")
        let end = stage.ended(LinkID(rawValue: 5), LinkEnd(.closed(frame, during: .open)))
        guard case .finish(.failed(let failure))? = end.last else {
            Issue.record("not a failure: \(end)")
            return
        }
        #expect(failure.description.contains("takes it over again and again: “moved”."))
    }

    @Test func `a channel that yields ends with the first takeover`() {
        var closed = Stage.live { $0.takeover = .yield }
        closed.live(.seconds(3))
        let end = closed.ended(.first, .closed(1000))
        #expect(words(end) == "failed receive channelTakenOver")
        #expect(end.failure?.description.contains("has taken it over") == true)
        closed.check()
        for topic in [SystemTopic.duplicateID, .noLongerSubscribed] {
            var told = Stage.live { $0.takeover = .yield }
            told.live(.seconds(60))
            #expect(words(told.system(topic, .first)) == "retire 1, failed receive channelTakenOver")
            told.check()
        }
    }

    @Test(arguments: [LinkEnd.reset, .closed(1012), .closed(1013), .failure(.timeout, .open)])
    func `a channel that yields returns after any other loss`(_ end: LinkEnd) {
        var stage = Stage.live { $0.takeover = .yield }
        for link in 1...3 as ClosedRange<UInt32> {
            #expect(stage.ended(LinkID(rawValue: link), end).attempts.count == 1)
            recover(&stage, from: link)
        }
        stage.live(.seconds(11))
        #expect(stage.ended(LinkID(rawValue: 4), .closed(1000)).attempts.count == 1, "long after the confirmation")
    }

    @Test func `a channel that yields does not yield to its own second socket, nor to maintenance`() {
        var stage = Stage.live { $0.takeover = .yield }
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.system(.duplicateID, .first) == [])
        stage.accept(.second)
        #expect(stage.system(.noLongerSubscribed, .first) == [])
        stage.ended(.first, .closed(1000))
        #expect(stage.machine.state == .live)
        var closing = Stage.live {
            $0.takeover = .yield
            $0.rollover = .manual
        }
        closing.socketClosing(.first)
        #expect(closing.ended(.first, .closed(1001)).attempts.count == 1)
    }

    @Test(arguments: [LinkEnd.reset, .closed(1012), .closed(1013), .failure(.timeout, .open)])
    func `a restarting service or a bad network is no thief`(_ end: LinkEnd) {
        var stage = Stage.live()
        for link in 1...7 as ClosedRange<UInt32> {
            #expect(stage.ended(LinkID(rawValue: link), end).attempts.count == 1)
            recover(&stage, from: link)
        }
    }

    @Test func `a Close frame long after the confirmation is no theft`() {
        var stage = Stage.live()
        stage.live(.seconds(11))
        for link in 1...6 as ClosedRange<UInt32> {
            #expect(stage.ended(LinkID(rawValue: link), .closed(1000)).attempts.count == 1)
            recover(&stage, from: link, living: .seconds(11))
        }
    }

    @Test func `an announced Close frame is no theft`() {
        var stage = Stage.live { $0.rollover = .manual }
        for link in 1...6 as ClosedRange<UInt32> {
            stage.socketClosing(LinkID(rawValue: link))
            #expect(stage.ended(LinkID(rawValue: link), .closed(1001)).attempts.count == 1)
            recover(&stage, from: link)
        }
    }

    @Test func `thefts more than two minutes apart are forgotten`() {
        var takeover = Takeover()
        var now = Instant(nanoseconds: 0)
        for _ in 0..<20 {
            #expect(takeover.lossCounted(now: now) == false)
            now = now + .seconds(31)
        }
        var quick = Takeover()
        let verdicts = (0..<5).map { quick.lossCounted(now: now + .seconds(30 * $0)) }
        #expect(verdicts == [false, false, false, false, true])
    }

    @Test(arguments: [SystemTopic.duplicateID, .noLongerSubscribed])
    func `a stolen subscription is asked for again, with the gap reported`(_ topic: SystemTopic) {
        var stage = Stage.live()
        stage.live(.seconds(60))
        let lastHeard = stage.now.wall
        stage.block(.seconds(2))
        #expect(words(stage.system(topic, .first)) == "subscribe 1")
        stage.block(.milliseconds(100))
        let actions = stage.accept(.first)
        #expect(actions == [.tell(.didMiss(Gap(from: lastHeard, to: stage.now.wall, reason: .channelTakenOver)))])
    }

    @Test func `one theft told twice is one theft`() {
        var stage = Stage.live()
        for _ in 0..<4 {
            #expect(words(stage.system(.duplicateID, .first)) == "subscribe 1")
            #expect(stage.system(.noLongerSubscribed, .first) == [])
            stage.accept(.first)
            stage.live(.seconds(1))
        }
        #expect(
            words(stage.system(.noLongerSubscribed, .first)) == "retire 1, failed recovery.reconnect channelTakenOver")
        stage.check()
    }

    @Test func `a theft while the subscription is asked for again is another one, with a gap of its own`() {
        var stage = Stage.live()
        stage.live(.seconds(60))
        stage.system(.noLongerSubscribed, .first)
        stage.block(.seconds(1))
        #expect(words(stage.system(.noLongerSubscribed, .first)) == "subscribe 1")
        #expect(stage.system(.duplicateID, .first) == [])
        #expect(stage.accept(.first).gaps.count == 1)
        stage.block(.seconds(1))
        let second = stage.accept(.first).gaps
        #expect(second.map(\.to) == [stage.now.wall], "what the first answer says was not true any longer")
        stage.system(.noLongerSubscribed, .first)
        stage.system(.noLongerSubscribed, .first)
        #expect(stage.system(.noLongerSubscribed, .first).failure?.reason == .channelTakenOver)
        stage.check()
    }

    @Test func `the Close frame of a theft is not a second one`() {
        var stage = Stage.live()
        for link in 1...4 as ClosedRange<UInt32> {
            stage.system(.duplicateID, LinkID(rawValue: link))
            #expect(stage.ended(LinkID(rawValue: link), .closed(1000)).attempts.count == 1)
            recover(&stage, from: link)
        }
    }

    @Test func `the gap of a theft that ends in a loss begins with the theft`() {
        var stage = Stage.live()
        stage.live(.seconds(60))
        let lastHeard = stage.now.wall
        stage.block(.seconds(1))
        stage.system(.duplicateID, .first)
        stage.block(.seconds(1))
        stage.heard(.first)
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        #expect(stage.connect(.second).gaps.first?.from == lastHeard)
        stage.check()
    }

    @Test func `a subscription that is not given back is a loss, and a refusal is final`() {
        var unanswered = Stage.live()
        unanswered.system(.duplicateID, .first)
        let theft = unanswered.now.wall
        unanswered.wait(.seconds(4))
        unanswered.heard(.first)
        #expect(words(unanswered.wait(.seconds(6))) == "subscribe 1, retire 1, willReconnect #1 subscriptionTimeout")
        unanswered.wait(.seconds(1))
        #expect(unanswered.connect(.second).gaps.first?.from == theft)
        var refused = Stage.live()
        refused.system(.duplicateID, .first)
        #expect(words(refused.refuse(.first)) == "retire 1, failed recovery.reconnect subscriptionRefused")
        refused.check()
    }

    @Test func `a changed subscription is set right without a gap`() {
        var stage = Stage.live()
        #expect(words(stage.system(.subscriptionChanged, .first)) == "subscribe 1")
        #expect(stage.system(.subscriptionChanged, .first) == [])
        #expect(stage.accept(.first) == [])
    }

    @Test func `a service that changes the subscriptions all the time is asked every ten seconds`() {
        var stage = Stage.live()
        let start = stage.now.instant
        var sent: [Duration] = []
        for _ in 0..<100 {
            let actions = stage.wait(.milliseconds(250)) + stage.system(.subscriptionChanged, .first)
            if actions.contains(word: "subscribe 1") { sent.append(stage.now.instant - start) }
            stage.accept(.first)
        }
        #expect(sent == [.milliseconds(250), .milliseconds(10_250), .milliseconds(20_250)])
        #expect(words(stage.wait(.seconds(10))) == "subscribe 1", "the last change is not forgotten")
        stage.accept(.first)
        #expect(stage.wait(.seconds(20)) == [])
        stage.check()
    }

    @Test func `a refresh that waited is done by a new connection`() {
        var stage = Stage.live()
        for _ in 0..<2 {
            stage.system(.subscriptionChanged, .first)
            stage.accept(.first)
        }
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        stage.connect(.second)
        #expect(stage.wait(.seconds(20)) == [])
    }

    @Test func `a channel that is taken before its confirmation is heard is asked for again`() {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        stage.opened(.second)
        stage.system(.noLongerSubscribed, .second)
        #expect(words(stage.accept(.second)) == "didMiss, didRecover reconnect, subscribe 2")
        #expect(stage.accept(.second).gaps.map(\.reason) == [.channelTakenOver])
        #expect(stage.wait(.seconds(20)) == [])
        stage.check()
    }

    @Test(arguments: [false, true])
    func `a stolen subscription that was not given back before a rollover leaves a gap`(_ isDrained: Bool) {
        var stage = Stage.live()
        stage.live(.seconds(60))
        let lastHeard = stage.now.wall
        stage.block(.seconds(2))
        stage.system(.noLongerSubscribed, .first)
        stage.announceMaintenance()
        stage.opened(.second)
        if isDrained {
            stage.accept(.second)
            stage.pong(.first)
        }
        stage.ended(.first, .closed(1000))
        stage.accept(.second)
        #expect(stage.log.gaps.map(\.from) == [lastHeard], "an orderly end gives nothing back")
        stage.check()
    }

    @Test func `our own second socket is no thief`() {
        var stage = Stage.live()
        for _ in 0..<8 {
            stage.announceMaintenance()
            let old = stage.machine.current?.id ?? .stranger
            let new = stage.machine.candidate?.id ?? .stranger
            stage.opened(new)
            #expect(stage.system(.duplicateID, old) == [])
            stage.accept(new)
            #expect(stage.system(.noLongerSubscribed, old) == [])
            stage.ended(old, .closed(1000))
            stage.live(.seconds(1))
        }
        #expect(stage.machine.state == .live)
        #expect(stage.log.gaps == [])
    }

    @Test func `what our own failed socket took is asked for again`() {
        var stage = Stage.live()
        stage.live(.seconds(20))
        let lastHeard = stage.now.wall
        stage.announceMaintenance()
        stage.opened(.second)
        stage.block(.seconds(1))
        stage.system(.duplicateID, .first)
        #expect(words(stage.ended(.second, .reset)) == "didFailRollover connectionClosed, subscribe 1")
        #expect(stage.accept(.first).gaps.first?.from == lastHeard)
    }

    @Test func `the gap of what our own socket took begins with that when the old one is lost as well`() {
        var stage = Stage.live()
        stage.live(.seconds(20))
        let lastHeard = stage.now.wall
        stage.rollover(to: .other)
        stage.opened(.second)
        stage.block(.seconds(1))
        stage.system(.duplicateID, .first)
        stage.block(.seconds(1))
        stage.heard(.first)
        stage.ended(.first, .reset)
        #expect(stage.accept(.second).gaps.first?.from == lastHeard)
    }

    @Test func `a revoked token ends the channel whatever the policy`() {
        var stage = Stage.live()
        let end = stage.system(.tokenRevoked, .first, "user_tokens_revoked")
        #expect(words(end) == "retire 1, failed receive tokenRevoked")
        #expect(end.failure?.message == "user_tokens_revoked")
    }

    @Test func `the old token's revocation does not end a move to a channel with a new one`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.opened(.second)
        #expect(words(stage.system(.tokenRevoked, .first)) == "retire 1, willReconnect #1 tokenRevoked")
        #expect(stage.accept(.second).gaps.count == 1)

        var draining = Stage.live()
        draining.rollover(to: .other)
        draining.connect(.second)
        draining.pong(.first)
        #expect(words(draining.system(.tokenRevoked, .first)) == "retire 1, didRecover rollover, resume 2")
        draining.check()
        stage.check()
    }

    @Test func `a new channel whose token is revoked is a failed rollover`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.opened(.second)
        #expect(words(stage.system(.tokenRevoked, .second)) == "retire 2, didFailRollover tokenRevoked")
        #expect(stage.machine.state == .live)
    }
}
