/// Distinguishes copies of one notification on the sockets of an overlap from genuine repeats.
///
/// For each fingerprint, as many messages are delivered as the largest of the sockets' counts: identical messages on
/// one socket all survive, and a message that arrives on both is delivered once. Counts are kept per link, because a
/// successor that failed and the next one are two sockets. The deduplicator is idle outside an overlap and bounded in
/// it: beyond `capacity` fingerprints the oldest is forgotten.
package struct Deduplicator: Equatable, Sendable {
    /// The copies on one link; link 0 is a free place.
    private struct Count: Equatable {
        var link: UInt32 = 0
        var copies: UInt32 = 0

        /// Smaller for older links; `kept` has the greatest age, so it is never replaced.
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
        /// If there is no free place, the oldest link that is not `kept` loses its own.
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
    /// The number of fingerprints remembered now.
    package var rememberedCount: Int { entries.count }
    package private(set) var isActive = false
    /// Messages that were not delivered because another socket had delivered them.
    package private(set) var mergedCount = 0
    /// The last link of an overlap: links after it are alone and repeat nothing.
    private var lastMember: UInt32 = 0
    private var entries: [UInt64: Entry] = [:]
    private var order = Fifo<UInt64>()

    package init(capacity: Int = Deduplicator.defaultCapacity) {
        self.capacity = max(1, capacity)
    }

    /// An overlap with `successor` begins.
    ///
    /// What an overlap just before it delivered is still remembered.
    package mutating func begin(with successor: LinkID) {
        isActive = true
        lastMember = successor.rawValue
    }

    /// The overlap and its echo are over: forgets everything.
    package mutating func end() {
        isActive = false
        entries = [:]
        order.removeAll()
    }

    /// Whether to deliver a message with this fingerprint, received on `link`.
    ///
    /// - Parameter current: the link whose count must not be replaced by that of a newer link.
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
        if order.count > capacity, let oldest = order.popFirst() { entries[oldest] = nil }
        return Entry()
    }
}

/// A 64-bit fingerprint of a message, equal for equal bytes.
///
/// It only recognizes copies within one overlap and is no protection: a sender on the channel can send anything.
package enum Fingerprint {
    package static func of(_ message: Span<UInt8>) -> UInt64 {
        var state = UInt64(truncatingIfNeeded: message.count) &* 0x9E37_79B9_7F4A_7C15
        var offset = 0
        while offset < message.count {
            // Beyond the end the word reads as zero bytes; the length above distinguishes such messages.
            state = (state ^ message.word(at: offset)) &* 0xBF58_476D_1CE4_E5B9
            state ^= state >> 29
            offset &+= 8
        }
        state = (state ^ (state >> 32)) &* 0x94D0_49BB_1331_11EB
        return state ^ (state >> 31)
    }
}
