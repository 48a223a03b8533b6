internal import GenesysLoop

/// The delegate of the `NotificationChannel`s that a `ProvisionedChannel` opens.
class ChannelRelay: NotificationChannelDelegate {
    /// A cycle that ends with the terminal call of each `NotificationChannel`. Without a reference of its own every
    /// notification would retain and release the owner.
    fileprivate final let owner: ProvisionedChannel

    init(_ owner: ProvisionedChannel) {
        self.owner = owner
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        owner.received(notification)
    }

    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) {
        owner.discarded(message)
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        let until = channel.deliveredUntil
        owner.deliveredUntil = until ?? owner.deliveredUntil
        owner.channelEnded()
        owner.input { $0.channelFailed(failure, deliveredUntil: until, now: $1.instant) }
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        owner.input { machine, _ in machine.channelWillExpire(expiry) }
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {
        owner.input { machine, _ in machine.channelMissed(at: ChannelRelay.place(of: channel, in: machine)) }
        owner.missed(gap)
    }

    func channel(_ channel: NotificationChannel, didChange state: ChannelState) {
        owner.input { machine, _ in
            machine.channelChanged(to: state)
            return []
        }
    }

    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) {
        owner.input { $0.channelSubscribed(now: $1) }
    }

    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        owner.input { $0.channelWillReconnect(attempt, now: $1.instant) }
    }

    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {
        owner.input { $0.channelFailedRollover(failure, now: $1.instant) }
    }

    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) {
        owner.input { machine, _ in machine.channelRejected(topics) }
    }

    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {
        owner.input { machine, now in
            let place = ChannelRelay.place(of: channel, in: machine)
            return machine.channelRecovered(recovery, at: place, now: now.instant)
        }
    }

    func channelDidClose(_ channel: NotificationChannel) {
        owner.channelClosed()
    }

    /// Where the channel is connected now.
    private static func place(
        of channel: NotificationChannel, in machine: ProvisionedChannelMachine
    ) -> SecretBytes? {
        machine.places.first { channel.isConnected(to: $0.text) }
    }
}

/// Passes the notifications of a group's channel on to the group, without the way through the delegate of its owner.
///
/// Its reference to the group ends as that to the owner does.
final class GroupChannelRelay: ChannelRelay {
    private let group: ChannelGroup
    private let shard: Int

    init(_ owner: ProvisionedChannel, _ shard: Int, of group: ChannelGroup) {
        self.group = group
        self.shard = shard
        super.init(owner)
    }

    override func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        if !owner.isSilent { group.received(notification, on: shard) }
    }
}
