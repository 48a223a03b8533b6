/// A queue: first in, first out, in constant time on average.
///
/// Two stacks, one for each end: what was taken out is released at once, and nothing is moved but when the front is
/// empty, which reverses what came in since.
package struct Fifo<Element> {
    /// What is taken next, the last element first.
    private var front: [Element] = []
    /// What came in since `front` was filled.
    private var back: [Element] = []

    package init() {}

    package var count: Int { front.count + back.count }
    package var isEmpty: Bool { front.isEmpty && back.isEmpty }
    /// The element that `popFirst()` returns.
    package var first: Element? { front.last ?? back.first }
    /// The storage held.
    package var capacity: Int { front.capacity + back.capacity }
    /// The elements in their order.
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
