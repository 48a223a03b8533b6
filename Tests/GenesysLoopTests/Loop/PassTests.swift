import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct PassTests {
    @Test func `passes scheduled inside a pass run before it ends, in order, and never inside each other`() throws {
        let loop = try UVLoop()
        var log: [String] = []
        let third = ClosureTask { log.append("third") }
        let first = ClosureTask {
            log.append("first begins")
            loop.schedule(third)
            loop.inPass { log.append("nested") }
            log.append("first ends")
        }
        let second = ClosureTask { log.append("second") }
        loop.inPass {
            loop.schedule(first)
            loop.schedule(second)
            loop.schedule(first)
            log.append("body ends")
        }
        #expect(log == ["body ends", "first begins", "nested", "first ends", "second", "third"])
    }

    @Test func `a pass scheduled outside of a pass runs at the next wake-up, which keeps the loop going`() throws {
        let loop = try UVLoop()
        var log: [Int] = []
        loop.schedule(ClosureTask { log.append(1) })
        loop.schedule(ClosureTask { log.append(2) })
        #expect(log.isEmpty)
        loop.run()
        #expect(log == [1, 2])
    }

    @Test func `a pass that schedules itself for ever starves neither timers nor run`() throws {
        let loop = try UVLoop()
        var runs = 0
        var isDone = false
        var again: (() -> Void)?
        let pass = ClosureTask { again?() }
        again = {
            runs += 1
            if !isDone { loop.schedule(pass) }
        }
        let probe = TimerProbe(loop) { _ in isDone = true }
        probe.start(after: .milliseconds(1))
        loop.schedule(pass)
        loop.run()
        again = nil
        #expect(isDone)
        #expect(runs > 1)
    }

    @Test func `a scheduled pass is kept alive until it has run, and no longer`() throws {
        let loop = try UVLoop()
        let deaths = Tally()
        do {
            let mortal = Mortal(deaths)
            loop.schedule(ClosureTask { withExtendedLifetime(mortal) {} })
        }
        #expect(deaths.value == 0)
        loop.run()
        #expect(deaths.value == 1)
    }

    @Test func `a group is empty after its last close callback, and says so outside of it`() throws {
        let loop = try UVLoop()
        let group = HandleGroup(loop: loop)
        var log: [String] = []
        group.whenEmpty(ClosureTask { log.append("at once") })
        loop.run()
        let timers = (0..<3).map { _ in TimerProbe(loop, group: group) { _ in } }
        let connection = TCPConnection(loop: loop, group: group)
        #expect(group.openCount == 4)
        group.whenEmpty(
            ClosureTask {
                #expect(loop.isInPass)
                log.append("after \(group.openCount)")
            })
        timers.forEach { $0.drop() }
        connection.close()
        #expect(group.openCount == 4)
        loop.run()
        #expect(log == ["at once", "after 0"])
    }
}
