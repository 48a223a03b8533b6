/// Events by due time: a binary heap, first in first out among equal times.
struct DeadlineQueue<Event: Sendable>: Sendable {
    private struct Entry: Sendable {
        let due: Duration
        let order: Int
        let event: Event

        func precedes(_ other: Entry) -> Bool {
            (due, order) < (other.due, other.order)
        }
    }

    private var heap: [Entry] = []
    private var entryCount = 0

    /// The earliest time at which something is due.
    var nextDue: Duration? { heap.first?.due }

    mutating func add(_ event: Event, at due: Duration) {
        heap.append(Entry(due: due, order: entryCount, event: event))
        entryCount += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Removes the earliest event; the queue must not be empty.
    mutating func removeFirst() -> (due: Duration, event: Event) {
        heap.swapAt(0, heap.count - 1)
        let first = heap.removeLast()
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(heap[parent]) else { break }
            heap.swapAt(child, parent)
            parent = child
        }
        return (first.due, first.event)
    }
}
