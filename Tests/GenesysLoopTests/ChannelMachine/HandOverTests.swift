import Testing

@testable import GenesysLoop

/// The old socket ends while the new one is connecting.
@Suite struct HandOverTests {
    @Test func `a service that closes the old socket when it accepted the new one leaves no gap`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.message(.second, 1) == .hold)
        #expect(words(stage.ended(.first, .closed(1000))) == "release 2")
        #expect(stage.released(.second, 1) == .deliver)
        #expect(stage.message(.second, 2) == .deliver)
        #expect(words(stage.accept(.second)) == "didRecover rollover, resume 2, ping 2")
        #expect(stage.log.gaps == [])
        #expect(stage.log.attempts == [])
        stage.check()
    }

    @Test func `the acceptance may be heard a moment after the Close frame`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.block(.milliseconds(600))
        stage.ended(.first, .closed(1000))
        stage.wait(.milliseconds(99))
        stage.connect(.second)
        #expect(stage.log.gaps == [])
        #expect(stage.log.attempts == [])
    }

    @Test func `near a service, an acceptance a tenth of a second late came after the end`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.block(.milliseconds(30))
        stage.ended(.first, .closed(1000))
        #expect(stage.wait(.milliseconds(9)) == [])
        #expect(words(stage.wait(.milliseconds(1))) == "willReconnect #1 channelClosing")
    }

    @Test func `a new socket that is not accepted soon is an outage, told and with a gap`() {
        var stage = Stage.live()
        stage.live(.seconds(30))
        stage.announceMaintenance()
        let known = stage.now.wall
        stage.live(.seconds(2))
        stage.ended(.first, .closed(1000))
        #expect(words(stage.wait(.milliseconds(100))) == "willReconnect #1 channelClosing")
        stage.wait(.seconds(2))
        let back = stage.connect(.second)
        #expect(back.gaps == [Gap(from: known, to: stage.now.wall, reason: .channelClosing)])
        #expect(words(back) == "subscribe 2, didMiss, didRecover reconnect")
        stage.check()
    }

    @Test func `an acceptance that a blocked host hears late may have come late`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.ended(.first, .closed(1000))
        stage.block(.seconds(1))
        #expect(words(stage.connect(.second)) == "subscribe 2, didMiss, didRecover rollover, resume 2")
    }

    @Test func `an old socket that breaks is an outage, and the new one is the attempt to end it`() {
        var stage = Stage.live()
        stage.live(.seconds(30))
        stage.announceMaintenance()
        let known = stage.now.wall
        stage.opened(.second)
        #expect(stage.message(.second, 1) == .hold)
        stage.live(.seconds(1))
        #expect(words(stage.ended(.first, .reset)) == "release 2, willReconnect #1 channelClosing")
        #expect(stage.released(.second, 1) == .deliver)
        let back = stage.accept(.second)
        #expect(back.gaps == [Gap(from: known, to: stage.now.wall, reason: .channelClosing)])
        stage.check()
    }

    @Test func `copies stop being looked for once the outage is over`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.message(.first, 1) == .deliver)
        stage.ended(.first, .reset)
        #expect(stage.message(.second, 1) == .ignore)
        stage.accept(.second)
        stage.live(.seconds(10))
        #expect(!stage.machine.wantsFingerprints)
        #expect(stage.message(.second, 1) == .deliver, "a genuine repeat, long after")
    }

    @Test func `the next socket after an overlap is alone and repeats nothing`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.message(.first, 1) == .deliver)
        stage.ended(.first, .reset)
        stage.ended(.second, .reset)
        stage.wait(.seconds(2))
        stage.opened(.third)
        #expect(stage.message(.third, 1) == .deliver)
    }

    @Test func `another channel does not hand over: what it did not have before its confirmation is missing`() {
        var stage = Stage.live()
        stage.live(.seconds(10))
        let known = stage.now.wall
        stage.rollover(to: .other)
        stage.opened(.second)
        stage.live(.seconds(1))
        #expect(words(stage.ended(.first, .closed(1000))) == "willReconnect #1 connectionClosed")
        #expect(stage.accept(.second).gaps == [Gap(from: known, to: stage.now.wall, reason: .connectionClosed)])
    }

    @Test func `another channel that fails in an outage is tried again`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.ended(.first, .reset)
        stage.ended(.second, .refused)
        #expect(words(stage.wait(.seconds(2))) == "connect 3 to 1")
    }

    @Test func `another channel that is refused in an outage does not end the first one`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.ended(.first, .reset)
        #expect(
            words(stage.ended(.second, .status(404))) == "didFailRollover httpNotFound, willReconnect #2 httpNotFound")
        #expect(words(stage.wait(.seconds(2))) == "connect 3 to 0")
        #expect(stage.connect(.third).gaps.count == 1)
        stage.check()
    }

    @Test func `a new socket that fails after a hand-over is a loss`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        let lastHeard = stage.now.wall
        stage.opened(.second)
        stage.ended(.first, .closed(1001))
        stage.block(.seconds(1))
        #expect(words(stage.ended(.second, .reset)) == "willReconnect #1 connectionClosed")
        stage.wait(.seconds(1))
        #expect(stage.connect(.third).gaps == [Gap(from: lastHeard, to: stage.now.wall, reason: .channelClosing)])
        stage.check()
    }

    @Test func `a service that is busy when the new socket fails is given its time`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.block(.milliseconds(300))
        stage.ended(.first, .closed(1001))
        let attempts = stage.ended(.second, .status(429, retryAfter: .seconds(30))).attempts
        #expect(attempts.map(\.delay) == [.seconds(30)])
    }

    @Test func `with the policy never, a hand-over that fails is the end`() {
        var stage = Stage.live { $0.reconnect = .never }
        stage.announceMaintenance()
        stage.opened(.second)
        stage.ended(.first, .closed(1001))
        #expect(words(stage.ended(.second, .reset)) == "failed receive connectionClosed")
    }

    @Test func `a rollover asked for during a hand-over starts when the new socket has taken over`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        stage.ended(.first, .closed(1001))
        #expect(stage.rollover(to: .other) == [])
        #expect(words(stage.accept(.second)) == "didRecover rollover, resume 2, connect 3 to 1")
        stage.connect(.third)
        stage.pong(.second)
        stage.ended(.second, .closed(1000))
        #expect(stage.machine.endpoint == .other)
        #expect(stage.log.gaps == [])
        stage.check()
    }

    @Test func `a rollover asked for during a hand-over that fails is where the channel goes`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        stage.ended(.first, .closed(1001))
        stage.rollover(to: .other)
        stage.ended(.second, .status(404))
        #expect(words(stage.wait(.seconds(1))) == "connect 3 to 1")
    }

    @Test func `a rollover asked for during a hand-over that hangs takes its place`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.ended(.first, .closed(1001))
        stage.rollover(to: .other)
        #expect(words(stage.wait(.milliseconds(100))) == "willReconnect #1 channelClosing, drop 2, connect 3 to 1")
        stage.check()
    }
}
