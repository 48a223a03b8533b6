import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct LoopStatisticsTests {
    @Test func `a new loop has nothing to count`() throws {
        let loop = try UVLoop()
        #expect(loop.statistics == LoopStatistics())
        #expect("\(loop.statistics)".hasPrefix("wakeUpCount 0, lag none, openObjectCount 0, "))
    }

    @Test func `connections and open objects are those of the moment`() throws {
        let loop = try UVLoop()
        let pair = try ConnectedPair(loop)
        let timer = loop.schedule(after: .seconds(60)) {}
        #expect(loop.statistics.connectionCount == 2)
        #expect(loop.statistics.openObjectCount == 1)
        timer.cancel()
        pair.client.connection?.close()
        pair.client.connection?.close()
        pair.server.connection = nil
        #expect(loop.statistics.connectionCount == 0)
        #expect(loop.statistics.openObjectCount == 0)
        loop.run()
    }

    @Test func `each call of libuv is one wake-up, whatever it runs`() throws {
        let loop = try UVLoop()
        loop.schedule(after: .zero) {}
        loop.run()
        let count = loop.statistics.wakeUpCount
        #expect(count > 0)
        loop.schedule(after: .zero) { loop.schedule(ClosureTask { loop.inPass {} }) }
        loop.run()
        #expect(loop.statistics.wakeUpCount == 2 * count)
    }

    @Test func `the lag of a timer is how late the loop got to it`() throws {
        let loop = try UVLoop()
        let late = TimerProbe(loop) { _ in }
        let blocker = TimerProbe(loop) { _ in
            let due = loop.now.instant + .milliseconds(2)
            late.timer?.start(at: due)
            while loop.now.instant < due + .milliseconds(31) {}
        }
        blocker.start(after: .zero)
        loop.run()
        let lag = loop.statistics.lag
        #expect(lag.count == 2)
        #expect(lag.sum >= .milliseconds(30))
    }

    @Test func `names that wait for a thread are counted`() throws {
        let loop = try UVLoop()
        let gate = Gate()
        loop.resolver.lookup = { _ in
            gate.wait()
            return .success([])
        }
        let owner = ResolutionProbe()
        let anchor = Anchor(loop)
        owner.didEnd = { if owner.endCount == 6 { anchor.end() } }
        let resolutions = (0..<6).map { loop.resolver.resolve("name\($0).test", port: 1, owner: owner) }
        let statistics = loop.statistics
        #expect(statistics.lookupThreadCount == LookupQueue.maxThreadCount)
        #expect(statistics.queuedLookupCount == 12 - LookupQueue.maxThreadCount)
        gate.open(12)
        loop.run()
        #expect(loop.statistics.queuedLookupCount == 0 && loop.statistics.lookupThreadCount == 0)
        owner.didEnd = {}
        withExtendedLifetime(resolutions) {}
    }
}

/// Objects that use a loop without keeping it running.
@Suite(.timeLimit(.minutes(patience(1)))) struct LoopCompanionTests {
    final class Companion: LoopCompanion {
        let timer: GenesysLoop.Timer
        var calls: [Bool] = []
        let ends = Tally()

        init(_ loop: UVLoop) {
            timer = GenesysLoop.Timer(loop: loop, group: HandleGroup(loop: loop), keepsRunning: false)
            timer.start(at: loop.now.instant + .seconds(3_600))
            loop.accompany(self)
        }

        func loopIsIdle(isEnd: Bool) {
            calls.append(isEnd)
            guard isEnd else { return }
            ends.add()
            timer.close()
        }
    }

    @Test func `a loop ends although a companion's timer is armed, and calls it each time`() throws {
        let loop = try UVLoop()
        let companion = Companion(loop)
        loop.run()
        loop.run()
        #expect(companion.calls == [false, false])
        loop.leave(companion)
        loop.run()
        #expect(companion.calls == [false, false])
        companion.timer.close()
    }

    @Test func `a detachment ends the companions`() throws {
        let foreign = ForeignLoop()
        let loop = try unsafe UVLoop(adopting: foreign.raw)
        let companion = Companion(loop)
        var isDetached = false
        loop.detach { isDetached = true }
        #expect(!foreign.run())
        #expect(isDetached && companion.calls == [true])
        #expect(foreign.close() == 0)
    }

    @Test func `a companion that is gone does not hold up a detachment`() throws {
        let foreign = ForeignLoop()
        let loop = try unsafe UVLoop(adopting: foreign.raw)
        var companion: Companion? = Companion(loop)
        withExtendedLifetime(companion) {}
        companion = nil
        var isDetached = false
        loop.detach { isDetached = true }
        #expect(!foreign.run())
        #expect(isDetached)
        #expect(foreign.close() == 0)
    }

    @Test func `a companion's timer does not keep an adopted loop running, whatever the host set meanwhile`() throws {
        let foreign = ForeignLoop()
        let loop = try unsafe UVLoop(adopting: foreign.raw)
        let companion = Companion(loop)
        loop.keepsRunning = false
        loop.keepsRunning = true
        #expect(!foreign.run())
        #expect(companion.calls == [])
        loop.detach {}
        #expect(!foreign.run())
        #expect(foreign.close() == 0)
    }

    @Test func `the end of a loop's thread ends its companions`() throws {
        let thread = try LoopThread()
        let (companion, ends) = try thread.submit {
            let companion = Companion(thread.loop)
            return (LoopBound(companion, on: thread.loop), companion.ends)
        }
        thread.shutdown()
        #expect(ends.value == 1)
        withExtendedLifetime(companion) {}
    }
}
