import CUV
import Testing

@testable import GenesysLoop

/// Records what happens around a timer.
private final class OrderProbe: TimerOwner {
    var events: [String] = []
    private(set) var timer: GenesysLoop.Timer?

    init(_ loop: UVLoop) { timer = GenesysLoop.Timer(loop: loop, group: HandleGroup(loop: loop), owner: self) }

    deinit { timer?.close() }

    func loopWasLate() { events.append("late") }

    func timerDidFire(_ timer: GenesysLoop.Timer) { events.append("fired") }

    func drop() { timer = nil }
}

/// Counts the polls of a loop.
@safe private final class PollCounter {
    private let handle = UnsafeMutablePointer<uv_prepare_t>.allocate(capacity: 1)
    private(set) var count = 0

    init(_ loop: UVLoop) {
        // The loop is alive; the handle until it was closed.
        unsafe uv_prepare_init(loop.raw, handle)
        unsafe handle.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        unsafe uv_prepare_start(handle) { handle in
            guard let data = unsafe handle?.pointee.data else { return }
            unsafe Unmanaged<PollCounter>.fromOpaque(data).takeUnretainedValue().count += 1
        }
        unsafe uv_unref(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self))
    }

    /// Closes the handle, which the next turn of the loop frees.
    func close() {
        // libuv knows it until the callback.
        unsafe uv_close(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)) { handle in
            unsafe handle?.deallocate()
        }
    }
}

/// When the owners of timers are told.
@Suite(.timeLimit(.minutes(patience(1)))) struct DueTimerTests {
    /// Two timers are due, the earlier one late, and something waits in the socket when the loop comes to them.
    @Test(arguments: LoopDrive.allCases)
    func `an owner hears that the loop was late, then of what waits, then that its time has come`(
        drive: LoopDrive
    ) throws {
        try drive.withLoop { loop in
            loop.dueTimers.tolerance = .milliseconds(40)
            let pair = try ConnectedPair(loop, drive: drive)
            let late = OrderProbe(loop)
            let punctual = OrderProbe(loop)
            pair.client.didRead = { client in
                // libuv may have polled before its timers.
                late.timer?.noticeLateness(now: loop.now)
                punctual.timer?.noticeLateness(now: loop.now)
                late.events.append("read")
                punctual.events.append("read")
                client.connection?.close()
                pair.server.connection?.close()
            }
            pair.client.connection?.startReading()
            let start = loop.now.instant
            late.timer?.start(at: start + .milliseconds(10))
            punctual.timer?.start(at: start + .milliseconds(60))
            pair.server.connection?.write([1])
            loop.block(for: .milliseconds(70))
            drive.run(loop)
            #expect(late.events == ["late", "read", "fired"])
            #expect(punctual.events == ["read", "fired"])
            pair.client.forget()
            late.drop()
            punctual.drop()
        }
    }

    @Test(arguments: LoopDrive.allCases)
    func `a poll that was blocked by another callback is followed by one more`(drive: LoopDrive) throws {
        try drive.withLoop { loop in
            // Far above what a busy machine adds.
            loop.dueTimers.tolerance = .milliseconds(400)
            let pair = try ConnectedPair(loop, drive: drive)
            let probe = OrderProbe(loop)
            probe.timer?.start(at: loop.now.instant + .milliseconds(5))
            pair.client.didRead = { client in
                probe.timer?.noticeLateness(now: loop.now)
                probe.events.append("read")
                guard probe.events.count == 1 else {
                    pair.client.connection?.close()
                    pair.server.connection?.close()
                    return
                }
                loop.block(for: .milliseconds(410))
                pair.server.connection?.write([2])
            }
            pair.client.connection?.startReading()
            // What waits is read by the poll of the due timer, or by one before it.
            pair.server.connection?.write([1])
            loop.block(for: .milliseconds(10))
            drive.run(loop)
            #expect(probe.events == ["read", "late", "read", "fired"])
            pair.client.forget()
            probe.drop()
        }
    }

    @Test(arguments: LoopDrive.allCases)
    func `a timer that is stopped, moved or closed while it is due does not fire`(drive: LoopDrive) throws {
        try drive.withLoop { loop in
            var fired: [String] = []
            let stopped = TimerProbe(loop) { _ in fired.append("stopped") }
            let closed = TimerProbe(loop) { _ in fired.append("closed") }
            let dropped = TimerProbe(loop) { _ in fired.append("dropped") }
            let moved = TimerProbe(loop) { _ in fired.append("moved") }
            let first = TimerProbe(loop) { _ in
                fired.append("first")
                #expect([stopped, closed, moved].allSatisfy { $0.timer?.isArmed == true })
                stopped.timer?.stop()
                closed.timer?.close()
                dropped.drop()
                moved.start(after: .milliseconds(2))
            }
            first.start(after: .zero)
            for probe in [stopped, closed, dropped, moved] { probe.start(after: .milliseconds(2)) }
            loop.block(for: .milliseconds(5))
            drive.run(loop)
            #expect(fired == ["first", "moved"])
            for probe in [stopped, closed, dropped, moved, first] { probe.drop() }
        }
    }

    @Test func `one call of uv_run neither waits for a timer that is due, nor keeps it from being told`() throws {
        for drive in [LoopDrive.adoptedOnceAtATime, .adoptedWithoutWaiting] {
            try drive.withLoop { loop in
                var isFired = false
                let far = TimerProbe(loop) { _ in Issue.record("a timer fired early") }
                let probe = TimerProbe(loop) { _ in isFired = true }
                far.start(after: .seconds(1_000))
                probe.start(after: .zero)
                loop.block(for: .milliseconds(2))
                // libuv may run the timers at the end of the first call.
                var calls = 0
                while !isFired, calls < 3 {
                    #expect(drive.turn(loop))
                    calls += 1
                }
                #expect(calls <= 2)
                far.drop()
                probe.drop()
            }
        }
    }

    @Test func `without due timers there is no other poll, and with any number of them one`() throws {
        func polls(_ prepare: (UVLoop) -> [TimerProbe]) throws -> Int {
            var count = 0
            try LoopDrive.adopted.withLoop { loop in
                let counter = PollCounter(loop)
                let probes = prepare(loop)
                let anchor = Anchor(loop)
                loop.afterTurns(5) {
                    anchor.end()
                    probes.forEach { $0.drop() }
                }
                LoopDrive.adopted.run(loop)
                count = counter.count
                counter.close()
                probes.forEach { $0.drop() }
            }
            return count
        }
        let none = try polls { _ in [] }
        let armed = try polls { loop in
            let probe = TimerProbe(loop) { _ in Issue.record("a timer fired early") }
            probe.start(after: .seconds(1_000))
            return [probe]
        }
        #expect(armed - none <= 1, "the turn in which the timer's handles are closed")
        let due = try polls { loop in
            let probes = (0..<10).map { _ in TimerProbe(loop) { $0.drop() } }
            for probe in probes { probe.start(after: .zero) }
            loop.block(for: .milliseconds(3))
            return probes
        }
        #expect(due - none <= 1)
    }

    @Test func `a loop with a timer that is not due sleeps`() throws {
        try LoopDrive.adoptedWithoutWaiting.withLoop { loop in
            let probe = TimerProbe(loop) { _ in Issue.record("a timer fired early") }
            probe.start(after: .seconds(1_000))
            #expect(LoopDrive.adoptedWithoutWaiting.turn(loop))
            // The loop is alive.
            #expect(unsafe uv_backend_timeout(loop.raw) > 1_000)
            probe.drop()
        }
    }

    @Test func `the two handles come with the first timer and go with the last`() throws {
        let foreign = ForeignLoop()
        let loop = try unsafe UVLoop(adopting: foreign.raw)
        #expect(foreign.strangeHandleCount == 1)
        let probes = (0..<3).map { _ in TimerProbe(loop) { _ in } }
        #expect(foreign.strangeHandleCount == 6)
        #expect(loop.description == "UVLoop(handles: 3 timer)")
        probes.forEach { $0.drop() }
        foreign.runOnce()
        #expect(foreign.strangeHandleCount == 1)
        let again = TimerProbe(loop) { _ in }
        again.start(after: .zero)
        #expect(!foreign.run())
        again.drop()
        loop.detach {}
        #expect(!foreign.run())
        #expect(foreign.close() == 0)
    }

    @Test func `a timer that does not keep its loop running is told only while something else does`() throws {
        let loop = try UVLoop()
        let probe = OrderProbe(loop)
        let quiet = GenesysLoop.Timer(loop: loop, group: HandleGroup(loop: loop), owner: probe, keepsRunning: false)
        quiet.start(at: loop.now.instant + .milliseconds(1))
        loop.run()
        #expect(probe.events == [])
        let other = TimerProbe(loop) { _ in }
        other.start(after: .milliseconds(5))
        loop.run()
        #expect(probe.events == ["fired"])
        quiet.close()
    }
}
