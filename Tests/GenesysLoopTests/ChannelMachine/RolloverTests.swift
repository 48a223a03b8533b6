import Testing

@testable import GenesysLoop

@Suite struct RolloverTests {
    @Test func `the old channel lives until the new one is confirmed`() {
        var stage = Stage.live()
        #expect(words(stage.rollover(to: .other)) == "connect 2 to 1")
        #expect(stage.message(.first, 1) == .deliver)
        stage.opened(.second)
        #expect(stage.message(.first, 2) == .deliver)
        #expect(words(stage.accept(.second)) == "pause 2, ping 1")
        #expect(stage.message(.first, 3) == .deliver)
        stage.wait(.seconds(2))
        #expect(stage.machine.current?.id == .second)
        #expect(stage.message(.first, 4) == .ignore)
        #expect(stage.log.recoveries.map(\.rolloverCount) == [1])
        stage.check()
    }

    @Test(arguments: [LinkEnd.refused, .status(401), .status(404), .failure(.tlsExpired, .tls)])
    func `a failed rollover leaves the channel as it was`(_ end: LinkEnd) {
        var stage = Stage.live()
        stage.rollover(to: .other)
        let actions = stage.ended(.second, end)
        guard case .tell(.didFailRollover(let failure)) = actions.first else { return #expect(Bool(false)) }
        #expect(failure.kind == .rollover)
        #expect(failure.reason == end.failure.reason)
        #expect(actions.count == 1)
        #expect(stage.message(.first, 1) == .deliver)
        stage.live(.seconds(100))
        stage.ended(.first, .reset)
        #expect(words(stage.wait(.seconds(1))) == "connect 3 to 0", "the URI is the old one")
        stage.check()
    }

    @Test func `a new channel that refuses the topics leaves the old one`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.opened(.second)
        #expect(words(stage.refuse(.second, 403)) == "retire 2, didFailRollover httpForbidden")
        #expect(stage.machine.state == .live)
        stage.check()
    }

    @Test func `the phase of a rollover that fails before its confirmation is the subscription`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.opened(.second)
        guard case .tell(.didFailRollover(let failure)) = stage.ended(.second, .reset).first else {
            return #expect(Bool(false))
        }
        #expect(failure.phase == .subscribe)
    }

    @Test func `a second URI takes the place of the first one under way`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        #expect(words(stage.rollover(to: .another)) == "drop 2, connect 3 to 2")
        stage.connect(.third)
        stage.wait(.seconds(2))
        #expect(stage.machine.endpoint == .another)
        stage.check()
    }

    @Test func `a URI given while the old socket is drained waits for its end`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.connect(.second)
        #expect(stage.rollover(to: .another) == [])
        stage.pong(.first)
        #expect(stage.message(.first, 1) == .deliver)
        #expect(words(stage.wait(.seconds(2))) == "retire 1, didRecover rollover, resume 2, connect 3 to 2")
        stage.check()
    }

    @Test func `a new channel that dies while the old one is drained costs only what it alone had`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.opened(.second)
        let from = stage.now.wall
        #expect(stage.message(.second, 1) == .hold)
        stage.accept(.second)
        stage.block(.milliseconds(500))
        let actions = stage.ended(.second, .reset)
        #expect(words(actions) == "release 2, didFailRollover connectionClosed, ping 1, didMiss")
        #expect(actions.gaps == [Gap(from: from, to: stage.now.wall, reason: .connectionClosed)])
        #expect(stage.released(.second, 1) == .deliver)
        #expect(stage.message(.first, 1) == .ignore)
        #expect(stage.message(.first, 2) == .deliver)
        stage.check()
    }

    @Test func `a socket of the same channel that dies has taken the subscription, which is asked for again`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        let from = stage.now.wall
        stage.accept(.second)
        stage.block(.milliseconds(500))
        #expect(words(stage.ended(.second, .reset)) == "didFailRollover connectionClosed, subscribe 1")
        #expect(stage.accept(.first).gaps == [Gap(from: from, to: stage.now.wall, reason: .connectionClosed)])
    }

    @Test func `a confirmed channel that is not moved to does not lengthen the life of the old one`() {
        var stage = Stage.live { $0.lifetime = .seconds(1_000) }
        stage.live(.seconds(900))
        stage.rollover(to: .other)
        stage.connect(.second)
        stage.ended(.second, .reset)
        #expect(words(stage.live(.seconds(100))).contains("subscribe 1"))
    }

    @Test func `an old socket that breaks while it is drained leaves a gap, and no outage`() {
        var stage = Stage.live()
        stage.live(.seconds(10))
        let known = stage.now.wall
        stage.live(.seconds(2))
        stage.rollover(to: .other)
        stage.connect(.second)
        stage.block(.milliseconds(200))
        let actions = stage.ended(.first, .reset)
        #expect(words(actions) == "didMiss, didRecover rollover, resume 2")
        #expect(actions.gaps == [Gap(from: known, to: stage.now.wall, reason: .connectionClosed)])
        #expect(stage.log.attempts == [])
    }

    @Test func `copies that a stalled path holds back are recognised when it is free again`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.connect(.second)
        #expect(stage.message(.first, 1) == .deliver)
        stage.block(.milliseconds(100))
        stage.ended(.first, .closed(1001))
        #expect(stage.wait(.seconds(20)) == [])
        stage.heard(.second)
        #expect(stage.message(.second, 1) == .ignore)
        for _ in 0..<3 { stage.live(.seconds(30)) }
        #expect(!stage.machine.wantsFingerprints)
    }

    @Test func `a silent old socket is given up while the new one is confirmed`() {
        var stage = Stage.live { $0.drainTimeout = .seconds(300) }
        stage.rollover(to: .other)
        stage.connect(.second)
        let actions = stage.wait(.seconds(50))
        #expect(words(actions) == "ping 1, drop 1, didMiss, didRecover rollover, resume 2")
        #expect(actions.gaps.first?.reason == .heartbeatLost)
        stage.check()
    }

    @Test func `held messages of a replaced successor are delivered once`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.opened(.second)
        #expect(stage.message(.first, 1) == .deliver)
        #expect(stage.message(.second, 1) == .hold)
        #expect(stage.message(.second, 2) == .hold)
        #expect(words(stage.rollover(to: .another)) == "release 2, retire 2, connect 3 to 2")
        #expect(stage.released(.second, 1) == .ignore)
        #expect(stage.released(.second, 2) == .deliver)
        stage.opened(.third)
        #expect(stage.message(.first, 2) == .ignore)
        #expect(stage.message(.third, 1) == .hold)
        #expect(stage.message(.third, 2) == .hold)
        stage.accept(.third)
        #expect(words(stage.wait(.seconds(2))).contains("release 3"))
        #expect(stage.released(.third, 1) == .ignore)
        #expect(stage.released(.third, 2) == .ignore)
        stage.check()
    }

    @Test func `held messages survive a revoked token`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.message(.second, 1) == .hold)
        let end = stage.system(.tokenRevoked, .first)
        #expect(words(end) == "release 2, retire 1, retire 2, failed receive tokenRevoked")
        #expect(stage.released(.second, 1) == .deliver)
        stage.check()
    }

    @Test func `held messages are dropped by close(), as all else`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.message(.second, 1) == .hold)
        stage.close()
        #expect(stage.released(.second, 1) == .ignore)
    }

    @Test func `beyond the bound messages are delivered as they come, and none is lost`() {
        var stage = Stage.live { $0.maxHeldByteCount = 250 }
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.message(.second, 1) == .hold)
        #expect(stage.message(.second, 2) == .hold)
        #expect(stage.message(.second, 3) == .deliver)
        #expect(stage.message(.first, 3) == .ignore)
    }

    @Test func `two genuine repeats on one socket of an overlap are both delivered`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.message(.first, 1) == .deliver)
        #expect(stage.message(.first, 1) == .deliver)
        #expect(stage.message(.second, 1) == .hold)
        #expect(stage.message(.second, 1) == .hold)
        #expect(stage.message(.second, 1) == .hold)
        stage.accept(.second)
        stage.ended(.first, .closed(1000))
        let verdicts = (0..<3).map { _ in stage.released(.second, 1) }
        #expect(verdicts == [.ignore, .ignore, .deliver])
    }

    @Test func `outside of an overlap every repeat is delivered`() {
        var stage = Stage.live()
        for _ in 0..<5 { #expect(stage.message(.first, 1) == .deliver) }
        stage.announceMaintenance()
        stage.connect(.second)
        stage.ended(.first, .closed(1000))
        for _ in 0..<3 { stage.live(.seconds(30)) }
        #expect(!stage.machine.wantsFingerprints)
        for _ in 0..<5 { #expect(stage.message(.second, 1) == .deliver) }
    }

    @Test func `a late copy is recognised across two rollovers in a row`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.opened(.second)
        #expect(stage.message(.first, 1) == .deliver)
        stage.accept(.second)
        stage.ended(.first, .closed(1000))
        stage.rollover(to: .another)
        #expect(stage.message(.second, 1) == .ignore)
        stage.opened(.third)
        #expect(stage.message(.third, 1) == .hold)
        stage.accept(.third)
        stage.ended(.second, .closed(1000))
        #expect(stage.released(.third, 1) == .ignore)
    }
}
