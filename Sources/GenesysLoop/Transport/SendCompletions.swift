/// Those who want to know what became of what they sent, in the order of sending.
///
/// A place in the output counts the bytes that the kernel took since the connection was made, with TLS those of the
/// records.
package struct SendCompletions {
    /// Nil when the kernel took it all, else why it did not.
    package typealias Completion = (ChannelFailure?) -> Void

    private struct Entry {
        let completion: Completion
        /// Where the output ends for it; unknown until it was handed to TCP.
        var end = Int.max
    }

    private var entries: [Entry] = []
    private var head = 0
    private var unplacedCount = 0

    package init() {}

    package var isEmpty: Bool { head == entries.count }

    /// For what has just been put into the outbox.
    package mutating func append(_ completion: @escaping Completion) {
        entries.append(Entry(completion: completion))
        unplacedCount += 1
    }

    /// All that was put into the outbox is with TCP: `end` is where it ends.
    mutating func outboxWasHandedOver(end: Int) {
        guard unplacedCount > 0 else { return }
        for index in entries.indices.suffix(unplacedCount) { entries[index].end = end }
        unplacedCount = 0
    }

    /// Nothing more will be taken than the `count` bytes so far.
    mutating func connectionIsOver(at count: Int) {
        for index in entries.indices[head...] {
            entries[index].end = entries[index].end <= count ? 0 : .max
        }
        unplacedCount = 0
    }

    /// Whether somebody is to be told that all was taken when `count` bytes are.
    package func hasDone(at count: @autoclosure () -> Int) -> Bool {
        head < entries.count && entries[head].end <= count()
    }

    /// The next of them.
    package mutating func popDone(at count: Int) -> Completion? {
        hasDone(at: count) ? popFirst() : nil
    }

    /// The next one, whatever became of it.
    package mutating func popFirst() -> Completion? {
        guard head < entries.count else { return nil }
        let completion = entries[head].completion
        head += 1
        // Linear in all, however many wait.
        if head > entries.count / 2 {
            entries.removeSubrange(..<head)
            head = 0
        }
        return completion
    }
}
