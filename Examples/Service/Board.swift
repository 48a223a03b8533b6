import GenesysLoop

/// Counts what a channel delivers. `BoardTests` tests it without a channel that is open.
final class Board: NotificationChannelDelegate {
    private(set) var countOfTopic: [Topic: Int] = [:]
    /// Notifications may have been missed: the state must be read again by REST.
    private(set) var isStale = false
    private(set) var failure: ChannelFailure?

    private let changes: AsyncStream<Int>.Continuation
    private var count = 0

    init(_ changes: AsyncStream<Int>.Continuation) { self.changes = changes }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        countOfTopic[Topic(notification.topic), default: 0] += 1
        count += 1
        changes.yield(count)
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { isStale = true }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        // Without a `rollover(to:)` here the channel rolls over by itself.
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        self.failure = failure
        changes.finish()
    }

    func channelDidClose(_ channel: NotificationChannel) { changes.finish() }
}
