/// Tells copies of one notification on the sockets of an overlap apart from genuine repeats.
///
/// For each fingerprint what has been delivered equals the largest of the sockets' counts: identical messages on one
/// socket all survive, a message that came on both is delivered once. Counts are kept by link, because a successor that
/// failed and the next one must not be taken for one socket. It is idle outside an overlap and bounded in it: beyond
/// `capacity` fingerprints the oldest is forgotten.
package struct Deduplicator: Equatable, Sendable {
    /// What came on one link; link 0 is nobody's.
    private struct Count: Equatable {
        var link: UInt32 = 0
        var copies: UInt32 = 0

        /// Smaller for older links; `kept` never grows old.
        func age(_ kept: UInt32) -> UInt32 { link == kept && link != 0 ? .max : link }
    }

    /// The old link, the new one, and one that failed and whose held messages are still being released.
    private struct Entry: Equatable {
        var delivered: UInt32 = 0
        var first = Count()
        var second = Count()
        var third = Count()

        /// Counts a copy on `link`.
        ///
        /// Without a place for it, the oldest link that is not `kept` loses its own.
        mutating func counted(on link: UInt32, keeping kept: UInt32) -> UInt32 {
            if first.link == link { return Entry.increment(&first) }
            if second.link == link { return Entry.increment(&second) }
            if third.link == link { return Entry.increment(&third) }
            let fresh = Count(link: link, copies: 1)
            if first.age(kept) <= min(second.age(kept), third.age(kept)) {
                first = fresh
            } else if second.age(kept) <= third.age(kept) {
                second = fresh
            } else {
                third = fresh
            }
            return 1
        }

        private static func increment(_ count: inout Count) -> UInt32 {
            count.copies &+= 1
            return count.copies
        }
    }

    package static let defaultCapacity = 65_536

    package let capacity: Int
    /// The fingerprints remembered now.
    package var rememberedCount: Int { entries.count }
    package private(set) var isActive = false
    /// Messages that were not delivered because another socket had delivered them.
    package private(set) var mergedCount = 0
    /// The last link that is part of an overlap: those after it are alone and repeat nothing.
    private var lastMember: UInt32 = 0
    private var entries: [UInt64: Entry] = [:]
    private var order: [UInt64] = []
    private var head = 0

    package init(capacity: Int = Deduplicator.defaultCapacity) {
        self.capacity = max(1, capacity)
    }

    /// An overlap with `successor` begins.
    ///
    /// What an overlap just before it delivered is remembered.
    package mutating func begin(with successor: LinkID) {
        isActive = true
        lastMember = successor.rawValue
    }

    /// The overlap and its echo are over: all is forgotten.
    package mutating func end() {
        isActive = false
        entries = [:]
        order = []
        head = 0
    }

    /// Whether a message with this fingerprint, received on `link`, is to be delivered.
    ///
    /// - Parameter current: the link whose count must not be given up for a newer link's.
    package mutating func admit(_ fingerprint: UInt64, from link: LinkID, keeping current: LinkID?) -> Bool {
        guard isActive, link.rawValue <= lastMember else { return true }
        var entry = entries[fingerprint] ?? remember(fingerprint)
        let copies = entry.counted(on: link.rawValue, keeping: current?.rawValue ?? 0)
        let isFresh = copies > entry.delivered
        if isFresh { entry.delivered = copies }
        entries[fingerprint] = entry
        if !isFresh { mergedCount += 1 }
        return isFresh
    }

    private mutating func remember(_ fingerprint: UInt64) -> Entry {
        order.append(fingerprint)
        if order.count - head > capacity {
            entries[order[head]] = nil
            head += 1
            if head > capacity {
                order.removeFirst(head)
                head = 0
            }
        }
        return Entry()
    }
}

/// A 64-bit fingerprint of a message, equal for equal bytes.
///
/// For telling copies apart within one overlap, not for defence: who can send on the channel can send what he likes.
package enum Fingerprint {
    package static func of(_ message: Span<UInt8>) -> UInt64 {
        var state = UInt64(truncatingIfNeeded: message.count) &* 0x9E37_79B9_7F4A_7C15
        var offset = 0
        while offset < message.count {
            // Beyond the end the word reads as zero bytes; the count above tells such messages apart.
            state = (state ^ message.word(at: offset)) &* 0xBF58_476D_1CE4_E5B9
            state ^= state >> 29
            offset &+= 8
        }
        state = (state ^ (state >> 32)) &* 0x94D0_49BB_1331_11EB
        return state ^ (state >> 31)
    }
}
