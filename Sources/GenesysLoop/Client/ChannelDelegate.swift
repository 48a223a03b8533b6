/// What a channel tells its host.
///
/// - Thread: every call comes on the thread of the channel's loop.
/// - Order: `didSubscribe` is the first confirmation; `didFail` and `channelDidClose` are terminal: exactly one of them
///   comes, once and last, when the channel's last handle is closed. After `close()` returned only `channelDidClose`
///   follows.
/// - Re-entrancy: every public call of `Channel` is legal inside every method, also dropping the last reference,
///   setting `delegate` to nil and opening other channels. Running the loop is not.
/// - Borrowing: a `ChannelNotification` borrows the receive buffer; storing it does not compile, `copy()` makes a value
///   to keep.
/// - Retention: the channel holds its delegate weakly. A delegate that is gone when something is to be delivered
///   closes the channel.
public protocol ChannelDelegate: AnyObject {
    /// A notification arrived. It is valid until the method returns.
    func channel(_ channel: Channel, didReceive notification: ChannelNotification)

    /// The channel could not be opened, or was lost and is not recovered. Terminal.
    func channel(_ channel: Channel, didFail failure: ChannelFailure)

    /// The channel's life, or this connection, ends soon. The host may call `rollover(to:)`.
    func channel(_ channel: Channel, willExpire expiry: Expiry)

    /// The service confirmed the subscription for the first time; without topics, the connection is open.
    func channel(_ channel: Channel, didSubscribe topics: [Topic])

    /// The connection was lost, or an attempt failed; the next attempt starts after `attempt.delay`.
    func channel(_ channel: Channel, willReconnect attempt: ReconnectAttempt)

    /// A rollover failed. Not terminal: the old connection goes on.
    func channel(_ channel: Channel, didFailRollover failure: ChannelFailure)

    /// The service did not accept topics that were added at run time.
    func channel(_ channel: Channel, didReject topics: RejectedTopics)

    /// Notifications may have been missed in an interval; the service does not replay them.
    func channel(_ channel: Channel, didMiss gap: Gap)

    /// A message was no notification. The channel lives on.
    func channel(_ channel: Channel, didDiscard message: DiscardedMessage)

    /// The channel reconnected, rolled over, or extended its life.
    func channel(_ channel: Channel, didRecover recovery: Recovery)

    /// The channel is closed after `close()`. Terminal.
    func channelDidClose(_ channel: Channel)
}

extension ChannelDelegate {
    /// Does nothing.
    public func channel(_ channel: Channel, didSubscribe topics: [Topic]) {}
    /// Does nothing.
    public func channel(_ channel: Channel, willReconnect attempt: ReconnectAttempt) {}
    /// Does nothing.
    public func channel(_ channel: Channel, didFailRollover failure: ChannelFailure) {}
    /// Does nothing.
    public func channel(_ channel: Channel, didReject topics: RejectedTopics) {}
    /// Does nothing.
    public func channel(_ channel: Channel, didMiss gap: Gap) {}
    /// Does nothing.
    public func channel(_ channel: Channel, didDiscard message: DiscardedMessage) {}
    /// Does nothing.
    public func channel(_ channel: Channel, didRecover recovery: Recovery) {}
    /// Does nothing.
    public func channelDidClose(_ channel: Channel) {}
}

/// Stands in for a delegate that is gone: what would be delivered closes the channel.
final class AbsentDelegate: ChannelDelegate {
    func channel(_ channel: Channel, didReceive notification: ChannelNotification) { channel.closeWithoutDelegate() }
    func channel(_ channel: Channel, didFail failure: ChannelFailure) {}
    func channel(_ channel: Channel, willExpire expiry: Expiry) { channel.closeWithoutDelegate() }
}
