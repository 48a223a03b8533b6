/// Those who want to know what became of what they sent, in the order of sending.
///
/// A place in the output counts the bytes that the kernel took since the connection was made, with TLS those of the
/// records.
package struct SendCompletions {
    /// Nil when the kernel took it all, else why it did not.
    package typealias Completion = (ChannelFailure?) -> Void

    private struct Entry {
        let completion: Completion
        /// Where the output ends for it.
        var end: Int
    }

    /// For what was handed to TCP.
    private var entries = Fifo<Entry>()
    /// For what is in the outbox: where it ends is not known yet.
    private var unplaced: [Completion] = []

    package init() {}

    package var isEmpty: Bool { entries.isEmpty && unplaced.isEmpty }

    /// For what has just been put into the outbox.
    package mutating func append(_ completion: @escaping Completion) {
        unplaced.append(completion)
    }

    /// All that was put into the outbox is with TCP: `end` is where it ends.
    mutating func outboxWasHandedOver(end: Int) {
        for completion in unplaced { entries.append(Entry(completion: completion, end: end)) }
        unplaced.removeAll(keepingCapacity: true)
    }

    /// Nothing more will be taken than the `count` bytes so far.
    mutating func connectionIsOver(at count: Int) {
        outboxWasHandedOver(end: .max)
        let waiting = entries.elements
        entries.removeAll()
        for entry in waiting {
            entries.append(Entry(completion: entry.completion, end: entry.end <= count ? 0 : .max))
        }
    }

    /// Whether somebody is to be told that all was taken when `count` bytes are.
    package func hasDone(at count: @autoclosure () -> Int) -> Bool {
        entries.first.map { $0.end <= count() } ?? false
    }

    /// The next of them.
    package mutating func popDone(at count: Int) -> Completion? {
        hasDone(at: count) ? popFirst() : nil
    }

    /// The next one, whatever became of it.
    package mutating func popFirst() -> Completion? {
        if entries.isEmpty { outboxWasHandedOver(end: .max) }
        return entries.popFirst()?.completion
    }
}
