import Foundation
import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct LoopTimerTests {
    @Test func `calls come in the order of their times, once, and never early`() throws {
        let loop = try UVLoop()
        var order: [Int] = []
        let start = loop.now.instant
        for number in [3, 1, 2] {
            loop.schedule(after: .milliseconds(number * 2)) {
                order.append(number)
                #expect(loop.now.instant - start >= .milliseconds(number * 2))
            }
        }
        loop.run()
        #expect(order == [1, 2, 3])
    }

    @Test(arguments: [Duration.zero, .nanoseconds(-1), .seconds(-1_000), .seconds(Int64.min)])
    func `without a delay the call comes in a later turn`(delay: Duration) throws {
        let loop = try UVLoop()
        var isCalled = false
        let timer = loop.schedule(after: delay) { isCalled = true }
        #expect(timer.isPending)
        #expect(!isCalled)
        loop.run()
        #expect(isCalled)
        #expect(!timer.isPending)
    }

    @Test(arguments: [Duration.seconds(Int64.max), .nanoseconds(Int64.max), .seconds(3_600)])
    func `a delay may be as long as it likes`(delay: Duration) throws {
        let loop = try UVLoop()
        let timer = loop.schedule(after: delay) { Issue.record("a call came early") }
        var isDone = false
        loop.schedule(after: .milliseconds(2)) {
            isDone = true
            timer.cancel()
        }
        loop.run()
        #expect(isDone)
    }

    @Test func `the loop keeps a timer that nobody else keeps, and runs until it was called`() throws {
        let loop = try UVLoop()
        var isCalled = false
        weak var timer: LoopTimer?
        timer = loop.schedule(after: .milliseconds(2)) { isCalled = true }
        #expect(timer != nil)
        #expect(loop.description == "UVLoop(LoopTimer(pending); handles: 1 timer)")
        loop.run()
        #expect(isCalled)
        #expect(timer == nil)
        #expect(loop.registry.openCount == 1)
    }

    @Test func `what is cancelled is not called, and its closure is released`() throws {
        let loop = try UVLoop()
        let deaths = Tally()
        func scheduled() -> LoopTimer {
            let mortal = Mortal(deaths)
            return loop.schedule(after: .seconds(1_000)) { withExtendedLifetime(mortal) { _ = Issue.record("called") } }
        }
        let timer = scheduled()
        #expect(deaths.value == 0)
        timer.cancel()
        #expect(deaths.value == 1)
        timer.cancel()
        #expect(timer.description == "LoopTimer(over)")
        loop.run()
        #expect(loop.openObjects.isEmpty)
    }

    @Test func `a timer may be cancelled in its own call and in another's, and others made there`() throws {
        let loop = try UVLoop()
        var log: [String] = []
        var own: LoopTimer?
        var other: LoopTimer?
        own = loop.schedule(after: .milliseconds(1)) {
            log.append("own")
            own?.cancel()
            other?.cancel()
            own = loop.schedule(after: .zero) {
                log.append("again")
                own = nil
            }
        }
        other = loop.schedule(after: .milliseconds(1)) { log.append("other") }
        loop.block(for: .milliseconds(3))
        loop.run()
        #expect(log == ["own", "again"])
    }

    @Test func `the last reference to a timer may die while the closure is released`() throws {
        let loop = try UVLoop()
        final class Holder {
            var timer: LoopTimer?
            let body: () -> Void
            init(_ body: @escaping () -> Void) { self.body = body }
            deinit {
                timer?.cancel()
                body()
            }
        }
        var isOver = false
        func schedule() -> LoopTimer {
            let holder = Holder { isOver = true }
            let timer = loop.schedule(after: .seconds(1_000)) { withExtendedLifetime(holder) {} }
            holder.timer = timer
            return timer
        }
        schedule().cancel()
        #expect(isOver)
        loop.run()
    }

    @Test func `a call may close all that is open, stop the loop, and drop it`() throws {
        var loop: UVLoop? = try UVLoop()
        var log: [String] = []
        loop?.schedule(after: .milliseconds(1)) {
            log.append("first")
            loop?.closeAll()
            loop?.stop()
            loop = nil
        }
        loop?.schedule(after: .milliseconds(1)) { log.append("second") }
        loop?.run()
        #expect(log == ["first"])
        #expect(loop == nil)
    }

    @Test(arguments: LoopDrive.allCases)
    func `a timer keeps a loop of another program running, and its detachment waits for it`(drive: LoopDrive) throws {
        try drive.withLoop { loop in
            var log: [String] = []
            loop.schedule(after: .milliseconds(3)) { log.append("called") }
            if drive != .own { loop.detach { log.append("detached") } }
            drive.run(loop)
            #expect(log == (drive == .own ? ["called"] : ["called", "detached"]))
        }
    }

    @Test func `closeAll cancels what is scheduled`() throws {
        let loop = try UVLoop()
        let timer = loop.schedule(after: .seconds(1_000)) { Issue.record("called") }
        loop.closeAll()
        #expect(!timer.isPending)
        loop.run()
    }

    @Test func `a timer belongs to its loop's thread`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            onOtherThread { loop.schedule(after: .zero) {} }
        }
        #expect(said(result).contains("UVLoop.schedule(after:_:) was called on a thread that is not"))
        let cancelled = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            nonisolated(unsafe) let timer = try UVLoop().schedule(after: .zero) {}
            onOtherThread { unsafe timer.cancel() }
        }
        #expect(said(cancelled).contains("LoopTimer.cancel() was called on a thread that is not"))
    }

    @Test func `the child of a fork is stopped with a sentence`() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            var isCalled = false
            let timer = loop.schedule(after: .milliseconds(5)) { isCalled = true }
            let child = fork()
            if child == 0 {
                timer.cancel()
                _exit(0)
            }
            var status: Int32 = 0
            // The variable is lent for the call.
            guard unsafe waitpid(child, &status, 0) == child, status & 0x7F != 0 else { exit(2) }
            loop.run()
            guard isCalled else { exit(1) }
        }
        #expect(said(result).contains("An event loop made before fork() was used in the child process"))
    }

    private func said(_ result: ExitTest.Result?) -> String {
        String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    }
}

@Suite(.timeLimit(.minutes(patience(1)))) struct RunForTests {
    @Test func `a loop runs for its time, and goes on where it stopped`() throws {
        let loop = try UVLoop()
        var isCalled = false
        let timer = loop.schedule(after: .milliseconds(30)) { isCalled = true }
        let start = loop.now.instant
        loop.run(for: .milliseconds(5))
        #expect(loop.now.instant - start >= .milliseconds(5))
        #expect(!isCalled)
        #expect(timer.isPending)
        loop.run(for: .seconds(1_000))
        #expect(isCalled)
        #expect(loop.now.instant - start < .seconds(500))
        loop.run()
        #expect(loop.registry.openCount == 1)
    }

    @Test func `it returns early when nothing is open or the loop is stopped`() throws {
        let loop = try UVLoop()
        let start = loop.now.instant
        loop.run(for: .seconds(1_000))
        let anchor = Anchor(loop)
        loop.schedule(after: .milliseconds(1)) { loop.stop() }
        loop.run(for: .seconds(Int64.max))
        #expect(loop.now.instant - start < .seconds(500))
        anchor.end()
        loop.run()
        #expect(loop.registry.openCount == 1)
    }

    @Test func `it returns late when a callback blocks the loop, and serves what is due`() throws {
        let loop = try UVLoop()
        var log: [Int] = []
        let start = loop.now.instant
        loop.schedule(after: .milliseconds(1)) {
            log.append(1)
            loop.block(for: .milliseconds(20))
        }
        let anchor = Anchor(loop)
        loop.run(for: .milliseconds(5))
        #expect(loop.now.instant - start >= .milliseconds(20))
        #expect(log == [1])
        anchor.end()
    }

    @Test(arguments: [Duration.zero, .seconds(-5), .seconds(Int64.min)])
    func `without a time the loop turns and returns`(duration: Duration) throws {
        let loop = try UVLoop()
        let ran = Tally()
        let anchor = Anchor(loop)
        loop.execute { ran.add() }
        loop.run(for: duration)
        #expect(ran.value == 1)
        anchor.end()
        loop.run()
    }

    @Test func `it may not be called inside itself, nor on a loop of another program`() async {
        let nested = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            loop.execute { loop.run(for: .zero) }
            loop.run()
        }
        let text = String(decoding: nested?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("UVLoop.run(for:): the loop is running already"))
        await #expect(processExitsWith: .failure) {
            let foreign = ForeignLoop()
            try unsafe UVLoop(adopting: foreign.raw).run(for: .zero)
        }
    }
}
