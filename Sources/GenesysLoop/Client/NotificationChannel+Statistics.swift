extension NotificationChannel {
    /// What the channel has done so far, and its current state.
    public var statistics: ChannelStatistics {
        loop.preconditionCurrent("NotificationChannel.statistics")
        let now = loop.now.instant
        let history = machine.history
        let record = driver.record
        var statistics = ChannelStatistics()
        statistics.state = machine.channelState
        statistics.receivedCount = counters.receivedCount
        statistics.discardedCount = counters.discardedCount
        statistics.receivedByteCount = counters.receivedByteCount
        var traffic = record.traffic
        for link in core.links { traffic += link.traffic }
        statistics.wireReceivedByteCount = traffic.received
        statistics.wireSentByteCount = traffic.sent

        statistics.lossesByReason = history.losses
        statistics.failedAttemptsByReason = history.failedAttempts
        statistics.reconnectsByReason = history.reconnects
        statistics.reconnectCount = machine.counts.reconnectCount
        statistics.rolloverCount = machine.counts.rolloverCount
        statistics.failedRolloverCount = history.failedRolloverCount
        statistics.extensionCount = machine.counts.extensionCount
        statistics.gapsByReason = record.gapCounts
        statistics.gapCount = record.gapCounts.values.reduce(0, +)
        statistics.gapDurationsByReason = record.gapDurations
        statistics.unconfirmedTopicCount = machine.subscriptions.unconfirmed.count
        statistics.mergedRepeats = machine.overlap.deduplicator.mergedCount
        statistics.pausedDuration = history.pausedTime + (machine.pausedAt.map { now - $0 } ?? .zero)
        statistics.pingRoundTrips = history.pingRoundTrips

        statistics.lastNotificationAge = counters.lastNotificationAt.map { now - $0 }
        statistics.silence = machine.current.map { now - $0.evidence.lastRead.instant }
        statistics.pingRoundTrip = machine.current?.heartbeat.roundTrip
        statistics.connectionCount = core.links.count
        for messages in driver.held.values {
            statistics.heldCount += messages.count
            statistics.heldByteCount += messages.reduce(0) { $0 + $1.count }
        }
        statistics.pendingCommandCount = (machine.current?.pending.count ?? 0) + (machine.candidate?.pending.count ?? 0)
        statistics.queuedByteCount = core.links.reduce(0) { $0 + $1.queuedByteCount }
        return statistics
    }
}
