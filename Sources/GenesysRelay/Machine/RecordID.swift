package import GenesysLoop

/// The number of a record in a stream: `EPOCH.SEQUENCE`, the sequence padded to 20 digits.
///
/// An epoch is one writer's time: it begins with an epoch record, and its sequences start at 1. Ids are never reused.
package struct RecordID: Comparable, Hashable, Sendable, CustomStringConvertible {
    /// Epochs and sequences are below: an engine may calculate with binary floating point.
    package static let limit: UInt64 = 1 << 53

    package var epoch: UInt64
    package var sequence: UInt64

    package init(epoch: UInt64, sequence: UInt64) {
        self.epoch = epoch
        self.sequence = sequence
    }

    package static func < (left: RecordID, right: RecordID) -> Bool {
        (left.epoch, left.sequence) < (right.epoch, right.sequence)
    }

    /// Reads an id as `description` writes it.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == 20, let epoch = UInt64(parts[0]),
            let sequence = UInt64(parts[1]), epoch < RecordID.limit, (1..<RecordID.limit).contains(sequence)
        else { return nil }
        self.init(epoch: epoch, sequence: sequence)
    }

    package var description: String {
        let digits = String(sequence)
        return "\(epoch)." + String(repeating: "0", count: 20 - digits.utf8.count) + digits
    }
}

/// The end of an engine's stream, as the engine knows it.
package struct StreamHead: Hashable, Sendable {
    package var last: RecordID
    /// Who wrote the epoch.
    package var owner: String
    /// Until when every notification is in the stream, or in a gap record; nil if the engine does not tell.
    package var coveredUntil: WallTime?
    /// Whether the writer ended by itself, with everything stored.
    package var isReleased: Bool

    package init(last: RecordID, owner: String, coveredUntil: WallTime? = nil, isReleased: Bool = false) {
        self.last = last
        self.owner = owner
        self.coveredUntil = coveredUntil
        self.isReleased = isReleased
    }
}
