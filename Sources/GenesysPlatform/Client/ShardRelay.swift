internal import GenesysLoop

/// The delegate of the channel of a shard.
final class ShardRelay: ProvisionedChannelDelegate {
    let shard: Int
    /// Unretained: the loop retains it until its terminal call, which follows that of each channel.
    private unowned(unsafe) let group: ChannelGroup

    init(_ shard: Int, of group: ChannelGroup) {
        self.shard = shard
        unsafe self.group = group
    }

    func channel(_ channel: ProvisionedChannel, didReceive notification: ChannelNotification) {
        unsafe group.received(notification, on: shard)
    }

    func channel(_ channel: ProvisionedChannel, didDiscard message: DiscardedMessage) {
        unsafe group.tell { $0.group($1, didDiscard: message, on: shard) }
    }

    func channel(_ channel: ProvisionedChannel, didFail failure: ChannelFailure) {
        unsafe group.channelEnded(shard, failure)
    }

    func channel(_ channel: ProvisionedChannel, willExpire expiry: Expiry) {
        unsafe group.tell { $0.group($1, willExpire: expiry, on: shard) }
    }

    func channel(_ channel: ProvisionedChannel, didMiss gap: Gap) {
        unsafe group.tell { $0.group($1, didMiss: gap, on: shard) }
    }

    func channel(_ channel: ProvisionedChannel, didChange state: ChannelState) {
        unsafe group.channelChanged(shard, to: state)
    }

    func channel(_ channel: ProvisionedChannel, didSubscribe topics: [Topic]) {
        unsafe group.channelSubscribed(shard, to: topics)
    }

    func channel(_ channel: ProvisionedChannel, willReconnect attempt: ReconnectAttempt) {
        unsafe group.tell { $0.group($1, willReconnect: attempt, on: shard) }
    }

    func channel(_ channel: ProvisionedChannel, didFailRollover failure: ChannelFailure) {
        unsafe group.tell { $0.group($1, didFailRollover: failure, on: shard) }
    }

    func channel(_ channel: ProvisionedChannel, didReject topics: RejectedTopics) {
        unsafe group.channelRejected(shard, topics)
    }

    func channel(_ channel: ProvisionedChannel, didRecover recovery: Recovery) {
        unsafe group.tell { $0.group($1, didRecover: recovery, on: shard) }
    }

    func channel(_ channel: ProvisionedChannel, didMake count: ChannelCount) {
        unsafe group.tell { $0.group($1, didMake: count, on: shard) }
    }

    func channel(_ channel: ProvisionedChannel, didLoseChannel reason: FailureReason) {
        unsafe group.tell { $0.group($1, didLoseChannel: reason, on: shard) }
    }

    func channelDidClose(_ channel: ProvisionedChannel) {
        unsafe group.channelEnded(shard, nil)
    }
}
