/// An engine that also keeps the lease: who writes the stream.
///
/// Each call is one round trip, in which the engine reads lease and head together. A lost connection ends both calls
/// without an answer.
package protocol RelayLeaseStore: RelaySink {
    /// Reads the lease; `sink(_:didReadLease:head:)` follows.
    func readLease()

    /// Writes the lease if it has not changed; `sink(_:didReplaceLease:current:head:)` follows.
    ///
    /// - Parameter revision: the lease that is replaced; nil if there must be none.
    func replaceLease(revision: UInt64?, with lease: LeaseRecord)
}

/// What a sink with a lease reports.
package protocol RelayLeaseStoreDelegate: RelaySinkDelegate {
    /// The answer to `readLease()`.
    ///
    /// - Parameters:
    ///   - lease: nil if there is none.
    ///   - head: the end of the stream at the same instant; nil if it is empty.
    func sink(_ sink: any RelayLeaseStore, didReadLease lease: LeaseRecord?, head: StreamHead?)

    /// The answer to `replaceLease(revision:with:)`.
    ///
    /// - Parameter current: the lease that is there now: the new one, or the one that was in the way.
    func sink(
        _ sink: any RelayLeaseStore, didReplaceLease isReplaced: Bool, current: LeaseRecord?, head: StreamHead?)
}
