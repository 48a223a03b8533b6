/// An interval in which notifications may have been missed.
///
/// The service does not replay them: read the state again.
public struct Gap: Hashable, Sendable {
    /// The last moment at which the old connection was known to deliver.
    public var from: WallTime
    /// The moment at which the new subscription was confirmed.
    public var to: WallTime
    /// Why the old connection was lost.
    public var reason: FailureReason

    /// Creates a gap report.
    public init(from: WallTime, to: WallTime, reason: FailureReason) {
        self.from = from
        self.to = to
        self.reason = reason
    }
}

/// What ends soon, and when.
public enum Expiry: Hashable, Sendable {
    /// The channel's life ends and is not, or could not be, extended.
    case lifetime(deadline: WallTime)
    /// The service closes this socket for maintenance; the channel itself lives on.
    case maintenance(deadline: WallTime)

    /// When it ends at the latest.
    public var deadline: WallTime {
        switch self {
        case .lifetime(let deadline), .maintenance(let deadline): deadline
        }
    }
}

/// An attempt to come back that is about to be made.
public struct ReconnectAttempt: Hashable, Sendable {
    /// 1 for the first attempt of this outage.
    public var number: Int
    /// The time until the attempt starts.
    public var delay: Duration
    /// What made it necessary: the loss, or the failure of the attempt before.
    public var failure: ChannelFailure

    /// Why it is necessary.
    public var reason: FailureReason { failure.reason }
}

/// How a channel came back, or stayed.
public struct Recovery: Hashable, Sendable {
    /// The way of a recovery.
    public enum Method: String, Hashable, Sendable {
        /// A new connection after a loss.
        case reconnect
        /// A new connection before the old one ended.
        case rollover
        /// The life of the channel was extended on the same connection.
        case `extension`
    }

    /// The way it went.
    public var method: Method
    /// Attempts it took, 1 or more.
    public var attemptCount: Int
    /// Reconnections after a loss since `open()`, this one included.
    public var reconnectCount: Int
    /// Rollovers since `open()`, this one included.
    public var rolloverCount: Int
    /// Lifetime extensions since `open()`, this one included.
    public var extensionCount: Int
    /// Messages that came on both connections of overlaps and were delivered once, since `open()`.
    ///
    /// A genuine repeat with one copy on each connection cannot be told from a duplicate and is among them.
    public var mergedRepeats: Int
}

/// Topics that the service did not accept.
public struct RejectedTopics: Hashable, Sendable {
    /// The topics of the refused command.
    public var topics: [Topic]
    /// The `result` of the reply, 0 where it had none.
    public var status: Int
    /// What the service said.
    public var message: String?
}

/// A message that was not delivered because it is no notification.
///
/// The channel lives on.
public struct DiscardedMessage: Hashable, Sendable {
    /// `invalidMessage` (not JSON, not an object, or a binary frame) or `unrecognizedMessage`.
    public var reason: FailureReason
    /// The message as received.
    public var bytes: [UInt8]
}
