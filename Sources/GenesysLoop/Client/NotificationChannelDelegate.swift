/// The events that a channel reports to its host.
///
/// - Thread: every call comes on the thread of the channel's loop.
/// - Order: `didChange` comes before the calls that say what the change consists of: `didSubscribe`, `willReconnect`,
///   `didMiss`, `didRecover`, `didFail`. `didSubscribe` is the first confirmation. `didFail` and `channelDidClose` are
///   terminal: exactly one of them comes, once and last, when the channel's last handle is closed. After `close()`
///   returned only `channelDidClose` follows.
/// - Re-entrancy: every public call of `NotificationChannel` is legal inside every method, as are dropping the last
///   reference, setting `delegate` to nil and opening other channels. Running the loop is not.
/// - Borrowing: a `ChannelNotification` borrows the receive buffer. Storing it does not compile ("cannot return a
///   ~Escapable result", "escapes its scope"); `copy()` makes a value to keep.
/// - Retention: the channel holds its delegate weakly. If the delegate was deallocated, the next delivery closes the
///   channel.
public protocol NotificationChannelDelegate: AnyObject {
    /// A notification arrived. It is valid until the method returns.
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification)

    /// The channel could not be opened, or was lost and will not recover. Terminal.
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure)

    /// The channel's life, or this connection, ends soon. The host may call `rollover(to:)`.
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry)

    /// Notifications may have been missed in an interval; the service does not replay them.
    ///
    /// Read the current state over REST.
    func channel(_ channel: NotificationChannel, didMiss gap: Gap)

    /// The state of the channel changed; `channel.state` is `state`.
    ///
    /// Not called for what `close()` causes, after which only `channelDidClose` follows.
    func channel(_ channel: NotificationChannel, didChange state: ChannelState)

    /// The service confirmed the subscription for the first time; without topics, the connection is open.
    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic])

    /// The connection was lost, or an attempt failed; the next attempt starts after `attempt.delay`.
    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt)

    /// A rollover failed. Not terminal: the old connection continues.
    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure)

    /// The service did not accept topics that were added at run time.
    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics)

    /// A message was not a notification. The channel continues.
    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage)

    /// The channel reconnected, rolled over, or extended its life.
    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery)

    /// The channel is closed after `close()`. Terminal.
    func channelDidClose(_ channel: NotificationChannel)
}

extension NotificationChannelDelegate {
    /// Does nothing.
    public func channel(_ channel: NotificationChannel, didChange state: ChannelState) {}
    /// Does nothing.
    public func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) {}
    /// Does nothing.
    public func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {}
    /// Does nothing.
    public func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {}
    /// Does nothing.
    public func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) {}
    /// Does nothing.
    public func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) {}
    /// Does nothing.
    public func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {}
    /// Does nothing.
    public func channelDidClose(_ channel: NotificationChannel) {}
}

/// Takes the place of a deallocated delegate: a delivery closes the channel.
final class AbsentDelegate: NotificationChannelDelegate {
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        channel.closeWithoutDelegate()
    }
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) { channel.closeWithoutDelegate() }
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { channel.closeWithoutDelegate() }
}
