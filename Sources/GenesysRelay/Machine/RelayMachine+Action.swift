package import GenesysLoop

/// What the machine answers: actions for its driver, which performs them in order, before any other input.
extension RelayMachine {
    package enum Action: Equatable, Sendable {
        /// Connects the sink, if it is not connected, and reads the head of the stream.
        case openSink
        /// `batch(_:)` has the records.
        case append(BatchRange)
        /// Nothing follows from the sink.
        case closeSink(coveredUntil: WallTime?, isReleased: Bool)
        /// The engine is there: the source may open its channel.
        case openSource
        case pauseSource
        case resumeSource
        /// A record that the engine refused, as a line of JSON.
        case deadLetter([UInt8])
        case tell(Event)
        /// The terminal call.
        case finish(End)
    }

    /// Consecutive records of an epoch, all of them sent.
    package struct BatchRange: Hashable, Sendable {
        package let first: RecordID
        package let count: Int
        /// Until when the stream covers the source without these records.
        package let coveredUntil: WallTime
    }

    package enum Event: Equatable, Sendable {
        case engineLost(String)
        /// It cannot be reached for the first time, or refuses records for now: told once for each outage.
        case engineUnavailable(String)
        /// The queue is full.
        case overflow
        /// Told when their gap record is sent.
        case dropped(ClosedRange<UInt64>)
        case refused(sequence: UInt64, String)
        case leading(epoch: UInt64)
        case fenced
        case engineRolledBack(RelayGap.LostRecords)
        case drained
    }

    package enum End: Equatable, Sendable {
        /// Everything is stored.
        case drained
        /// So many records are not stored.
        case undelivered(Int)
        /// Another writer has the stream.
        case fenced(undelivered: Int)
        /// The engine did not store the first record in time.
        case unreachable(String)
        /// The engine refuses what every try would repeat, such as a right or a type of key.
        case refused(String, undelivered: Int)
    }

    /// Why the sink did not store a record.
    ///
    /// Everything before it was reported as stored. Nothing from it on is stored or under way.
    package enum Refusal: Equatable, Sendable {
        /// It may be stored later, such as when the engine has memory again.
        case busy(String)
        /// Never, such as when the record is too large.
        case permanent(String)
        /// The engine expects another number.
        case hole(wanted: UInt64)
        /// The stream has another writer.
        case fenced
    }
}

/// The timers of the machine, in the order in which they are handled when several are due.
enum RelayTimer: CaseIterable {
    /// The engine is not there in time.
    case start
    /// What is queued was not stored in time.
    case drain
    /// The sink is opened again.
    case reopen
    /// A refused record is sent again.
    case retry
    /// The source was paused for long enough.
    case pause
    /// The first record that waits has waited for its batch.
    case linger
    /// There was no notification for a while.
    case alive
}
