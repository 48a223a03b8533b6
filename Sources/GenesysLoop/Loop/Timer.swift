internal import CUV

/// The owner of a `Timer`.
package protocol TimerOwner: AnyObject {
    /// The loop was blocked when the timer was due: unread bytes have no known arrival time.
    ///
    /// The call precedes the poll that reads them, and `timerDidFire` follows the poll.
    func loopWasLate()
    /// The timer's instant has come, and the loop has polled since. The timer is stopped and may be started again.
    func timerDidFire(_ timer: Timer)
}

extension TimerOwner {
    /// Most owners do not need to know when bytes arrived.
    package func loopWasLate() {}
}

/// One deadline on a loop.
///
/// An armed timer keeps the loop running. The owner is notified after one more poll (see `DueTimers`), so that an
/// answer that waits in a socket is read before a peer is judged.
///
/// Dropping the last reference closes the timer, inside its own callback too.
@safe package final class Timer {
    package let loop: UVLoop

    /// Unretained. Before the owner is destroyed it must be set to nil, or the timer closed or dropped.
    package unowned(unsafe) var owner: (any TimerOwner)?

    private var block: HandleBlock?
    /// When the timer is to fire.
    private var dueAt = Instant(nanoseconds: 0)
    /// When the timer fired, while it is due.
    private var firedAt = Instant(nanoseconds: 0)
    /// From when on the loop counts as blocked: never for a stopped timer; for a due one, a tolerance after the owner
    /// was last notified.
    private var lateAt = Instant(nanoseconds: .max)
    private var isDue = false
    /// How many polls had been made when the timer became due.
    private(set) var awaitedPoll = 0
    private var isSecondPoll = false

    /// Creates a stopped timer.
    ///
    /// - Parameter keepsRunning: whether the timer keeps the loop running while it is armed.
    /// - Precondition: called on `loop`'s thread.
    package init(
        loop: UVLoop, group: HandleGroup, owner: (any TimerOwner)? = nil, keepsRunning: Bool = true
    ) {
        loop.preconditionCurrent("Timer.init")
        self.loop = loop
        unsafe self.owner = owner
        block = .timer(on: loop, group: group)
        block?.setOwner(self)
        if !keepsRunning { block?.neverKeepRunning() }
        loop.dueTimers.timerDidOpen(on: loop)
    }

    deinit { close() }

    /// Arms the timer for `instant`, also if it is armed already.
    ///
    /// The timer never fires early (`instant` is rounded up to a millisecond) and never inside this call. For an
    /// instant in the past it fires a millisecond from now, so that a timer that is re-armed in its callback cannot
    /// starve the loop.
    package func start(at instant: Instant) {
        guard let block else { return }
        forgetDue()
        // The loop is alive as long as `self`, and the block is open. libuv adds the delay to the loop's cached time,
        // which may be old after a long callback.
        unsafe uv_update_time(loop.raw)
        let (quotient, remainder) = max(0, instant.nanoseconds).quotientAndRemainder(dividingBy: 1_000_000)
        let current = unsafe uv_now(loop.raw)
        let wanted = max(UInt64(quotient) + (remainder > 0 ? 1 : 0), current + 1)
        dueAt = Instant(nanoseconds: 0) + .milliseconds(Int64(clamping: wanted))
        lateAt = dueAt + loop.dueTimers.tolerance
        _ = unsafe uv_timer_start(block.timer, timerCallback, wanted - current, 0)
    }

    /// Disarms the timer.
    package func stop() {
        guard let block else { return }
        forgetDue()
        lateAt = Instant(nanoseconds: .max)
        // The block is open.
        _ = unsafe uv_timer_stop(block.timer)
    }

    /// Whether the timer is armed.
    package var isArmed: Bool {
        guard let block else { return false }
        // The block is open.
        return unsafe isDue || uv_is_active(block.handle) != 0
    }

    /// Closes the timer. Its owner gets no further call.
    ///
    /// Calling it again does nothing.
    package func close() {
        unsafe owner = nil
        guard let block else { return }
        forgetDue()
        lateAt = Instant(nanoseconds: .max)
        self.block = nil
        block.close()
        loop.dueTimers.timerDidClose()
    }

    private func forgetDue() {
        guard isDue else { return }
        isDue = false
        loop.dueTimers.remove(self)
    }

    /// libuv's timer fired.
    fileprivate func didExpire() {
        isSecondPoll = false
        becomeDue()
    }

    /// Joins the due timers. Notifies the owner at once if the loop is late.
    private func becomeDue() {
        guard let owner = unsafe owner else { return }
        let now = loop.now
        let isLate = now.instant >= lateAt
        if !isSecondPoll { loop.lag.record(now.instant - dueAt) }
        firedAt = now.instant
        lateAt = now.instant + loop.dueTimers.tolerance
        isDue = true
        awaitedPoll = loop.dueTimers.pollCount
        loop.dueTimers.append(self)
        if isLate { loop.inPass { owner.loopWasLate() } }
    }

    /// Notifies the owner if the loop is late.
    ///
    /// An owner that reads sockets calls it before each read: since libuv 1.45 the loop may poll before it runs its
    /// timers, and a callback may block the loop in the middle of a poll.
    @inline(__always)
    package func noticeLateness(now: ClockReading) {
        if now.instant >= lateAt { loopIsLate(now: now) }
    }

    private func loopIsLate(now: ClockReading) {
        lateAt = isDue ? now.instant + loop.dueTimers.tolerance : Instant(nanoseconds: .max)
        // The strong local keeps the owner alive for the call.
        guard let owner = unsafe owner else { return }
        owner.loopWasLate()
    }

    /// The loop has polled since the timer fired, and the timer has left the list of due timers.
    func loopDidPoll() {
        isDue = false
        // Another callback of that poll blocked the loop, so deadlines that passed in that time need one more poll.
        // There is no third one: a loop that is blocked in every turn must not starve its timers.
        if !isSecondPoll, loop.now.instant - firedAt >= loop.dueTimers.tolerance {
            isSecondPoll = true
            return becomeDue()
        }
        lateAt = Instant(nanoseconds: .max)
        // The strong local keeps the owner alive for the whole pass.
        guard let owner = unsafe owner else { return }
        loop.inPass { owner.timerDidFire(self) }
    }
}

private func timerCallback(_ handle: UnsafeMutablePointer<uv_timer_t>?) {
    guard let timer = unsafe HandleBlock.owner(handle?.pointee.data, as: Timer.self) else { return }
    timer.didExpire()
}
