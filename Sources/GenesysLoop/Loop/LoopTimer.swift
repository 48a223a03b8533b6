/// A closure that a loop calls later, from `UVLoop.schedule(after:_:)`.
///
/// - Life: the loop holds a pending timer and its closure. A pending timer keeps the loop running, also an adopted one
///   (see `UVLoop.keepsRunning`). Dropping the last reference does not cancel the timer; only `cancel()` does.
/// - Thread: a timer belongs to the loop's thread. Every member but `description` traps on another thread, with a
///   sentence.
/// - Re-entrancy: the closure may do everything that a delegate callback may, for example cancel this timer or others,
///   schedule more, stop the loop or call `closeAll()`. It must not run the loop.
public final class LoopTimer {
    private let loop: UVLoop
    /// Both are nil after the call or the cancellation.
    private var timer: Timer?
    private var body: (() -> Void)?

    fileprivate init(on loop: UVLoop, after delay: Duration, _ body: @escaping () -> Void) {
        self.loop = loop
        self.body = body
        let timer = Timer(loop: loop, group: HandleGroup(loop: loop), owner: self)
        self.timer = timer
        timer.start(at: loop.now.instant + delay)
        loop.retain(self)
    }

    /// Whether the closure waits for its call; false inside the closure.
    ///
    /// - Precondition: called on the loop's thread.
    public var isPending: Bool {
        loop.preconditionCurrent("LoopTimer.isPending")
        return body != nil
    }

    /// Cancels the call and releases the closure.
    ///
    /// Does nothing after the call or an earlier cancellation, and inside the closure.
    ///
    /// - Precondition: called on the loop's thread. Safe inside any delegate callback.
    public func cancel() {
        loop.preconditionCurrent("LoopTimer.cancel()")
        _ = takeBody()
    }

    /// Ends the timer.
    ///
    /// - Returns: the closure, for the caller to drop: releasing its captures may run the host's code.
    private func takeBody() -> (() -> Void)? {
        guard let body else { return nil }
        self.body = nil
        timer?.close()
        timer = nil
        loop.release(self)
        return body
    }
}

extension LoopTimer: TimerOwner, LoopCloseable {
    package func timerDidFire(_ timer: Timer) {
        takeBody()?()
    }

    package func closeByLoop() {
        cancel()
    }
}

extension LoopTimer: CustomStringConvertible {
    /// Whether the closure waits for its call.
    public var description: String { "LoopTimer(\(body == nil ? "over" : "pending"))" }
}

extension UVLoop {
    /// Calls `body` once, on the loop's thread, after `delay`.
    ///
    ///     let timer = loop.schedule(after: .seconds(30)) { channel.close() }
    ///     …
    ///     timer.cancel()
    ///
    /// The call never comes early and never inside `schedule(after:_:)`: after a delay of zero or less it comes in a
    /// later turn of the loop. It comes late if the loop is blocked. Calls that are due together come in the order of
    /// their times, to the millisecond, and within one in the order of scheduling. The clock is monotonic. A delay has
    /// no upper limit.
    ///
    /// `run()` does not return, and `detach(completion:)` does not take effect, before the call or its cancellation.
    /// `closeAll()` cancels it.
    ///
    /// - Parameters:
    ///   - delay: counted from now.
    ///   - body: held until its call or the cancellation.
    /// - Returns: a timer that can cancel the call. You need not keep it.
    /// - Precondition: called on the loop's thread. Safe inside any delegate callback.
    @discardableResult
    public func schedule(after delay: Duration, _ body: @escaping () -> Void) -> LoopTimer {
        preconditionCurrent("UVLoop.schedule(after:_:)")
        return LoopTimer(on: self, after: delay, body)
    }

    /// Runs the loop as `run()` does, for at most `duration`.
    ///
    /// It returns earlier if nothing is open or after `stop()`, and later if a callback blocks the loop. Like `stop()`,
    /// the end of the time closes nothing, and the loop may run again. For a duration of zero or less the loop turns
    /// once or twice.
    ///
    /// - Precondition: as for `run()`.
    public func run(for duration: Duration) {
        checkMayRun("UVLoop.run(for:)")
        bindToCurrentThread()
        let limit = RunLimit(on: self, after: duration)
        run()
        limit.end()
    }
}

/// Stops a loop when its time is over, without keeping it running.
private final class RunLimit: TimerOwner {
    private let loop: UVLoop
    private let timer: Timer

    init(on loop: UVLoop, after duration: Duration) {
        self.loop = loop
        timer = Timer(loop: loop, group: HandleGroup(loop: loop), keepsRunning: false)
        // `end()` closes the timer before this object is deallocated.
        unsafe timer.owner = self
        timer.start(at: loop.now.instant + duration)
    }

    func timerDidFire(_ timer: Timer) {
        timer.close()
        loop.stop()
    }

    func end() {
        timer.close()
    }
}
