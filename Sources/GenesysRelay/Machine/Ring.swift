/// A queue whose elements have places: 0 is the oldest.
///
/// Both ends and every place are reached in constant time. The storage doubles when it is full, and is given back when
/// a large ring becomes empty.
struct Ring<Element> {
    /// The storage that an empty ring keeps, in elements.
    static var kept: Int { 1024 }

    private var storage: [Element?] = []
    private var start = 0
    private(set) var count = 0

    /// The bytes that are allocated, or were at once when the ring last grew.
    var allocatedSize: Int { storage.capacity * 3 / 2 * MemoryLayout<Element?>.stride }

    var isEmpty: Bool { count == 0 }
    var first: Element? { count == 0 ? nil : storage[start] }

    private func slot(_ place: Int) -> Int { (start &+ place) & (storage.count &- 1) }

    subscript(place: Int) -> Element {
        get {
            guard place >= 0, place < count, let element = storage[slot(place)] else {
                preconditionFailure("place \(place) of \(count)")
            }
            return element
        }
        set {
            precondition(place >= 0 && place < count, "place \(place) of \(count)")
            storage[slot(place)] = newValue
        }
    }

    mutating func append(_ element: Element) {
        growIfFull()
        storage[slot(count)] = element
        count += 1
    }

    mutating func prepend(_ element: Element) {
        growIfFull()
        start = slot(storage.count - 1)
        storage[start] = element
        count += 1
    }

    @discardableResult
    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = storage[start].take()
        start = slot(1)
        count -= 1
        if count == 0, storage.count > Self.kept { storage = [] }
        if count == 0 { start = 0 }
        return element
    }

    private mutating func growIfFull() {
        guard count == storage.count else { return }
        var larger: [Element?] = []
        larger.reserveCapacity(max(16, count * 2))
        for place in 0..<count { larger.append(storage[slot(place)]) }
        while larger.count < max(16, count * 2) { larger.append(nil) }
        storage = larger
        start = 0
    }
}

extension Ring: Sendable where Element: Sendable {}

extension Ring: Equatable where Element: Equatable {
    static func == (left: Ring, right: Ring) -> Bool {
        left.count == right.count && (0..<left.count).allSatisfy { left[$0] == right[$0] }
    }
}
