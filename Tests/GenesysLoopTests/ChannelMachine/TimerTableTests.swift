import Testing

@testable import GenesysLoop

/// Each timer of the table: that it runs, when it is due, and what it does.
@Suite struct TimerTableTests {
    /// A machine in which a timer is the next one to be due.
    private struct Scene {
        var stage: Stage
        let actions: String

        init(_ stage: Stage, _ actions: String) {
            self.stage = stage
            self.actions = actions
        }

        /// The switch is exhaustive: a new timer needs a scene.
        static func of(_ timer: ChannelTimer) -> Scene {
            switch timer {
            case .attempt: Scene(.inState(.waiting), "connect 2 to 0")
            case .handOver: Scene(.inState(.handedOver, isOpened: false), "willReconnect #1 channelClosing")
            case .drain: Scene(.inState(.draining), "didMiss, retire 1, didRecover rollover, resume 2")
            case .closing: Scene(.inState(.closing), "drop 1, closed")
            case .lifetime: Scene(.live { $0.lifetime = .seconds(20) }, "subscribe 1")
            case .rollover: rollover
            case .release: release
            case .echo: echo
            case .refresh: refresh
            case .candidateSilence: candidate { $0.commandTimeout = .seconds(100) }
            case .candidateCommand: Scene(.inState(.attempting), "subscribe 2")
            case .currentSilence: Scene(.live(), "ping 1")
            case .currentCommand: currentCommand
            }
        }

        private static var rollover: Scene {
            var stage = Stage.live { $0.rolloverJitter = .seconds(10) }
            stage.socketClosing(.first)
            return Scene(stage, "connect 2 to 0")
        }

        private static var release: Scene {
            var stage = Stage.live()
            stage.rollover(to: .other)
            stage.opened(.second)
            #expect(stage.message(.second, 1) == .hold)
            stage.machine.loopWasLate()
            stage.ended(.second, .reset)
            stage.heard(.first)
            return Scene(stage, "release 2")
        }

        private static var echo: Scene {
            var stage = Stage.inState(.rollingOver)
            #expect(stage.message(.first, 1) == .deliver)
            stage.accept(.second)
            stage.ended(.first, .closed(1001))
            return Scene(stage, "")
        }

        private static var refresh: Scene {
            var stage = Stage.live()
            stage.system(.subscriptionChanged, .first)
            stage.accept(.first)
            stage.system(.subscriptionChanged, .first)
            return Scene(stage, "subscribe 1")
        }

        private static func candidate(_ configure: (inout ChannelSettings) -> Void) -> Scene {
            var stage = Stage(configure)
            stage.open()
            stage.opened(.first)
            return Scene(stage, "")
        }

        private static var currentCommand: Scene {
            var stage = Stage.live()
            stage.setTopics(["v2.a", "v2.b", "v2.c"])
            return Scene(stage, "subscribe 1")
        }
    }

    @Test(arguments: ChannelTimer.allCases)
    func `each timer is due at its deadline, not before, and not twice`(_ timer: ChannelTimer) throws {
        let scene = Scene.of(timer)
        var stage = scene.stage
        let deadline = try #require(stage.machine.deadline(of: timer))
        #expect(stage.machine.timers.contains(TimerSet(timer)))
        #expect(stage.machine.nextDeadline == deadline, "the driver waits for it")
        if deadline > stage.now.instant {
            stage.block(deadline - stage.now.instant - .nanoseconds(1))
            #expect(stage.take(stage.machine.deadlineReached(now: stage.now)) == [])
            #expect(stage.machine.deadline(of: timer) == deadline)
            stage.block(.nanoseconds(1))
        }
        #expect(words(stage.take(stage.machine.deadlineReached(now: stage.now))) == scene.actions)
        let isOver = !stage.machine.timers.contains(TimerSet(timer))
        #expect(isOver || stage.machine.deadline(of: timer) != deadline)
        let after = stage.machine
        #expect(stage.take(stage.machine.deadlineReached(now: stage.now)) == [])
        #expect(stage.machine == after)
        stage.check()
    }

    @Test func `each timer runs in at least one state`() {
        var running: TimerSet = []
        for state in StateName.allCases { running.formUnion(Stage.inState(state).machine.timers) }
        for timer in ChannelTimer.allCases { #expect(running.contains(TimerSet(timer)), "\(timer)") }
    }

    @Test(arguments: [StateName.idle, .ended])
    func `without a life nothing is due`(_ state: StateName) {
        var stage = Stage.inState(state)
        #expect(stage.machine.timers == [])
        #expect(stage.machine.nextDeadline == nil)
        stage.block(.seconds(100_000))
        #expect(stage.fireTimers() == [])
    }

    @Test(arguments: ChannelTimer.allCases)
    func `a pause stops the timers that judge a peer, and no other`(_ timer: ChannelTimer) {
        var stage = Scene.of(timer).stage
        let running = stage.machine.timers
        stage.pause()
        #expect(stage.machine.timers == running.intersection(.duringPause))
        let isJudge = [.drain, .release, .echo, .refresh, .candidateSilence, .candidateCommand].contains(timer)
        let isStopped = isJudge || timer == .currentSilence || timer == .currentCommand
        #expect(stage.machine.timers.contains(TimerSet(timer)) != isStopped)
        guard isStopped else { return }
        stage.block(.seconds(600))
        #expect(stage.take(stage.machine.deadlineReached(now: stage.now)) == [])
    }

    @Test func `timers that are due together are handled in the order of the table`() {
        var stage = Stage.live { $0.lifetime = .seconds(35) }
        #expect(words(stage.wait(.seconds(35))) == "subscribe 1, ping 1")
        stage = .live { $0.lifetime = .seconds(35) }
        stage.block(.seconds(35))
        #expect(words(stage.take(stage.machine.deadlineReached(now: stage.now))) == "subscribe 1, ping 1")
    }

    @Test func `a timer that another one made due is handled at the next call`() {
        var stage = Stage.live { $0.drainTimeout = .seconds(20) }
        stage.announceMaintenance()
        stage.connect(.second)
        stage.setTopics(["v2.a", "v2.b", "v2.c"])
        stage.pong(.first)
        stage.block(.seconds(20))
        let promoted = stage.take(stage.machine.deadlineReached(now: stage.now))
        #expect(words(promoted) == "retire 1, didRecover rollover, resume 2")
        #expect(stage.machine.nextDeadline.map { $0 < stage.now.instant } == true)
        #expect(words(stage.take(stage.machine.deadlineReached(now: stage.now))) == "subscribe 2")
    }

    @Test func `a timer whose reason another one removed is not handled`() {
        // The end of the drain and the silence of the old link are due together.
        var stage = Stage.live { $0.drainTimeout = .seconds(35) }
        stage.announceMaintenance()
        stage.connect(.second)
        stage.heard(.first)
        stage.block(.seconds(35))
        #expect(
            words(stage.take(stage.machine.deadlineReached(now: stage.now)))
                == "didMiss, retire 1, didRecover rollover, resume 2", "no ping on a link that was given up")
    }

    @Test func `the lifetime is also due by the civil clock, which a sleeping host does not stop`() {
        var stage = Stage.live { $0.lifetime = .seconds(1_000) }
        stage.now.wall = stage.now.wall + .seconds(1_000)
        #expect(words(stage.take(stage.machine.deadlineReached(now: stage.now))) == "subscribe 1")
    }
}
