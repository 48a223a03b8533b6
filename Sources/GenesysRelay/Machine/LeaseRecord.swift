package import GenesysLoop

/// The lease of a stream: who writes it. A holder keeps it by changing its revision.
package struct LeaseRecord: Hashable, Sendable {
    /// The holder.
    package var owner: String
    /// The epoch that the holder writes.
    package var epoch: UInt64
    /// Counts the changes.
    package var revision: UInt64
    /// Until when the holder's stream covers its source; nil if it does not tell.
    package var coveredUntil: WallTime?
    /// Whether the holder gave it up.
    package var isReleased: Bool

    package init(
        owner: String, epoch: UInt64, revision: UInt64, coveredUntil: WallTime? = nil, isReleased: Bool = false
    ) {
        self.owner = owner
        self.epoch = epoch
        self.revision = revision
        self.coveredUntil = coveredUntil
        self.isReleased = isReleased
    }
}
