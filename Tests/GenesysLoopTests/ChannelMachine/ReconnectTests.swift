import Testing

@testable import GenesysLoop

@Suite struct ReconnectTests {
    @Test func `a lost channel comes back subscribed, and says what may be missing`() {
        var stage = Stage.live()
        stage.live(.seconds(90))
        let known = stage.now.wall
        stage.live(.seconds(10))
        stage.block(.seconds(4))
        let loss = stage.ended(.first, .reset)
        #expect(loss.attempts.map(\.number) == [1])
        #expect(loss.attempts.first?.failure.kind == .receive)
        #expect(words(stage.wait(.seconds(1))) == "connect 2 to 0")
        #expect(words(stage.opened(.second)) == "subscribe 2")
        stage.block(.milliseconds(30))
        let back = stage.accept(.second)
        #expect(back.gaps == [Gap(from: known, to: stage.now.wall, reason: .connectionClosed)])
        #expect(words(back) == "didMiss, didRecover reconnect")
        #expect(back.recoveries.first?.reconnectCount == 1)
        stage.check()
    }

    @Test func `an outage of many attempts is one gap`() {
        var stage = Stage.live()
        let lastHeard = stage.now.wall
        stage.ended(.first, .reset)
        for link in 2...6 as ClosedRange<UInt32> {
            stage.wait(.seconds(20))
            stage.ended(LinkID(rawValue: link), link % 2 == 0 ? .refused : .status(503))
        }
        stage.wait(.seconds(20))
        let back = stage.connect(LinkID(rawValue: 7))
        #expect(back.gaps == [Gap(from: lastHeard, to: stage.now.wall, reason: .connectionClosed)])
        #expect(back.recoveries.first?.attemptCount == 6)
        #expect(stage.log.gaps.count == 1)
        stage.check()
    }

    @Test func `with the policy never, a loss is the end and is called one`() {
        var stage = Stage.live { $0.reconnect = .never }
        let end = stage.ended(.first, .reset)
        #expect(words(end) == "failed receive connectionClosed")
    }

    @Test func `with the policy once, an outage has one attempt`() {
        var stage = Stage.live { $0.reconnect = .once }
        stage.live(.seconds(100))
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        #expect(words(stage.ended(.second, .status(503))) == "failed recovery.reconnect invalidStatusCode")
    }

    @Test func `with the policy once, an outage soon after a recovery is the same one`() {
        var stage = Stage.live { $0.reconnect = .once }
        stage.live(.seconds(100))
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        stage.connect(.second)
        stage.live(.seconds(59))
        #expect(words(stage.ended(.second, .reset)) == "failed recovery.reconnect connectionClosed")
    }

    @Test func `with the policy once, a later outage has an attempt of its own`() {
        var stage = Stage.live { $0.reconnect = .once }
        stage.live(.seconds(100))
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        stage.connect(.second)
        stage.live(.seconds(60))
        #expect(stage.ended(.second, .reset).attempts.count == 1)
    }

    @Test func `a service that accepts and dies is not contacted ever more often`() {
        var stage = Stage.live(seed: 3)
        stage.live(.seconds(100))
        let start = stage.now.instant
        var link: UInt32 = 1
        var end: [ChannelMachine.Action] = []
        while end.failure == nil, link < 3_000 {
            end = stage.ended(LinkID(rawValue: link), .reset)
            stage.wait(.seconds(90))
            link += 1
            guard stage.ledger.alive.contains(LinkID(rawValue: link)) else { break }
            stage.connect(LinkID(rawValue: link))
        }
        #expect(link < 20, "a storm of \(link) connections")
        #expect(end.failure?.kind == .reconnect)
        #expect(stage.now.instant - start <= .seconds(17 * 60))
    }

    @Test func `an outage is given up after a quarter of an hour`() {
        var stage = Stage.live()
        stage.live(.seconds(100))
        let start = stage.now.instant
        var end = stage.ended(.first, .reset)
        while end.failure == nil {
            stage.wait(.milliseconds(500))
            guard let link = stage.ledger.alive.first else { continue }
            end = stage.ended(link, .refused)
        }
        #expect(end.failure?.kind == .reconnect)
        #expect(end.failure?.reason == .connect)
        #expect(stage.now.instant - start == .seconds(15 * 60), "the last attempt starts at the total's end")
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `a delay beyond what is left of a total is cut to it`(seed: UInt64) {
        var backoff = ReconnectPolicy.Backoff()
        backoff.initialTotal = .seconds(30)
        backoff.outageTotal = .seconds(200)
        var reconnect = Reconnect(policy: .backoff(backoff))
        var random = SplitMix64(seed: seed)
        let start = Instant(nanoseconds: 1_000)
        reconnect.opened(now: start)
        var now = start
        while case .attempt(_, let delay) = reconnect.attemptFailed(retryAfter: nil, now: now, random: &random) {
            now = now + delay
        }
        #expect(now - start == .seconds(30))
        reconnect.recovered(now: now)
        now = now + .seconds(100)
        let lost = now
        var decision = reconnect.lost(now: now, random: &random)
        while case .attempt(_, let delay) = decision {
            now = now + delay
            decision = reconnect.attemptFailed(retryAfter: nil, now: now, random: &random)
        }
        #expect(now - lost == .seconds(200))
    }

    @Test func `Retry-After may lead to the end of a total, and no further`() {
        for (retryAfter, isTried) in [(60, true), (61, false)] {
            var random = SplitMix64(seed: 1)
            var reconnect = Reconnect(policy: .backoff(.init()))
            reconnect.opened(now: Instant(nanoseconds: 0))
            let decision = reconnect.attemptFailed(
                retryAfter: .seconds(retryAfter), now: Instant(nanoseconds: 0), random: &random)
            #expect(decision == (isTried ? .attempt(number: 1, delay: .seconds(60)) : .giveUp))
        }
    }

    @Test func `without a limit an outage is not given up`() {
        var backoff = ReconnectPolicy.Backoff()
        backoff.outageTotal = nil
        var reconnect = Reconnect(policy: .backoff(backoff))
        var random = SplitMix64(seed: 1)
        reconnect.opened(now: Instant(nanoseconds: 0))
        reconnect.recovered(now: Instant(nanoseconds: 0))
        let now = Instant(nanoseconds: 0) + .seconds(10_000_000)
        #expect(reconnect.lost(now: Instant(nanoseconds: 0), random: &random) != .giveUp)
        #expect(reconnect.attemptFailed(retryAfter: .seconds(3_600), now: now, random: &random) != .giveUp)
    }

    @Test func `Retry-After beyond what is left ends an outage at once`() {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        #expect(stage.ended(.second, .status(503, retryAfter: .seconds(600))).attempts.first?.delay == .seconds(600))
        stage.wait(.seconds(600))
        let end = stage.ended(.third, .status(503, retryAfter: .seconds(400)))
        #expect(words(end) == "failed recovery.reconnect invalidStatusCode")
    }

    @Test(arguments: [
        LinkEnd.status(401), .status(403), .status(404),
        LinkEnd(failure: ChannelFailure(reason: .tlsExpired, phase: .tls, isCertificateFault: true)),
    ])
    func `a decision of the service is final on a reconnect`(_ end: LinkEnd) {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        let failure = stage.ended(.second, end).failure
        #expect(failure?.kind == .reconnect)
        #expect(failure?.reason == end.failure.reason)
    }

    @Test(arguments: [(400, FailureReason.subscriptionRefused), (404, .httpNotFound), (401, .httpUnauthorized)])
    func `a refused resubscription is final`(status: Int, reason: FailureReason) {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        stage.opened(.second)
        let end = stage.refuse(.second, status)
        #expect(words(end) == "retire 2, failed recovery.reconnect \(reason)")
    }

    @Test func `an unanswered resubscription is one more failed attempt`() {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        stage.opened(.second)
        let actions = stage.wait(.seconds(10))
        #expect(words(actions) == "subscribe 2, retire 2, willReconnect #2 subscriptionTimeout")
        stage.check()
    }

    @Test func `broken rules after the confirmation are a loss like any other`() {
        var stage = Stage.live()
        #expect(stage.ended(.first, .failure(.protocolViolation, .open)).attempts.count == 1)
        stage.wait(.seconds(1))
        #expect(stage.ended(.second, .failure(.invalidHandshake, .upgrade)).attempts.count == 1)
    }

    @Test func `a message over the limit is final, because a reconnect would meet it again`() {
        var stage = Stage.live()
        #expect(words(stage.ended(.first, .failure(.messageTooLarge, .open))) == "failed receive messageTooLarge")
    }

    @Test func `a Close frame is a loss like any other, whatever its code`() {
        for code in [1000, 1001, 1005, 1011, 1012, 4001] as [UInt16] {
            var stage = Stage.live()
            stage.live(.seconds(30))
            #expect(stage.ended(.first, .closed(code)).attempts.count == 1)
        }
    }

    @Test func `a new URI during an outage is tried at once`() {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        #expect(words(stage.rollover(to: .other)) == "connect 2 to 1")
        #expect(stage.connect(.second).gaps.count == 1)
        stage.ended(.second, .reset)
        #expect(words(stage.wait(.seconds(5))) == "connect 3 to 1")
    }

    @Test func `a refused new URI during an outage does not end the channel that was lost`() {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        stage.rollover(to: .other)
        let actions = stage.ended(.second, .status(404))
        #expect(words(actions) == "didFailRollover httpNotFound, willReconnect #2 httpNotFound")
        #expect(words(stage.wait(.seconds(5))) == "connect 3 to 0")
        #expect(stage.ended(.third, .status(404)).failure?.kind == .reconnect)
    }

    @Test func `once confirmed elsewhere, the channel that was lost before is forgotten`() {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        stage.rollover(to: .other)
        stage.connect(.second)
        stage.live(.seconds(100))
        stage.ended(.second, .reset)
        stage.wait(.seconds(1))
        #expect(words(stage.ended(.third, .status(404))) == "failed recovery.reconnect httpNotFound")
    }

    @Test func `delays are random, grow, and keep to floor and cap`() {
        var random = SplitMix64(seed: 1)
        let backoff = ReconnectPolicy.Backoff()
        for attempt in 0..<40 {
            let upper = min(.seconds(90), .milliseconds(500) * (1 << min(attempt, 10)))
            let delays = (0..<200).map { _ in backoff.delay(attempt: attempt, random: &random) }
            #expect(delays.allSatisfy { $0 >= .milliseconds(100) && $0 <= upper })
            #expect(Set(delays).count > 150)
            #expect(delays.max()! > upper * 0.8)
            #expect(delays.min()! < upper * 0.3)
        }
    }

    @Test func `settings without sense do not trap`() {
        var random = SplitMix64(seed: 1)
        var backoff = ReconnectPolicy.Backoff()
        backoff.base = .seconds(Int64.max)
        backoff.cap = .seconds(Int64.max)
        backoff.floor = .seconds(-1)
        #expect(backoff.delay(attempt: 1_000, random: &random) >= .zero)
        backoff.base = .seconds(-5)
        backoff.cap = .seconds(-5)
        #expect(backoff.delay(attempt: 1_000, random: &random) == .zero)
        backoff.floor = .seconds(5)
        #expect(backoff.delay(attempt: 3, random: &random) == .seconds(5))
    }
}
