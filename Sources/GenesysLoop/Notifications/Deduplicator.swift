/// Tells copies of one notification on the two sockets of an overlap apart from genuine repeats.
///
/// For each fingerprint what has been delivered equals the larger of the two sockets' counts: identical messages on one
/// socket all survive, a message that came on both is delivered once. It is idle outside an overlap and bounded in it:
/// beyond `capacity` fingerprints the oldest is forgotten.
package struct Deduplicator: Equatable, Sendable {
    package enum Side: Equatable {
        case old
        case new
    }

    private struct Counts: Equatable {
        var old: UInt32 = 0
        var new: UInt32 = 0
    }

    package static let defaultCapacity = 65_536

    package let capacity: Int
    package private(set) var isActive = false
    /// Messages that were not delivered because the other socket had delivered them.
    package private(set) var mergedCount = 0
    private var counts: [UInt64: Counts] = [:]
    private var order: [UInt64] = []
    private var head = 0

    package init(capacity: Int = Deduplicator.defaultCapacity) {
        self.capacity = max(1, capacity)
    }

    /// An overlap begins. What an overlap just before it counted on its new socket, now the old one, is kept.
    package mutating func begin() {
        guard isActive else {
            isActive = true
            return
        }
        var kept: [UInt64: Counts] = [:]
        var keptOrder: [UInt64] = []
        for fingerprint in order[head...] {
            guard let entry = counts[fingerprint], entry.new > 0 else { continue }
            kept[fingerprint] = Counts(old: entry.new, new: 0)
            keptOrder.append(fingerprint)
        }
        counts = kept
        order = keptOrder
        head = 0
    }

    /// The overlap and its echo are over: all is forgotten.
    package mutating func end() {
        isActive = false
        counts = [:]
        order = []
        head = 0
    }

    /// Whether a message with this fingerprint, received on `side`, is to be delivered.
    package mutating func admit(_ fingerprint: UInt64, on side: Side) -> Bool {
        guard isActive else { return true }
        var entry = counts[fingerprint] ?? remember(fingerprint)
        let delivered = max(entry.old, entry.new)
        switch side {
        case .old: entry.old &+= 1
        case .new: entry.new &+= 1
        }
        counts[fingerprint] = entry
        guard max(entry.old, entry.new) > delivered else {
            mergedCount += 1
            return false
        }
        return true
    }

    private mutating func remember(_ fingerprint: UInt64) -> Counts {
        order.append(fingerprint)
        if order.count - head > capacity {
            counts[order[head]] = nil
            head += 1
            if head > capacity {
                order.removeFirst(head)
                head = 0
            }
        }
        return Counts()
    }
}
