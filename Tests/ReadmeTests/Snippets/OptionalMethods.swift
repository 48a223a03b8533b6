import GenesysLoop

/// Prints every call of a delegate.
final class Host: NotificationChannelDelegate {
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { print(failure) }

    func channel(_ channel: NotificationChannel, didChange state: ChannelState) { print(state) }
    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) { print(topics) }
    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) { print(attempt) }
    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) { print(recovery) }
    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) { print(failure) }
    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) { print(topics) }
    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) { print(message) }
    func channelDidClose(_ channel: NotificationChannel) { print("closed") }
}
