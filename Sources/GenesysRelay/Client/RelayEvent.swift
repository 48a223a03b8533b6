/// What happens to the stream of a relay.
public enum RelayEvent: Hashable, Sendable {
    /// The engine is connected.
    case engineConnected(RelayEngine)
    /// The connection to the engine is lost. Records are kept, and sent again when there is another one.
    case engineLost(reason: String)
    /// The engine cannot be reached for the first time, or refuses records for now. It is tried again.
    ///
    /// Told once for each outage.
    case engineUnavailable(reason: String)
    /// Another relay has the lease of the stream. If it does not renew it within this time, this relay takes it.
    case waitingForLease(owner: String, limit: Duration)
    /// The queue is full: the channel is paused, or the oldest records are dropped.
    case overflow
    /// The oldest records were dropped. A gap record with these numbers stands in their place.
    case dropped(sequences: ClosedRange<UInt64>)
    /// The engine refused a record for good. A gap record stands in its place.
    case refused(sequence: UInt64, reason: String)
    /// A refused record could not be written to the file of dead letters.
    case deadLetterFailed(reason: String)
    /// This relay writes the stream now: the first record of its epoch is stored.
    case leading(epoch: UInt64)
    /// Another relay writes the stream.
    case fenced
    /// The engine lost records that it had acknowledged. A gap record with their numbers follows.
    case engineRolledBack(epoch: UInt64, sequences: ClosedRange<UInt64>)
    /// After `close()` everything is stored.
    case drained
}
