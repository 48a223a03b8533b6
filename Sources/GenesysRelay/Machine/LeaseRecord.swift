package import GenesysLoop

/// The lease of a stream, as the engine keeps it: who may write, and for which epoch.
///
/// A lease has no expiry. Its owner replaces it by the next revision again and again; another relay that sees the
/// revision stand still for a time, by its own monotonic clock, takes it. The engine compares the revision that it has
/// with the one that the writer has read, and replaces nothing when they differ.
package struct LeaseRecord: Hashable, Sendable {
    /// Who may write; unique to a process.
    package var owner: String
    /// The epoch that the owner writes, or will write first.
    package var epoch: UInt64
    /// Grows whenever the record is replaced, by a random step: it tells one writing from every other one.
    package var revision: UInt64
    /// Until when every notification that the owner received is stored, as of the last renewal. For people and for a
    /// successor's gap: nothing about the lease is decided by it.
    package var coveredUntil: WallTime?
    /// Whether the owner gave the lease up; it may be taken at once.
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
