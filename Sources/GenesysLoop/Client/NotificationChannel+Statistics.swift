extension NotificationChannel {
    /// What the channel has done so far, and how it is now.
    public var statistics: ChannelStatistics {
        loop.preconditionCurrent("NotificationChannel.statistics")
        let now = loop.now.instant
        var statistics = ChannelStatistics()
        statistics.receivedCount = tally.receivedCount
        statistics.discardedCount = tally.discardedCount
        statistics.receivedByteCount = tally.receivedByteCount
        statistics.gapCount = tally.gapCount
        statistics.reconnectCount = machine.counts.reconnectCount
        statistics.rolloverCount = machine.counts.rolloverCount
        statistics.extensionCount = machine.counts.extensionCount
        statistics.unconfirmedTopicCount = machine.unconfirmed.count
        statistics.mergedRepeats = machine.deduplicator.mergedCount
        statistics.lastNotificationAge = tally.lastNotificationAt.map { now - $0 }
        statistics.silence = machine.current.map { now - $0.lastHeard.instant }
        statistics.pingRoundTrip = machine.current?.heartbeat.roundTrip
        statistics.connectionCount = driver.links.count
        for messages in driver.held.values {
            statistics.heldCount += messages.count
            statistics.heldByteCount += messages.reduce(0) { $0 + $1.count }
        }
        statistics.pendingCommandCount = (machine.current?.pending.count ?? 0) + (machine.candidate?.pending.count ?? 0)
        statistics.queuedByteCount = driver.links.reduce(0) { $0 + $1.queuedByteCount }
        return statistics
    }
}
