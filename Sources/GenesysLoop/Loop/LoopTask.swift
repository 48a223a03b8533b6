/// Work an object does on its loop's thread, outside of the call that asked for it.
///
/// `UVLoop.schedule(_:)` queues it: first in, first out, once however often it is asked for, never inside another
/// pass and never inside a close callback of libuv.
package protocol LoopTask: AnyObject {
    /// Does the work. May schedule further passes, itself included.
    func runTask()
}

/// Forwards a pass to an object that may die before the pass runs.
///
/// The loop's queue holds what is scheduled. A wrapper that must die with its last outside reference schedules a relay
/// instead of itself, and clears `target` in its `deinit`.
final class TaskRelay: LoopTask {
    /// Unretained; cleared before the target dies.
    unowned(unsafe) var target: (any LoopTask)?

    init(target: any LoopTask) {
        unsafe self.target = target
    }

    func runTask() {
        // The strong local keeps the target alive for the whole pass.
        guard let target = unsafe target else { return }
        target.runTask()
    }
}
