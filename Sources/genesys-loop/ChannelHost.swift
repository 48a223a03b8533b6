import GenesysLoop
import GenesysPlatform
import Logging

/// The delegate of a command's channel, whether its URI was given or the tool made it, or made several.
///
/// What such channels report alike is handled here; the host adds what its command does about it.
protocol ChannelHost: NotificationChannelDelegate, ProvisionedChannelDelegate, ChannelGroupDelegate, PlatformDelegate {
    var supervisor: Supervisor? { get }
    /// The last attempt of an outage.
    var attempt: ReconnectAttempt? { get set }

    /// - Parameter shard: the number of the channel, in a group.
    func report(_ event: LifecycleEvent, shard: Int?)
    func received(_ notification: ChannelNotification)
    func missed(_ gap: Gap, shard: Int?)
    /// The whole subscription is confirmed, for the first time or again.
    func confirmed()
    /// The channel has failed.
    func failed(_ failure: ChannelFailure)
    /// The channel is closed.
    func closed()
}

extension ChannelHost {
    func report(_ event: LifecycleEvent) { report(event, shard: nil) }

    fileprivate func subscribed(to topics: [Topic]) {
        attempt = nil
        report(.subscribed(topics))
        confirmed()
    }

    fileprivate func willReconnect(
        _ attempt: ReconnectAttempt, _ channel: any SourceChannel, shard: Int? = nil
    ) {
        self.attempt = attempt
        report(.reconnecting(attempt), shard: shard)
        supervisor?.channelWillReconnect(attempt, channel)
    }

    fileprivate func recovered(_ recovery: Recovery, shard: Int? = nil) {
        attempt = nil
        report(.recovered(recovery), shard: shard)
    }
}

// MARK: - NotificationChannelDelegate

extension ChannelHost {
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        received(notification)
    }

    func channel(_ channel: NotificationChannel, didChange state: ChannelState) {
        supervisor?.channelDidChange(to: state, of: channel)
    }

    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) {
        subscribed(to: topics)
    }

    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        willReconnect(attempt, channel)
    }

    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {
        recovered(recovery)
    }

    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {
        report(.rolloverFailed(failure))
    }

    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) {
        report(.rejected(topics))
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {
        missed(gap, shard: nil)
    }

    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) {
        report(.discarded(message))
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        report(.willExpire(expiry))
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        failed(failure)
    }

    func channelDidClose(_ channel: NotificationChannel) {
        closed()
    }
}

// MARK: - ProvisionedChannelDelegate

extension ChannelHost {
    func channel(_ channel: ProvisionedChannel, didReceive notification: ChannelNotification) {
        received(notification)
    }

    func channel(_ channel: ProvisionedChannel, didChange state: ChannelState) {
        supervisor?.channelDidChange(to: state, of: channel)
    }

    func channel(_ channel: ProvisionedChannel, didSubscribe topics: [Topic]) {
        subscribed(to: topics)
    }

    func channel(_ channel: ProvisionedChannel, willReconnect attempt: ReconnectAttempt) {
        willReconnect(attempt, channel)
    }

    func channel(_ channel: ProvisionedChannel, didRecover recovery: Recovery) {
        recovered(recovery)
    }

    func channel(_ channel: ProvisionedChannel, didFailRollover failure: ChannelFailure) {
        report(.rolloverFailed(failure))
    }

    func channel(_ channel: ProvisionedChannel, didReject topics: RejectedTopics) {
        report(.rejected(topics))
    }

    func channel(_ channel: ProvisionedChannel, didMiss gap: Gap) {
        missed(gap, shard: nil)
    }

    func channel(_ channel: ProvisionedChannel, didDiscard message: DiscardedMessage) {
        report(.discarded(message))
    }

    func channel(_ channel: ProvisionedChannel, willExpire expiry: Expiry) {
        report(.willExpire(expiry))
    }

    func channel(_ channel: ProvisionedChannel, didFail failure: ChannelFailure) {
        failed(failure)
    }

    func channelDidClose(_ channel: ProvisionedChannel) {
        closed()
    }

    func channel(_ channel: ProvisionedChannel, didMake count: ChannelCount) {
        report(.channelMade(count))
    }

    func channel(_ channel: ProvisionedChannel, didLoseChannel reason: FailureReason) {
        report(.channelGone(reason))
    }
}

// MARK: - ChannelGroupDelegate

extension ChannelHost {
    func group(_ group: ChannelGroup, didReceive notification: ChannelNotification, on shard: Int) {
        received(notification)
    }

    func group(_ group: ChannelGroup, didChange state: ChannelState) {
        supervisor?.channelDidChange(to: state, of: group)
        guard state == .subscribed else { return }
        attempt = nil
        confirmed()
    }

    func group(_ group: ChannelGroup, didChange state: ChannelState, of shard: Int) {}

    func group(_ group: ChannelGroup, didSubscribe topics: [Topic], on shard: Int) {
        report(.subscribed(topics), shard: shard)
    }

    func group(_ group: ChannelGroup, willReconnect attempt: ReconnectAttempt, on shard: Int) {
        willReconnect(attempt, group, shard: shard)
    }

    func group(_ group: ChannelGroup, didRecover recovery: Recovery, on shard: Int) {
        recovered(recovery, shard: shard)
    }

    func group(_ group: ChannelGroup, didFailRollover failure: ChannelFailure, on shard: Int) {
        report(.rolloverFailed(failure), shard: shard)
    }

    func group(_ group: ChannelGroup, didReject topics: RejectedTopics, on shard: Int) {
        report(.rejected(topics), shard: shard)
    }

    func group(_ group: ChannelGroup, didMiss gap: Gap, on shard: Int) {
        missed(gap, shard: shard)
    }

    func group(_ group: ChannelGroup, didDiscard message: DiscardedMessage, on shard: Int) {
        report(.discarded(message), shard: shard)
    }

    func group(_ group: ChannelGroup, willExpire expiry: Expiry, on shard: Int) {
        report(.willExpire(expiry), shard: shard)
    }

    func group(_ group: ChannelGroup, didMake count: ChannelCount, on shard: Int) {
        report(.channelMade(count), shard: shard)
    }

    func group(_ group: ChannelGroup, didLoseChannel reason: FailureReason, on shard: Int) {
        report(.channelGone(reason), shard: shard)
    }

    func group(_ group: ChannelGroup, didEnd shard: Int, failure: ChannelFailure?) {
        guard let failure else { return }
        report(.log(.warning, "The channel with the number \(shard) has ended: \(failure)"))
    }

    func group(_ group: ChannelGroup, didCount count: ChannelCount) {
        report(.log(.notice, "While no channel is connected, others may be removed. There are \(count)."))
    }

    func group(_ group: ChannelGroup, didFail failure: ChannelFailure) {
        failed(failure)
    }

    func groupDidClose(_ group: ChannelGroup) {
        closed()
    }
}

// MARK: - PlatformDelegate

extension ChannelHost {
    func platform(_ platform: Platform, didObtainToken lifetime: Duration?) {
        report(.token(lifetime: lifetime))
    }

    func platform(_ platform: Platform, isThrottledFor delay: Duration) {
        report(.throttled(delay))
    }
}
