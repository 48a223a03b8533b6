import Testing

@testable import GenesysLoop

/// Whether the old socket of a rollover delivered everything that was sent to it.
@Suite struct DrainProofTests {
    /// The new socket is confirmed, and a ping on the old one asks whether it still delivers.
    private func draining(to endpoint: EndpointID = .original) -> Stage {
        var stage = Stage.live()
        stage.live(.seconds(30))
        if endpoint == .original { stage.announceMaintenance() } else { stage.rollover(to: endpoint) }
        #expect(words(stage.connect(.second)) == "subscribe 2, pause 2, ping 1")
        return stage
    }

    @Test(arguments: [EndpointID.original, .other])
    func `an old socket that answers has delivered all`(_ endpoint: EndpointID) {
        var stage = draining(to: endpoint)
        stage.pong(.first)
        #expect(words(stage.wait(.seconds(2))) == "retire 1, didRecover rollover, resume 2")
        stage.check()
    }

    @Test func `a dead path behind the old socket is a gap, although nobody ended it`() {
        var stage = draining()
        let actions = stage.wait(.seconds(2))
        #expect(words(actions) == "didMiss, retire 1, didRecover rollover, resume 2")
        #expect(actions.gaps.map { $0.to - $0.from } == [.seconds(31)])
    }

    @Test func `the service closes the old socket of a channel when all was sent`() {
        var stage = draining()
        #expect(words(stage.ended(.first, .closed(1001))) == "didRecover rollover, resume 2")
    }

    @Test func `of two channels one closes without knowing of the other`() {
        var stage = draining(to: .other)
        #expect(words(stage.ended(.first, .closed(1001))) == "didMiss, didRecover rollover, resume 2")
        stage = draining(to: .other)
        stage.pong(.first)
        #expect(words(stage.ended(.first, .closed(1001))) == "didRecover rollover, resume 2")
    }

    @Test func `the answer to an older question is none to this one`() {
        var stage = Stage.live { $0.commandTimeout = .seconds(100) }
        stage.rollover(to: .other)
        stage.opened(.second)
        #expect(words(stage.wait(.seconds(36))).contains("ping 1"))
        stage.accept(.second)
        stage.pong(.first)
        #expect(stage.wait(.seconds(2)).gaps.count == 1)
    }

    @Test func `a pong that nobody asked for proves nothing`() {
        var stage = Stage.live()
        stage.pong(.first)
        stage.rollover(to: .other)
        stage.connect(.second)
        #expect(stage.wait(.seconds(2)).gaps.count == 1)
    }

    @Test func `a channel that another client took is a gap, even when its socket answers`() {
        var stage = draining(to: .other)
        stage.system(.noLongerSubscribed, .first)
        stage.pong(.first)
        #expect(stage.wait(.seconds(2)).gaps.count == 1)
        stage = draining()
        stage.system(.duplicateID, .first)
        stage.pong(.first)
        #expect(stage.wait(.seconds(2)).gaps == [], "our own second socket took it")
    }

    @Test(arguments: [false, true])
    func `an old socket given up because its refresh was refused has to answer first`(isAnswered: Bool) {
        var stage = Stage.live()
        stage.live(.seconds(30))
        stage.system(.subscriptionChanged, .first)
        stage.rollover(to: .other)
        stage.connect(.second)
        if isAnswered { stage.pong(.first) }
        let end = isAnswered ? "" : "didMiss, "
        #expect(words(stage.refuse(.first)) == end + "retire 1, didRecover rollover, resume 2")
        stage.check()
    }

    @Test func `a Close frame that waited for the host may be older than the new socket`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.pause()
        stage.wait(.milliseconds(50))
        stage.opened(.second)
        stage.wait(.seconds(10))
        stage.resume()
        #expect(stage.ended(.first, .closed(1001)) == [])
        #expect(words(stage.accept(.second)) == "didMiss, didRecover rollover, resume 2")
        #expect(stage.log.attempts == [], "a paused host is no loss")
        stage.check()
    }

    @Test func `a Close frame that waited for a blocked loop may be older than the new socket`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.block(.seconds(36))
        stage.noticeLateness()
        stage.ended(.first, .closed(1001))
        stage.opened(.second)
        stage.fireTimers()
        #expect(words(stage.accept(.second)) == "didMiss, didRecover rollover, resume 2")
        #expect(stage.log.attempts == [])
        stage.check()
    }

    @Test func `a loop that is blocked after the acceptance leaves the Close frame its meaning`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        stage.block(.seconds(36))
        stage.noticeLateness()
        stage.ended(.first, .closed(1001))
        #expect(words(stage.accept(.second)) == "didRecover rollover, resume 2")
    }

    @Test func `a Close frame that waited may be read a moment before the acceptance`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.pause()
        stage.wait(.seconds(10))
        stage.resume()
        stage.ended(.first, .closed(1001))
        stage.wait(.milliseconds(50))
        #expect(words(stage.connect(.second)) == "subscribe 2, didMiss, didRecover rollover, resume 2")
        #expect(stage.log.attempts == [])
    }
}
