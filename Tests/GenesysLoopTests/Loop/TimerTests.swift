import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct TimerTests {
    @Test func `timers fire in the order of their instants and never early`() throws {
        let loop = try UVLoop()
        var order: [Int] = []
        let start = loop.now.instant
        var isEarly = false
        let probes = [3, 1, 2].map { number in
            let due = start + .microseconds(number * 1_500)
            let probe = TimerProbe(loop) { _ in
                order.append(number)
                isEarly = isEarly || loop.now.instant < due
            }
            probe.timer?.start(at: due)
            return probe
        }
        loop.run()
        #expect(order == [1, 2, 3])
        #expect(!isEarly)
        #expect(probes.allSatisfy { $0.timer?.isArmed == false })
    }

    @Test func `a timer re-armed in its callback for the past lets the loop turn in between`() throws {
        let loop = try UVLoop()
        var fired = 0
        let probe = TimerProbe(loop) { probe in
            fired += 1
            if fired < 5 { probe.timer?.start(at: Instant(nanoseconds: .min)) }
        }
        let stopper = Tally()
        probe.timer?.start(at: Instant(nanoseconds: 0))
        loop.execute { stopper.add() }
        loop.run()
        #expect(fired == 5)
        #expect(stopper.value == 1)
    }

    @Test func `a stopped, a closed and a re-armed timer do not fire for their former instant`() throws {
        let loop = try UVLoop()
        var fired = 0
        let stopped = TimerProbe(loop) { _ in fired += 1 }
        let closed = TimerProbe(loop) { _ in fired += 1 }
        let moved = TimerProbe(loop) { _ in fired += 1 }
        for probe in [stopped, closed, moved] { probe.start(after: .zero) }
        stopped.timer?.stop()
        closed.timer?.close()
        closed.timer?.close()
        closed.start(after: .zero)
        moved.timer?.start(at: Instant(nanoseconds: .max))
        #expect(moved.timer?.isArmed == true)
        let last = TimerProbe(loop) { _ in moved.timer?.stop() }
        last.start(after: .milliseconds(3))
        loop.run()
        #expect(fired == 0)
    }

    @Test func `a timer may be dropped in its own callback`() throws {
        let loop = try UVLoop()
        var fired = 0
        var probe: TimerProbe? = TimerProbe(loop) { probe in
            fired += 1
            probe.drop()
        }
        probe?.start(after: .zero)
        var owner: TimerProbe?
        owner = TimerProbe(loop) { _ in
            fired += 1
            owner = nil
        }
        owner?.start(after: .zero)
        loop.run()
        #expect(fired == 2)
        #expect(owner == nil)
        probe = nil
    }
}
