/// Work that an object does on its loop's thread, outside of the call that requested it.
///
/// `UVLoop.schedule(_:)` queues it: first in, first out, at most once at a time, never inside another task and never
/// inside a close callback of libuv.
package protocol LoopTask: AnyObject {
    /// Does the work. May schedule further tasks, including itself.
    func runTask()
}

/// Forwards a task to an object that may be destroyed before the task runs.
///
/// The loop's queue retains scheduled tasks. A wrapper that must be destroyed with its last outside reference schedules
/// a relay instead of itself, and clears `target` in its `deinit`.
package final class TaskRelay: LoopTask {
    /// Unretained; cleared before the target is destroyed.
    package unowned(unsafe) var target: (any LoopTask)?

    package init(target: any LoopTask) {
        unsafe self.target = target
    }

    package func runTask() {
        // The strong local keeps the target alive for the call.
        guard let target = unsafe target else { return }
        target.runTask()
    }
}

/// The tasks that wait on a loop: first in, first out, each at most once.
struct TaskQueue {
    private var waiting = Fifo<any LoopTask>()
    private var identities: Set<ObjectIdentifier> = []
    private var kept: [AnyObject] = []

    var isEmpty: Bool { waiting.isEmpty }

    /// Adds a task.
    ///
    /// - Returns: whether it was added; false if it waits already.
    mutating func append(_ task: any LoopTask) -> Bool {
        guard identities.insert(ObjectIdentifier(task)).inserted else { return false }
        waiting.append(task)
        return true
    }

    /// Removes the oldest task, which can then be added again.
    mutating func next() -> (any LoopTask)? {
        guard let task = waiting.popFirst() else { return nil }
        identities.remove(ObjectIdentifier(task))
        return task
    }

    /// Holds a reference until `takeKept()`.
    mutating func keepUntilDrained(_ object: AnyObject) {
        kept.append(object)
    }

    /// Removes the kept references, for the caller to drop.
    mutating func takeKept() -> [AnyObject] {
        var objects: [AnyObject] = []
        swap(&objects, &kept)
        return objects
    }
}

/// An object that is open on a loop, and that the loop can close.
package protocol LoopCloseable: AnyObject {
    /// Does what the public `close()` does without arguments.
    func closeByLoop()
}
