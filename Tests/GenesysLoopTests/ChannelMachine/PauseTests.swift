import Testing

@testable import GenesysLoop

@Suite struct PauseTests {
    @Test func `pausing twice and resuming twice does it once`() {
        var stage = Stage.live()
        #expect(words(stage.pause()) == "pause 1")
        #expect(stage.pause() == [])
        #expect(words(stage.resume()) == "resume 1")
        #expect(stage.resume() == [])
    }

    @Test func `a pause before the connection holds from its first byte`() {
        var stage = Stage()
        stage.pause()
        stage.open()
        #expect(words(stage.opened(.first)) == "pause 1, subscribe 1")
        #expect(stage.wait(.seconds(3_600)) == [], "neither subscription nor total are counted")
        #expect(words(stage.resume()) == "resume 1")
        #expect(stage.wait(.milliseconds(4_999)) == [])
        #expect(words(stage.wait(.milliseconds(1))) == "subscribe 1")
        #expect(words(stage.accept(.first)) == "didSubscribe")
        stage.check()
    }

    @Test func `a command sent at the end of a long pause has its time, and not more`() {
        var stage = Stage.live()
        stage.pause()
        stage.wait(.seconds(3_600))
        stage.setTopics(["v2.a", "v2.b", "v2.c"])
        stage.wait(.seconds(1))
        stage.resume()
        #expect(words(stage.wait(.seconds(5))) == "subscribe 1")
    }

    @Test func `a pause in the middle of a rollover costs nothing`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        stage.wait(.milliseconds(100))
        #expect(words(stage.pause()) == "pause 1, pause 2")
        #expect(stage.wait(.seconds(600)) == [])
        #expect(words(stage.resume()) == "resume 1, resume 2")
        #expect(stage.message(.first, 1) == .deliver)
        #expect(stage.ended(.first, .closed(1001)) == [])
        #expect(words(stage.accept(.second)) == "didRecover rollover, resume 2, ping 2")
        #expect(stage.log.gaps == [])
        stage.check()
    }

    @Test func `a pause while the old socket is drained stops the clock`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.connect(.second)
        stage.wait(.milliseconds(400))
        stage.pause()
        #expect(stage.wait(.seconds(600)) == [])
        #expect(words(stage.resume()) == "resume 1", "the new one is still not read")
        stage.pong(.first)
        #expect(stage.wait(.milliseconds(599)) == [])
        #expect(words(stage.wait(.milliseconds(1))) == "retire 1, didRecover rollover, resume 2")
        stage.check()
    }

    @Test func `a drain that began during a long pause lasts its second after it`() {
        var stage = Stage.live(topics: [])
        stage.pause()
        stage.wait(.seconds(600))
        stage.rollover(to: .other)
        #expect(words(stage.opened(.second)) == "pause 2, pause 2, ping 1")
        stage.resume()
        stage.pong(.first)
        #expect(words(stage.wait(.milliseconds(1_100))) == "retire 1, didRecover rollover, resume 2")
    }

    @Test func `a new socket that takes over during a pause is not read before its end`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.connect(.second)
        stage.pause()
        #expect(words(stage.ended(.first, .closed(1001))) == "didRecover rollover")
        #expect(words(stage.resume()) == "resume 2")
        #expect(stage.wait(.seconds(34)) == [])
    }

    @Test func `copies are still recognised after a pause that began with the echo of an overlap`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.connect(.second)
        #expect(stage.message(.first, 1) == .deliver)
        stage.ended(.first, .closed(1001))
        stage.pause()
        stage.wait(.seconds(600))
        stage.resume()
        stage.fireTimers()
        #expect(stage.message(.second, 1) == .ignore)
        stage.live(.seconds(6))
        #expect(stage.message(.second, 1) == .deliver)
    }

    @Test func `maintenance does not wait for a paused host`() {
        var stage = Stage.live { $0.rolloverJitter = .seconds(5) }
        stage.socketClosing(.first)
        stage.pause()
        #expect(words(stage.wait(.seconds(5))) == "connect 2 to 0")
        #expect(words(stage.opened(.second)) == "pause 2, subscribe 2")
        stage.check()
    }

    @Test func `an outage is served while the host reads nothing`() {
        var stage = Stage.live()
        stage.pause()
        stage.ended(.first, .reset)
        #expect(words(stage.wait(.seconds(1))) == "connect 2 to 0")
        #expect(words(stage.opened(.second)) == "pause 2, subscribe 2")
        stage.resume()
        #expect(words(stage.accept(.second)) == "didMiss, didRecover reconnect")
    }

    @Test func `a paused channel can be closed`() {
        var stage = Stage.live()
        stage.pause()
        #expect(words(stage.close()) == "close 1, resume 1")
        #expect(words(stage.ended(.first, .closed(1000))) == "closed")
        #expect(stage.resume() == [])
    }

    /// The second link, with held messages, is refused after a pause.
    private func refusedAfterPause(_ isDrained: Bool) -> Stage {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.message(.second, 9) == .hold)
        stage.pause()
        stage.wait(.seconds(10))
        stage.resume()
        stage.machine.bytesReceived(on: .first, isDrained: isDrained, now: stage.now)
        #expect(stage.refuse(.second).contains(word: "release 2") == isDrained)
        return stage
    }

    @Test func `what was held for a successor that failed follows what the old socket has of a pause`() {
        var stage = refusedAfterPause(false)
        #expect(stage.machine.isHolding(.second))
        #expect(stage.message(.first, 8) == .deliver)
        for _ in 0..<3 {
            stage.machine.bytesReceived(on: .first, isDrained: false, now: stage.now)
            let actions = stage.take(stage.machine.deadlineReached(now: stage.now))
            #expect(!actions.contains(word: "release 2"), "the socket had more in every turn of the loop")
        }
        stage.heard(.first)
        #expect(stage.machine.isHolding(.second), "what this read brings comes first")
        #expect(stage.wait(.zero).contains(word: "release 2"))
        #expect(!stage.machine.isHolding(.second))
        #expect(stage.released(.second, 8) == .ignore)
        #expect(stage.released(.second, 9) == .deliver)
        stage.check()
    }

    @Test func `what was held for a successor that failed does not wait for a backlog that is none`() {
        var stage = refusedAfterPause(false)
        #expect(stage.wait(.milliseconds(20)).contains(word: "release 2"))
        var drained = refusedAfterPause(true)
        #expect(drained.wait(.milliseconds(20)).contains(word: "release 2") == false)
    }

    @Test func `a rollover that replaces another one in a pause does not overtake what the old socket has`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(stage.message(.second, 9) == .hold)
        stage.pause()
        #expect(words(stage.rollover(to: .other)) == "retire 2, connect 3 to 1")
        stage.resume()
        stage.heard(.first)
        #expect(words(stage.wait(.zero)) == "release 2")
        stage.check()
    }

    @Test func `what is left behind is delivered when the old link is lost`() {
        var stage = refusedAfterPause(false)
        #expect(stage.ended(.first, .reset).contains(word: "release 2"))
        #expect(stage.released(.second, 9) == .deliver)
        stage.check()
    }
}
