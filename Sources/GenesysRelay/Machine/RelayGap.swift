package import GenesysLoop

/// An interval in which notifications may be missing in a stream; it is a record of the stream like any other.
///
/// The interval may be too wide, and is never too narrow.
package struct RelayGap: Hashable, Sendable {
    package enum Reason: String, Hashable, Sendable {
        /// The source lost its connection.
        case connectionClosed
        /// The source was silent.
        case heartbeatLost
        /// The queue was full, and the oldest records were dropped.
        case overflow
        /// Another client took the channel over.
        case takeover
        /// The previous writer of the stream ended without saying so.
        case crash
        /// The engine lost what it had acknowledged.
        case engineLost
        /// The engine refused a record for good.
        case refused
        /// Nothing was received between the end of the previous writer and the start of this one.
        case startup
    }

    /// Records that had been stored and are gone, those of the relay itself included.
    package struct LostRecords: Hashable, Sendable {
        package var epoch: UInt64
        package var sequences: ClosedRange<UInt64>

        package init(epoch: UInt64, sequences: ClosedRange<UInt64>) {
            self.epoch = epoch
            self.sequences = sequences
        }
    }

    package var from: WallTime
    package var to: WallTime
    package var reason: Reason
    package var lost: LostRecords?

    package init(from: WallTime, to: WallTime, reason: Reason, lost: LostRecords? = nil) {
        self.from = from
        self.to = to
        self.reason = reason
        self.lost = lost
    }
}

extension RelayGap.Reason {
    /// The reason for a gap of the source.
    package init(_ reason: FailureReason) {
        switch reason {
        case .heartbeatLost: self = .heartbeatLost
        case .channelTakenOver: self = .takeover
        default: self = .connectionClosed
        }
    }
}
