import Testing

@testable import GenesysLoop

@Suite struct MaintenanceTests {
    @Test func `the host is asked before a second socket is opened`() {
        var stage = Stage.live()
        let told = stage.socketClosing(.first)
        #expect(told == [.tell(.willExpire(.maintenance(deadline: stage.now.wall + .seconds(60))))])
        #expect(stage.machine.nextDeadline == stage.now.instant)
        #expect(words(stage.fireTimers()) == "connect 2 to 0")
        #expect(stage.socketClosing(.first) == [], "the notice is told once")
    }

    @Test func `a service that announces the end of every new socket at once is not chased in a circle`() {
        var stage = Stage.live()
        var sockets = 1
        let start = stage.now.instant
        while stage.now.instant - start < .seconds(600) {
            let current = LinkID(rawValue: UInt32(sockets))
            stage.socketClosing(current)
            // The notice may cause a wait; the drain takes a second.
            while stage.machine.candidate == nil, stage.now.instant - start < .seconds(600) {
                stage.wait(.milliseconds(50))
            }
            guard let next = stage.machine.candidate?.id else { break }
            sockets += 1
            stage.connect(next)
            stage.ended(current, .closed(1001))
        }
        #expect(sockets < 80, "\(sockets) sockets in ten minutes")
        #expect(sockets > 30, "real maintenance, even often, is followed at once")
    }

    @Test func `a host that answers with another URI gets that one, and only that`() {
        var stage = Stage.live()
        stage.socketClosing(.first)
        #expect(words(stage.rollover(to: .other)) == "connect 2 to 1")
        #expect(stage.wait(.seconds(20)) == [])
        stage.connect(.second)
        stage.ended(.first, .closed(1001))
        #expect(stage.machine.endpoint == .other)
        stage.check()
    }

    @Test func `with the manual policy nothing happens until the host answers`() {
        var stage = Stage.live { $0.rollover = .manual }
        #expect(words(stage.socketClosing(.first)) == "willExpire maintenance")
        #expect(stage.live(.seconds(50)) == [])
        #expect(words(stage.rollover(to: .other)) == "connect 2 to 1")
    }

    @Test func `with the manual policy and no answer, the end of the socket is a loss with its reason`() {
        var stage = Stage.live { $0.rollover = .manual }
        stage.socketClosing(.first)
        stage.live(.seconds(60))
        #expect(stage.ended(.first, .closed(1001)).attempts.first?.reason == .channelClosing)
        stage.wait(.seconds(1))
        #expect(stage.connect(.second).gaps.first?.reason == .channelClosing)
    }

    @Test func `channels of one process do not all move at the same moment`() {
        var starts: Set<Instant> = []
        for seed in 0..<20 as Range<UInt64> {
            var stage = Stage.live(seed: seed) { $0.rolloverJitter = .seconds(10) }
            stage.socketClosing(.first)
            let due = stage.machine.nextDeadline ?? stage.now.instant
            #expect(due <= stage.now.instant + .seconds(10))
            starts.insert(due)
        }
        #expect(starts.count > 15)
    }

    @Test func `nothing is lost, repeated or reordered when the service closes in order`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.message(.first, 1) == .deliver)
        #expect(stage.message(.second, 1) == .hold)
        #expect(stage.message(.second, 2) == .hold)
        #expect(words(stage.accept(.second)) == "pause 2, ping 1")
        #expect(stage.message(.first, 2) == .deliver)
        #expect(stage.message(.first, 3) == .deliver)
        let end = stage.ended(.first, .closed(1001))
        #expect(words(end) == "release 2, didRecover rollover, resume 2, ping 2")
        #expect(stage.released(.second, 1) == .ignore)
        #expect(stage.released(.second, 2) == .ignore)
        #expect(stage.message(.second, 3) == .ignore)
        #expect(stage.message(.second, 4) == .deliver)
        #expect(stage.log.gaps == [])
        #expect(stage.machine.overlap.deduplicator.mergedCount == 3)
        stage.check()
    }

    @Test func `the old socket is closed one second after the confirmation at the latest`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.connect(.second)
        stage.pong(.first)
        #expect(stage.wait(.milliseconds(999)) == [])
        #expect(words(stage.wait(.milliseconds(1))) == "retire 1, didRecover rollover, resume 2")
        stage.check()
    }

    @Test func `what a blocked host left unread in the old socket is read before it is closed`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.connect(.second)
        stage.block(.seconds(7))
        stage.noticeLateness()
        #expect(stage.message(.first, 1) == .deliver)
        stage.pong(.first)
        #expect(words(stage.fireTimers()) == "retire 1, didRecover rollover, resume 2, ping 2")
    }

    @Test func `a new socket that fails leaves the old one, and another is tried`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        let failed = stage.ended(.second, .refused)
        #expect(words(failed) == "didFailRollover connect")
        #expect(stage.message(.first, 1) == .deliver)
        #expect(words(stage.wait(.seconds(1))) == "connect 3 to 0")
        stage.connect(.third)
        #expect(words(stage.ended(.first, .closed(1001))) == "didRecover rollover, resume 3")
        #expect(stage.log.gaps == [])
        stage.check()
    }

    @Test func `retries of the new socket slow down and respect Retry-After`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.ended(.second, .status(503, retryAfter: .seconds(9)))
        #expect(stage.wait(.milliseconds(8_999)) == [])
        #expect(words(stage.wait(.milliseconds(1))) == "connect 3 to 0")
    }

    @Test func `a decision of the service against the new socket is not asked for again`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.ended(.second, .status(404))
        #expect(stage.live(.seconds(50)).allSatisfy { $0 == .send(.first, .ping) })
        #expect(stage.machine.state == .live)
    }

    @Test func `when the host's own answer fails, the channel moves by itself`() {
        var stage = Stage.live()
        stage.socketClosing(.first)
        stage.rollover(to: .other)
        #expect(words(stage.ended(.second, .status(404))) == "didFailRollover httpNotFound")
        #expect(words(stage.wait(.zero)) == "connect 3 to 0")
    }

    @Test func `a notice that came during another rollover is told when that one fails`() {
        var stage = Stage.live { $0.rollover = .manual }
        stage.rollover(to: .other)
        #expect(stage.socketClosing(.first) == [])
        let deadline = stage.now.wall + .seconds(60)
        stage.block(.seconds(5))
        let actions = stage.ended(.second, .refused)
        #expect(words(actions) == "didFailRollover connect, willExpire maintenance")
        #expect(actions.last == .tell(.willExpire(.maintenance(deadline: deadline))))
    }

    @Test func `a notice on the new socket is told when it has taken over`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.socketClosing(.second) == [])
        stage.accept(.second)
        let told = words(stage.ended(.first, .closed(1001)))
        #expect(told == "didRecover rollover, resume 2, willExpire maintenance")
        #expect(words(stage.wait(.zero)) == "connect 3 to 0")
    }

    @Test func `a notice that came with the first confirmation is answered`() {
        var stage = Stage()
        stage.open()
        stage.opened(.first)
        stage.socketClosing(.first)
        #expect(words(stage.accept(.first)) == "didSubscribe, willExpire maintenance")
        #expect(words(stage.wait(.zero)) == "connect 2 to 0")
    }

    @Test func `a socket lost before the rollover started is a loss like any other`() {
        var stage = Stage.live { $0.rolloverJitter = .seconds(10) }
        stage.socketClosing(.first)
        stage.ended(.first, .reset)
        #expect(stage.machine.maintenance.rolloverDue == nil)
        stage.wait(.seconds(1))
        stage.connect(.second)
        #expect(!stage.live(.seconds(30)).contains(word: "connect 3 to 0"))
    }

    @Test func `the new socket renews the channel's life`() {
        var stage = Stage.live { $0.lifetime = .seconds(1_000) }
        stage.live(.seconds(900))
        stage.announceMaintenance()
        stage.connect(.second)
        stage.wait(.seconds(2))
        #expect(!words(stage.live(.seconds(900))).contains("subscribe"))
    }
}
