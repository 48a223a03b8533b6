/// A queue: first in, first out, in constant time on average.
///
/// Two stacks, one for each end: a removed element is released at once. An empty front is refilled with the elements of
/// the back, reversed; no other call moves elements.
package struct Fifo<Element> {
    /// The next elements, in reverse order: `popFirst()` removes the last one.
    private var front: [Element] = []
    /// The elements added since `front` was filled.
    private var back: [Element] = []

    package init() {}

    package var count: Int { front.count + back.count }
    package var isEmpty: Bool { front.isEmpty && back.isEmpty }
    /// The element that `popFirst()` returns.
    package var first: Element? { front.last ?? back.first }
    /// The storage held.
    package var capacity: Int { front.capacity + back.capacity }
    /// The elements, the oldest first.
    package var elements: [Element] { front.reversed() + back }

    package mutating func append(_ element: Element) {
        back.append(element)
    }

    package mutating func append(contentsOf elements: some Sequence<Element>) {
        back.append(contentsOf: elements)
    }

    /// Removes and returns the oldest element.
    package mutating func popFirst() -> Element? {
        if front.isEmpty {
            // The most frequent case: the queue holds one element.
            guard back.count > 1 else { return back.popLast() }
            swap(&front, &back)
            front.reverse()
        }
        return front.popLast()
    }

    /// Removes everything and gives the storage back.
    package mutating func removeAll() {
        front = []
        back = []
    }
}

extension Fifo: Sendable where Element: Sendable {}

extension Fifo: Equatable where Element: Equatable {
    package static func == (left: Fifo, right: Fifo) -> Bool {
        left.count == right.count && left.elements == right.elements
    }
}
