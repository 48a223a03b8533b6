internal import GenesysLoop

/// The delegate of the `NotificationChannel`s that a `ProvisionedChannel` opens.
final class ChannelRelay: NotificationChannelDelegate {
    /// Unretained: the loop retains it until its terminal call, which follows that of each `NotificationChannel`.
    private unowned(unsafe) let owner: ProvisionedChannel

    init(_ owner: ProvisionedChannel) {
        unsafe self.owner = owner
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        unsafe owner.received(notification)
    }

    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) {
        unsafe owner.discarded(message)
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        let until = channel.deliveredUntil
        unsafe owner.deliveredUntil = until ?? owner.deliveredUntil
        unsafe owner.channelEnded()
        unsafe owner.input { $0.channelFailed(failure, deliveredUntil: until, now: $1.instant) }
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        unsafe owner.input { machine, _ in machine.channelWillExpire(expiry) }
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {
        unsafe owner.input { machine, _ in machine.channelMissed(at: ChannelRelay.place(of: channel, in: machine)) }
        unsafe owner.missed(gap)
    }

    func channel(_ channel: NotificationChannel, didChange state: ChannelState) {
        unsafe owner.input { machine, _ in
            machine.channelChanged(to: state)
            return []
        }
    }

    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) {
        unsafe owner.input { $0.channelSubscribed(now: $1) }
    }

    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        unsafe owner.input { $0.channelWillReconnect(attempt, now: $1.instant) }
    }

    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {
        unsafe owner.input { $0.channelFailedRollover(failure, now: $1.instant) }
    }

    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) {
        unsafe owner.input { machine, _ in machine.channelRejected(topics) }
    }

    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {
        unsafe owner.input { machine, now in
            let place = ChannelRelay.place(of: channel, in: machine)
            return machine.channelRecovered(recovery, at: place, now: now.instant)
        }
    }

    func channelDidClose(_ channel: NotificationChannel) {
        unsafe owner.channelClosed()
    }

    /// Where the channel is connected now.
    private static func place(
        of channel: NotificationChannel, in machine: ProvisionedChannelMachine
    ) -> SecretBytes? {
        machine.places.first { channel.isConnected(to: $0.text) }
    }
}
