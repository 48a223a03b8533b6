internal import CUV

/// Who hears from a `Timer`.
package protocol TimerOwner: AnyObject {
    /// The instant the timer was started for has come; it is stopped and may be started again.
    func timerDidFire(_ timer: Timer)
}

/// One deadline on a loop.
///
/// An armed timer keeps the loop running.
///
/// Dropping the last reference closes it, inside its own callback too.
@safe package final class Timer {
    package let loop: UVLoop

    /// Unretained: must be set to nil, or the timer closed or dropped, before the owner dies.
    package unowned(unsafe) var owner: (any TimerOwner)?

    private var block: HandleBlock?

    /// Creates a stopped timer.
    ///
    /// - Precondition: called on `loop`'s thread.
    package init(loop: UVLoop, group: HandleGroup, owner: (any TimerOwner)? = nil) {
        loop.preconditionCurrent("Timer.init")
        self.loop = loop
        unsafe self.owner = owner
        do throws(UVError) {
            block = try unsafe HandleBlock(group: group, kind: uv_timer_t.self, operation: "uv_timer_init") { block in
                unsafe uv_timer_init(loop.raw, cuv_block_timer(block))
            }
        } catch {
            preconditionFailure("uv_timer_init, which cannot fail, failed: \(error)")
        }
        block?.setOwner(self)
    }

    deinit { close() }

    /// Arms the timer for `instant`, or arms it anew.
    ///
    /// It never fires early (rounded up to the next millisecond), never inside this call, and for an instant in the
    /// past at the earliest a millisecond from now, so that a timer re-armed in its callback cannot starve the loop.
    package func start(at instant: Instant) {
        guard let block else { return }
        // The loop is alive as long as `self`, the block is open. The loop's cached time may be old after a long
        // callback; libuv adds the delay to it.
        unsafe uv_update_time(loop.raw)
        let (quotient, remainder) = max(0, instant.nanoseconds).quotientAndRemainder(dividingBy: 1_000_000)
        let due = UInt64(quotient) + (remainder > 0 ? 1 : 0)
        let current = unsafe uv_now(loop.raw)
        let delay = due > current ? due - current : 1
        _ = unsafe uv_timer_start(block.timer, timerCallback, delay, 0)
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

    /// Ends the timer; its owner hears nothing more.
    ///
    /// Calling it again does nothing.
    package func close() {
        unsafe owner = nil
        guard let block else { return }
        self.block = nil
        block.close()
    }

    fileprivate func didFire() {
        // The strong local keeps the owner alive for the whole pass.
        guard let owner = unsafe owner else { return }
        loop.inPass { owner.timerDidFire(self) }
    }
}

private func timerCallback(_ handle: UnsafeMutablePointer<uv_timer_t>?) {
    guard let timer = unsafe HandleBlock.owner(handle?.pointee.data, as: Timer.self) else { return }
    timer.didFire()
}
