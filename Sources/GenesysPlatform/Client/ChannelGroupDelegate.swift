public import GenesysLoop

/// The events that a `ChannelGroup` reports to its host: those of a `ProvisionedChannelDelegate`, each with the number
/// of the shard that it is about, and those of the whole group.
///
/// - Thread: every call comes on the thread of the loop.
/// - Order: within a shard as for a `ProvisionedChannelDelegate`; between shards there is none. `didFail` and
///   `groupDidClose` are terminal: exactly one of them comes, once and last. After `close()` returned only
///   `groupDidClose` follows.
/// - Re-entrancy: every public call of `ChannelGroup` and `Platform` is legal inside every method, as are dropping the
///   last reference and setting `delegate` to nil. Running the loop is not.
/// - Borrowing: a `ChannelNotification` borrows the receive buffer; `copy()` makes a value to keep.
/// - Retention: held weakly. If the delegate was deallocated, the next delivery closes the group.
public protocol ChannelGroupDelegate: AnyObject {
    /// A notification arrived. It is valid until the method returns.
    func group(_ group: ChannelGroup, didReceive notification: ChannelNotification, on shard: Int)

    /// Every channel failed for good, or no first one could be made. Terminal.
    func group(_ group: ChannelGroup, didFail failure: ChannelFailure)

    /// Notifications of the shard's topics may have been missed in an interval; the service does not replay them.
    func group(_ group: ChannelGroup, didMiss gap: Gap, on shard: Int)

    /// The state of the group changed; `group.state` is `state`.
    func group(_ group: ChannelGroup, didChange state: ChannelState)

    /// The state of a shard changed.
    func group(_ group: ChannelGroup, didChange state: ChannelState, of shard: Int)

    /// The service confirmed the subscription of the shard for the first time, to the topics that it permits.
    func group(_ group: ChannelGroup, didSubscribe topics: [Topic], on shard: Int)

    /// The life of the shard's channel, or this connection, ends soon. Nothing needs to be done: it moves by itself.
    func group(_ group: ChannelGroup, willExpire expiry: Expiry, on shard: Int)

    /// The shard lost its connection or its channel, or an attempt failed; the next attempt starts after
    /// `attempt.delay`.
    func group(_ group: ChannelGroup, willReconnect attempt: ReconnectAttempt, on shard: Int)

    /// A move failed. Not terminal: the old connection continues, and the move is tried again.
    func group(_ group: ChannelGroup, didFailRollover failure: ChannelFailure, on shard: Int)

    /// The service refused topics: over REST once for each topic, with its reason and the missing permissions; over the
    /// WebSocket as a whole.
    func group(_ group: ChannelGroup, didReject topics: RejectedTopics, on shard: Int)

    /// A message was not a notification. The shard continues.
    func group(_ group: ChannelGroup, didDiscard message: DiscardedMessage, on shard: Int)

    /// The shard reconnected, moved, extended its life, or has another channel.
    func group(_ group: ChannelGroup, didRecover recovery: Recovery, on shard: Int)

    /// A channel was made at the service.
    func group(_ group: ChannelGroup, didMake count: ChannelCount, on shard: Int)

    /// The shard's channel does not exist anymore, or not for this program; another one takes its place.
    func group(_ group: ChannelGroup, didLoseChannel reason: FailureReason, on shard: Int)

    /// The shard has no channel anymore: the service refused all its topics, it has no topics, or it was given up. In
    /// the last case, with a `failure` that is not about topics, it starts again later.
    func group(_ group: ChannelGroup, didEnd shard: Int, failure: ChannelFailure?)

    /// While no shard is connected, another program that makes a channel removes one of this group. `count.ours` of the
    /// group's channels still exist.
    func group(_ group: ChannelGroup, didCount count: ChannelCount)

    /// The group is closed after `close()`. Terminal.
    func groupDidClose(_ group: ChannelGroup)
}

extension ChannelGroupDelegate {
    /// Does nothing.
    public func group(_ group: ChannelGroup, didChange state: ChannelState) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, didChange state: ChannelState, of shard: Int) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, didSubscribe topics: [Topic], on shard: Int) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, willExpire expiry: Expiry, on shard: Int) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, willReconnect attempt: ReconnectAttempt, on shard: Int) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, didFailRollover failure: ChannelFailure, on shard: Int) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, didReject topics: RejectedTopics, on shard: Int) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, didDiscard message: DiscardedMessage, on shard: Int) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, didRecover recovery: Recovery, on shard: Int) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, didMake count: ChannelCount, on shard: Int) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, didLoseChannel reason: FailureReason, on shard: Int) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, didEnd shard: Int, failure: ChannelFailure?) {}
    /// Does nothing.
    public func group(_ group: ChannelGroup, didCount count: ChannelCount) {}
    /// Does nothing.
    public func groupDidClose(_ group: ChannelGroup) {}
}
