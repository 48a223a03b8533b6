public import GenesysLoop

/// The events that a `ProvisionedChannel` reports to its host: those of a `NotificationChannelDelegate`, and what
/// happens to the channels of the service that it makes.
///
/// - Thread: every call comes on the thread of the loop.
/// - Order: as for a `NotificationChannelDelegate`. `didFail` and `channelDidClose` are terminal: exactly one of them
///   comes, once and last. After `close()` returned only `channelDidClose` follows.
/// - Re-entrancy: every public call of `ProvisionedChannel` and `Platform` is legal inside every method, as are
///   dropping the last reference and setting `delegate` to nil. Running the loop is not.
/// - Borrowing: a `ChannelNotification` borrows the receive buffer; `copy()` makes a value to keep.
/// - Retention: held weakly. If the delegate was deallocated, the next delivery closes the channel.
public protocol ProvisionedChannelDelegate: AnyObject {
    /// A notification arrived. It is valid until the method returns.
    func channel(_ channel: ProvisionedChannel, didReceive notification: ChannelNotification)

    /// No channel could be made, or the last one was lost and no other one takes its place. Terminal.
    func channel(_ channel: ProvisionedChannel, didFail failure: ChannelFailure)

    /// Notifications may have been missed in an interval; the service does not replay them.
    func channel(_ channel: ProvisionedChannel, didMiss gap: Gap)

    /// The life of the service's channel, or this connection, ends soon. Nothing needs to be done: it moves by itself.
    func channel(_ channel: ProvisionedChannel, willExpire expiry: Expiry)

    /// The state changed; `channel.state` is `state`.
    func channel(_ channel: ProvisionedChannel, didChange state: ChannelState)

    /// The service confirmed the subscription for the first time, to the topics that it permits.
    func channel(_ channel: ProvisionedChannel, didSubscribe topics: [Topic])

    /// The connection or the service's channel was lost, or an attempt failed; the next attempt starts after
    /// `attempt.delay`.
    func channel(_ channel: ProvisionedChannel, willReconnect attempt: ReconnectAttempt)

    /// A move failed. Not terminal: the old connection continues, and the move is tried again.
    func channel(_ channel: ProvisionedChannel, didFailRollover failure: ChannelFailure)

    /// The service refused topics: over REST once for each topic, with its reason and the missing permissions; over the
    /// WebSocket as a whole.
    func channel(_ channel: ProvisionedChannel, didReject topics: RejectedTopics)

    /// A message was not a notification. The channel continues.
    func channel(_ channel: ProvisionedChannel, didDiscard message: DiscardedMessage)

    /// The channel reconnected, moved, extended its life, or was replaced.
    func channel(_ channel: ProvisionedChannel, didRecover recovery: Recovery)

    /// A channel was made at the service.
    func channel(_ channel: ProvisionedChannel, didMake count: ChannelCount)

    /// The service's channel does not exist anymore, or not for this program; another one takes its place.
    func channel(_ channel: ProvisionedChannel, didLoseChannel reason: FailureReason)

    /// The channel is closed after `close()`. Terminal.
    func channelDidClose(_ channel: ProvisionedChannel)
}

extension ProvisionedChannelDelegate {
    /// Does nothing.
    public func channel(_ channel: ProvisionedChannel, willExpire expiry: Expiry) {}
    /// Does nothing.
    public func channel(_ channel: ProvisionedChannel, didChange state: ChannelState) {}
    /// Does nothing.
    public func channel(_ channel: ProvisionedChannel, didSubscribe topics: [Topic]) {}
    /// Does nothing.
    public func channel(_ channel: ProvisionedChannel, willReconnect attempt: ReconnectAttempt) {}
    /// Does nothing.
    public func channel(_ channel: ProvisionedChannel, didFailRollover failure: ChannelFailure) {}
    /// Does nothing.
    public func channel(_ channel: ProvisionedChannel, didReject topics: RejectedTopics) {}
    /// Does nothing.
    public func channel(_ channel: ProvisionedChannel, didDiscard message: DiscardedMessage) {}
    /// Does nothing.
    public func channel(_ channel: ProvisionedChannel, didRecover recovery: Recovery) {}
    /// Does nothing.
    public func channel(_ channel: ProvisionedChannel, didMake count: ChannelCount) {}
    /// Does nothing.
    public func channel(_ channel: ProvisionedChannel, didLoseChannel reason: FailureReason) {}
    /// Does nothing.
    public func channelDidClose(_ channel: ProvisionedChannel) {}
}
