import Testing

@testable import GenesysLoop

/// When the machine stops to look for copies of what the other socket of an overlap delivered.
@Suite struct EchoTests {
    /// The second link has taken over; the first one delivered `count` identical notifications during the overlap.
    private func handedOver(_ count: Int = 2) -> Stage {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.wait(.milliseconds(50))
        stage.opened(.second)
        stage.wait(.milliseconds(50))
        for _ in 0..<count { #expect(stage.message(.first, 1) == .deliver) }
        stage.accept(.second)
        stage.ended(.first, .closed(1000))
        #expect(stage.machine.state == .live)
        return stage
    }

    @Test func `repeats on the new socket are delivered once it has answered`() {
        var stage = handedOver()
        #expect(words(stage.log.suffix(1)) == "ping 2")
        stage.wait(.milliseconds(50))
        stage.pong(.second)
        stage.wait(.seconds(4))
        for _ in 0..<3 { #expect(stage.message(.second, 1) == .deliver) }
        #expect(stage.machine.overlap.deduplicator.mergedCount == 0)
        stage.check()
    }

    @Test func `copies on a stalled path are recognized however late they come`() {
        var stage = handedOver()
        stage.wait(.seconds(20))
        stage.heard(.second)
        for _ in 0..<2 { #expect(stage.message(.second, 1) == .ignore) }
        stage.machine.pongReceived(on: .second, now: stage.now)
        #expect(stage.message(.second, 1) == .deliver, "the service sent it after the pong")
    }

    @Test func `the same read may hold copies, the pong, and genuine repeats`() {
        var stage = handedOver()
        stage.wait(.milliseconds(80))
        stage.heard(.second)
        #expect(stage.message(.second, 1) == .ignore)
        stage.machine.pongReceived(on: .second, now: stage.now)
        #expect(!stage.machine.wantsFingerprints)
        #expect(stage.machine.deliversDirectly(on: .second))
        #expect(stage.message(.second, 1) == .deliver)
    }

    @Test func `a pong that answers an earlier ping does not end the echo`() {
        var stage = Stage.live()
        stage.wait(.seconds(36))
        stage.rollover(to: .other)
        stage.opened(.second)
        #expect(stage.message(.first, 1) == .deliver)
        #expect(stage.message(.second, 2) == .hold)
        stage.ended(.second, .reset)
        #expect(words(stage.log.suffix(1)) == "ping 1")
        stage.pong(.first)
        #expect(stage.machine.wantsFingerprints, "this one answers the watchdog")
        stage.pong(.first)
        #expect(!stage.machine.wantsFingerprints)
    }

    @Test func `a service that does not answer is given five seconds`() {
        var stage = handedOver()
        for _ in 0..<4 { stage.live(.seconds(1)) }
        stage.live(.milliseconds(999))
        #expect(stage.message(.second, 1) == .ignore)
        stage.live(.milliseconds(1))
        #expect(!stage.machine.wantsFingerprints)
        #expect(stage.message(.second, 1) == .deliver)
    }

    @Test func `an overlap in which nothing came needs no answer`() {
        let stage = handedOver(0)
        #expect(!stage.machine.wantsFingerprints)
        #expect(!words(stage.log).contains("ping 2"))
        #expect(stage.machine.overlap.echoDeadline == nil)
    }

    @Test func `the socket that outlives a failed successor is asked, and copies of what was held are recognized`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.opened(.second)
        #expect(stage.message(.second, 1) == .hold)
        #expect(words(stage.ended(.second, .reset)) == "release 2, didFailRollover connectionClosed, ping 1")
        #expect(stage.released(.second, 1) == .deliver)
        #expect(stage.message(.first, 1) == .ignore)
        stage.pong(.first)
        #expect(stage.message(.first, 1) == .deliver)
    }

    @Test func `an outage that began in a rollover ends with the question as well`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.message(.first, 1) == .deliver)
        stage.ended(.first, .reset)
        #expect(stage.message(.second, 1) == .ignore)
        #expect(words(stage.accept(.second)) == "didMiss, didRecover reconnect, ping 2")
        stage.pong(.second)
        #expect(stage.message(.second, 1) == .deliver)
    }

    @Test func `a pause does not shorten the echo`() {
        var stage = handedOver()
        stage.wait(.seconds(1))
        stage.pause()
        stage.wait(.seconds(60))
        stage.resume()
        stage.heard(.second)
        #expect(stage.message(.second, 1) == .ignore)
        stage.machine.pongReceived(on: .second, now: stage.now)
        #expect(!stage.machine.wantsFingerprints)
    }

    @Test func `the next rollover begins a new overlap, and an old answer does not end it`() {
        var stage = handedOver()
        stage.rollover(to: .other)
        stage.opened(.third)
        stage.pong(.second)
        #expect(stage.machine.wantsFingerprints)
        #expect(stage.message(.second, 5) == .deliver)
        #expect(stage.message(.third, 5) == .hold)
        stage.accept(.third)
        stage.pong(.second)
        stage.wait(.seconds(2))
        #expect(stage.released(.third, 5) == .ignore)
    }

    @Test func `the host hears of the next maintenance before the automatic rollover starts`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        stage.socketClosing(.second)
        stage.accept(.second)
        stage.pong(.first)
        stage.block(.seconds(1))
        let actions = stage.take(stage.machine.deadlineReached(now: stage.now))
        #expect(words(actions) == "retire 1, didRecover rollover, resume 2, willExpire maintenance")
        #expect(words(stage.fireTimers()) == "connect 3 to 0")
    }

    @Test(arguments: [SystemTopic.tokenRevoked, .noLongerSubscribed])
    func `whatever ends the channel, what was held for a failed successor is delivered first`(_ topic: SystemTopic) {
        var stage = Stage.live { $0.reconnect = .never }
        stage.rollover(to: .other)
        stage.opened(.second)
        #expect(stage.message(.second, 1) == .hold)
        stage.machine.loopWasLate()
        stage.ended(.second, .reset)
        #expect(stage.machine.isHolding(.second))
        let end = topic == .tokenRevoked ? stage.system(topic, .first) : stage.ended(.first, .reset)
        #expect(end.contains(.releaseHeld(.second)))
        #expect(end.failure != nil)
        #expect(end.last != .releaseHeld(.second))
        #expect(stage.released(.second, 1) == .deliver)
    }
}
