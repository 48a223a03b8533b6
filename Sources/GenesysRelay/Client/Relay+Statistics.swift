internal import GenesysLoop

extension Relay {
    var currentStatistics: RelayStatistics {
        let now = loop.now
        let counters = machine.counters
        var statistics = RelayStatistics()
        statistics.receivedCount = counters.receivedCount
        statistics.storedCount = counters.storedCount
        statistics.storedSequence = machine.storedSequence
        statistics.droppedCount = counters.droppedCount
        statistics.refusedCount = counters.refusedCount
        statistics.deadLetterCount = deadLetters?.writtenCount ?? 0
        statistics.duplicateCount = record.duplicateCount
        statistics.engineConnectCount = record.engineConnectCount
        statistics.fencedCount = record.fencedCount
        statistics.storeLatencies = counters.latencies
        statistics.pausedDuration = record.pausedDuration + (record.pausedAt.map { now.instant - $0 } ?? .zero)
        for (reason, duration) in counters.gapDurations {
            statistics.gapDurationsByReason[reason.rawValue] = duration
        }
        statistics.isEngineConnected = isConnected
        statistics.isLeading = machine.isLeading && machine.state != .ended
        statistics.epoch = machine.epoch
        statistics.queuedCount = machine.undeliveredCount
        statistics.queueByteCount = machine.queueSize
        statistics.queueAge = machine.oldestReceipt.map { max(.zero, now.wall - $0) }
        statistics.lastNotificationAge = record.lastNotificationAt.map { now.instant - $0 }
        return statistics
    }
}
