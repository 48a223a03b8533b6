/// The passes that wait on a loop, first in, first out, each at most once.
struct TaskQueue {
    private var waiting: [(any LoopTask)?] = []
    private var head = 0
    private var identities: Set<ObjectIdentifier> = []
    private var kept: [AnyObject] = []

    var isEmpty: Bool { head == waiting.count }

    /// Whether the pass was added; false when it waits already.
    mutating func append(_ pass: any LoopTask) -> Bool {
        guard identities.insert(ObjectIdentifier(pass)).inserted else { return false }
        waiting.append(pass)
        return true
    }

    /// Takes the oldest pass out; from now on it can be added again.
    mutating func next() -> (any LoopTask)? {
        guard head < waiting.count, let pass = waiting[head] else { return nil }
        waiting[head] = nil
        head += 1
        identities.remove(ObjectIdentifier(pass))
        if head == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            head = 0
        }
        return pass
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
