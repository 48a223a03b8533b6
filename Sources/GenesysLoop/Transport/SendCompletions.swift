/// The completions of sent messages, in the order of sending.
///
/// A position in the output is the number of bytes that the kernel has accepted since the connection was made; with
/// TLS, the bytes of the records.
struct SendCompletions {
    /// Nil if the kernel has accepted all bytes, else why it has not.
    typealias Completion = (LinkFailure?) -> Void

    private struct Entry {
        let completion: Completion
        /// The position at the end of its message.
        var end: Int
    }

    /// The completions of messages that TCP has.
    private var entries = Fifo<Entry>()
    /// The completions of messages in the outbox, whose positions are not known yet.
    private var unplaced: [Completion] = []

    init() {}

    var isEmpty: Bool { entries.isEmpty && unplaced.isEmpty }

    /// Adds the completion of the message that was just put into the outbox.
    mutating func append(_ completion: @escaping Completion) {
        unplaced.append(completion)
    }

    /// TCP has everything that was put into the outbox, up to the position `end`.
    mutating func outboxWasHandedOver(end: Int) {
        for completion in unplaced { entries.append(Entry(completion: completion, end: end)) }
        unplaced.removeAll(keepingCapacity: true)
    }

    /// The kernel will accept no more than the `count` bytes so far.
    mutating func connectionIsOver(at count: Int) {
        outboxWasHandedOver(end: .max)
        let waiting = entries.elements
        entries.removeAll()
        for entry in waiting {
            entries.append(Entry(completion: entry.completion, end: entry.end <= count ? 0 : .max))
        }
    }

    /// Whether the next completion is due once the kernel has accepted `count` bytes.
    func hasDone(at count: @autoclosure () -> Int) -> Bool {
        guard !entries.isEmpty, let first = entries.first else { return false }
        return first.end <= count()
    }

    /// The next completion that is due.
    mutating func popDone(at count: Int) -> Completion? {
        hasDone(at: count) ? popFirst() : nil
    }

    /// The next completion, due or not.
    mutating func popFirst() -> Completion? {
        if entries.isEmpty { outboxWasHandedOver(end: .max) }
        return entries.popFirst()?.completion
    }
}
