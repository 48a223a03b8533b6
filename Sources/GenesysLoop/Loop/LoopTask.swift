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

/// The passes that wait on a loop, first in, first out, each at most once.
struct TaskQueue {
    private var waiting = Fifo<any LoopTask>()
    private var identities: Set<ObjectIdentifier> = []
    private var kept: [AnyObject] = []

    var isEmpty: Bool { waiting.isEmpty }

    /// Whether the pass was added; false when it waits already.
    mutating func append(_ task: any LoopTask) -> Bool {
        guard identities.insert(ObjectIdentifier(task)).inserted else { return false }
        waiting.append(task)
        return true
    }

    /// Takes the oldest pass out; from now on it can be added again.
    mutating func next() -> (any LoopTask)? {
        guard let task = waiting.popFirst() else { return nil }
        identities.remove(ObjectIdentifier(task))
        return task
    }

    /// Holds a reference until `takeKept()`.
    mutating func keepUntilDrained(_ object: AnyObject) {
        kept.append(object)
    }

    /// Takes out what was kept, for the caller to drop.
    mutating func takeKept() -> [AnyObject] {
        var objects: [AnyObject] = []
        swap(&objects, &kept)
        return objects
    }
}

/// What lives on a loop between its `open()` and its terminal call, and can be closed by it.
package protocol LoopCloseable: AnyObject {
    /// As the public `close()`, without arguments.
    func closeByLoop()
}
