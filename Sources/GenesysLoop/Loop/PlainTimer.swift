internal import CUV

/// The owner of a `PlainTimer`.
package protocol PlainTimerOwner: AnyObject {
    /// The delay is over. The timer is stopped and may be started again.
    func plainTimerDidFire(_ timer: PlainTimer)
}

/// A timer of another library: it fires as libuv's timers do, without the further poll of `Timer`, and a delay of zero
/// ends in the loop's next turn.
///
/// An armed timer keeps the loop running. Every call of the owner comes inside a pass of the loop.
@safe package final class PlainTimer {
    private let loop: UVLoop
    private var block: HandleBlock?
    /// Unretained: the owner closes the timer before it is deallocated.
    private unowned(unsafe) var owner: (any PlainTimerOwner)?

    /// Creates a stopped timer.
    package init(loop: UVLoop, group: HandleGroup, owner: any PlainTimerOwner) {
        self.loop = loop
        unsafe self.owner = owner
        block = .timer(on: loop, group: group)
        block?.setOwner(self)
    }

    deinit { close() }

    /// Arms the timer, also if it is armed already. It never fires inside this call.
    package func start(after milliseconds: UInt64) {
        guard let block else { return }
        // The block is open. libuv adds the delay to the loop's cached time, which may be old.
        unsafe uv_update_time(loop.raw)
        _ = unsafe uv_timer_start(block.timer, plainTimerCallback, milliseconds, 0)
    }

    /// Disarms the timer.
    package func stop() {
        guard let block else { return }
        // The block is open.
        _ = unsafe uv_timer_stop(block.timer)
    }

    /// Whether the timer is armed.
    package var isArmed: Bool {
        guard let block else { return false }
        // The block is open.
        return unsafe uv_is_active(block.handle) != 0
    }

    /// Closes the timer. Its owner gets no further call; calling it again does nothing.
    package func close() {
        unsafe owner = nil
        block?.close()
        block = nil
    }

    fileprivate func didFire() {
        // The strong local keeps the owner alive for the call.
        guard let owner = unsafe owner else { return }
        loop.inPass { owner.plainTimerDidFire(self) }
    }
}

private func plainTimerCallback(_ handle: UnsafeMutablePointer<uv_timer_t>?) {
    guard let timer = unsafe HandleBlock.owner(handle?.pointee.data, as: PlainTimer.self) else { return }
    timer.didFire()
}
