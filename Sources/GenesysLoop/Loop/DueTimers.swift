internal import CUV

/// The due timers of a loop: they have fired, and the loop has not polled since.
///
/// A deadline decides that a peer was silent, but a timer fires before the loop looks at the sockets: libuv before 1.45
/// runs the timers before it polls, and later versions run them after a poll that may have preceded the answer. So the
/// owner of a timer is notified after one more poll:
///
///     timer fires ──▶ (late: `loopWasLate`) ──▶ poll, without blocking ──▶ `timerDidFire`
///
/// While a timer is due, an empty `uv_idle` keeps the poll from blocking. `uv_check`, which libuv calls after the poll,
/// notifies the owners. This order holds in every version of libuv and in every mode of `uv_run`. If `uv_run` returns
/// after the timers (`UV_RUN_ONCE`, and `UV_RUN_NOWAIT` since 1.45), its next call notifies the owners.
///
/// Bytes may be read before a late timer fires: by a poll before the timers, or after a callback that blocked the loop.
/// So an owner that reads sockets calls `Timer.noticeLateness(now:)` before each read.
///
/// The two handles exist while the loop has timers, and are active only while a timer is due. A loop without due timers
/// pays nothing, and a loop with due timers makes at most one additional poll in each turn.
struct DueTimers {
    /// A loop that is at least this late counts as blocked.
    var tolerance: Duration = .seconds(1)
    private var idle: HandleBlock?
    private var check: HandleBlock?
    /// The number of open timers on the loop.
    private var openCount = 0
    /// In the order in which they fired. Not a `Fifo`: a timer may leave from the middle, and the storage is reserved.
    private var timers: [DueTimer] = []
    private var head = 0
    /// The number of polls for due timers.
    private(set) var pollCount = 0

    /// A timer was created on `loop`.
    mutating func timerDidOpen(on loop: UVLoop) {
        openCount += 1
        guard openCount == 1 else { return }
        let group = HandleGroup(loop: loop)
        do throws(UVError) {
            // The loop is alive: the caller holds it.
            idle = try unsafe HandleBlock(group: group, kind: uv_idle_t.self, operation: "uv_idle_init") { block in
                unsafe uv_idle_init(loop.raw, cuv_block_idle(block))
            }
            // The loop is alive: the caller holds it.
            check = try unsafe HandleBlock(group: group, kind: uv_check_t.self, operation: "uv_check_init") { block in
                unsafe uv_check_init(loop.raw, cuv_block_check(block))
            }
        } catch {
            preconditionFailure("uv_idle_init and uv_check_init, which cannot fail, failed: \(error)")
        }
        check?.setOwner(loop)
        timers.reserveCapacity(8)
    }

    /// An open timer was closed; it has left the list.
    mutating func timerDidClose() {
        openCount -= 1
        guard openCount == 0 else { return }
        idle?.close()
        check?.close()
        idle = nil
        check = nil
    }

    private var count: Int { timers.count - head }

    /// `timer` waits for the next poll.
    mutating func append(_ timer: Timer) {
        timers.append(DueTimer(timer))
        guard count == 1, let idle, let check else { return }
        // Both blocks are open. The calls cannot fail: there are callbacks.
        unsafe uv_idle_start(idle.idle, { _ in })
        unsafe uv_check_start(check.check, checkCallback)
    }

    /// The loop has polled.
    mutating func didPoll() { pollCount &+= 1 }

    /// Removes the timer that fired first, if the loop has polled since.
    mutating func popFirst() -> Timer? {
        guard head < timers.count else { return nil }
        let timer = timers[head].timer
        guard timer.awaitedPoll != pollCount else { return nil }
        head += 1
        stopIfEmpty()
        return timer
    }

    /// Removes `timer`, which is due.
    mutating func remove(_ timer: Timer) {
        let index = timers[head...].firstIndex { $0.timer === timer }
        guard let index else { return }
        timers.remove(at: index)
        stopIfEmpty()
    }

    private mutating func stopIfEmpty() {
        guard count == 0 else { return }
        timers.removeAll(keepingCapacity: true)
        head = 0
        guard let idle, let check else { return }
        // Both blocks are open.
        unsafe uv_idle_stop(idle.idle)
        unsafe uv_check_stop(check.check)
    }
}

/// A timer in the list, unretained: dropping the last outside reference closes the timer.
@safe private struct DueTimer {
    private let reference: Unmanaged<Timer>

    init(_ timer: Timer) {
        unsafe reference = Unmanaged.passUnretained(timer)
    }

    /// The timer, which is alive: a timer leaves the list before it is closed.
    var timer: Timer {
        // As the summary says.
        unsafe reference.takeUnretainedValue()
    }
}

extension UVLoop {
    /// The loop has polled: notifies the owners of the due timers.
    fileprivate func didPoll() {
        dueTimers.didPoll()
        while let timer = dueTimers.popFirst() { timer.loopDidPoll() }
    }
}

private func checkCallback(_ handle: UnsafeMutablePointer<uv_check_t>?) {
    guard let loop = unsafe HandleBlock.owner(handle?.pointee.data, as: UVLoop.self) else { return }
    loop.didPoll()
}
