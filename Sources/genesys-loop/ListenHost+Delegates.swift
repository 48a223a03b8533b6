import GenesysLoop
import GenesysPlatform

/// What a channel reports, whether its URI was given or the tool made it.
extension ListenHost {
    fileprivate func subscribed(to topics: [Topic]) {
        attempt = nil
        report(.subscribed(topics))
        supervisor?.isReady()
    }

    fileprivate func willReconnect(_ attempt: ReconnectAttempt, _ channel: any PrintableChannel) {
        self.attempt = attempt
        report(.reconnecting(attempt))
        supervisor?.channelWillReconnect(attempt, channel)
    }

    fileprivate func recovered(_ recovery: Recovery) {
        attempt = nil
        report(.recovered(recovery))
    }

    fileprivate func failed(_ failure: ChannelFailure) {
        report(.failed(failure))
        ended(failure)
    }

    fileprivate func closed() {
        if !run.isQuiet || log.style == .json { report(.closed) }
        ended()
    }
}

extension ListenHost: NotificationChannelDelegate {
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
        report(.gap(gap))
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

extension ListenHost: ProvisionedChannelDelegate {
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
        report(.gap(gap))
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

extension ListenHost: PlatformDelegate {
    func platform(_ platform: Platform, didObtainToken lifetime: Duration?) {
        report(.token(lifetime: lifetime))
    }

    func platform(_ platform: Platform, isThrottledFor delay: Duration) {
        report(.throttled(delay))
    }
}
