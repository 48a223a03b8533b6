import GenesysLoop

/// Nanoseconds of true time since the simulated world began; setting a clock does not change it.
typealias VirtualTime = Int64

extension VirtualTime {
    static let millisecond: VirtualTime = 1_000_000
    static let second: VirtualTime = 1_000_000_000
    static let never: VirtualTime = .max

    static func seconds(_ count: Int) -> VirtualTime { VirtualTime(count) * second }
    static func milliseconds(_ count: Int) -> VirtualTime { VirtualTime(count) * millisecond }

    /// For example `12.345 s`.
    var text: String {
        let (whole, rest) = (self / .millisecond).quotientAndRemainder(dividingBy: 1_000)
        let digits = "\(1_000 + abs(rest))".dropFirst()
        return "\(whole).\(digits)"
    }
}

extension SplitMix64 {
    /// A number from 0 below `bound`; slightly biased, but fast.
    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: (next() >> 33) % UInt64(bound))
    }

    /// A number of a closed range.
    mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.count)
    }

    /// True once in this many calls.
    mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    mutating func time(_ seconds: ClosedRange<Double>) -> VirtualTime {
        VirtualTime(Double.random(in: seconds, using: &self) * Double(VirtualTime.second))
    }
}

/// First in, first out; elements are never moved.
struct Queue<Element> {
    private var storage: [Element] = []
    private var head = 0

    var isEmpty: Bool { head == storage.count }
    var first: Element? { head < storage.count ? storage[head] : nil }

    mutating func append(_ element: Element) { storage.append(element) }

    mutating func removeFirst() -> Element {
        let element = storage[head]
        head += 1
        if head == storage.count { removeAll() }
        return element
    }

    mutating func removeAll() {
        storage.removeAll(keepingCapacity: true)
        head = 0
    }

    /// Whether fewer than `limit` elements from the front satisfy `isMeant`.
    func hasFewer(than limit: Int, where isMeant: (Element) -> Bool) -> Bool {
        var index = head
        while index < storage.count, isMeant(storage[index]) {
            index += 1
            if index - head >= limit { return false }
        }
        return true
    }

    /// The first element that satisfies `isMeant`.
    func first(where isMeant: (Element) -> Bool) -> Element? { storage[head...].first(where: isMeant) }

    mutating func change(_ body: (Element) -> Element) {
        storage = storage[head...].map(body)
        head = 0
    }

    mutating func keep(where isKept: (Element) -> Bool) {
        storage = storage[head...].filter(isKept)
        head = 0
    }
}
