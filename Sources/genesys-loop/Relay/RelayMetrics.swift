import GenesysMetrics
import GenesysRelay

extension RelayStatistics {
    /// The metrics of a relay.
    static let metrics: [Metric<RelayStatistics>] = [
        .counter("genesys_relay_received_total", "Notifications that the channel gave to the relay.") {
            .count($0.receivedCount)
        },
        .counter("genesys_relay_stored_total", "Records that the engine has acknowledged.") { .count($0.storedCount) },
        .gauge("genesys_relay_stored_sequence", "The number of the last one in its epoch.") {
            .count(Int(clamping: $0.storedSequence))
        },
        .gauge("genesys_relay_queue_bytes", "Bytes of records that are not stored, with an overhead for each.") {
            .count($0.queueByteCount)
        },
        .gauge("genesys_relay_queue_age_seconds", "The age of the oldest record that is not stored.") {
            .duration($0.queueAge ?? .zero)
        },
        .counter(
            "genesys_relay_dropped_total", "Records that the stream lacks, and has a gap record for.", label: "reason"
        ) { .labeled([("overflow", .count($0.droppedCount)), ("refused", .count($0.refusedCount))]) },
        .counter("genesys_relay_dead_lettered_total", "Refused records in the file of dead letters.") {
            .count($0.deadLetterCount)
        },
        .counter(
            "genesys_relay_duplicates_total",
            "Records that the stream had already after a lost connection, not stored twice."
        ) { .count($0.duplicateCount) },
        .histogram("genesys_relay_store_latency_seconds", "From the receipt of a record to its acknowledgment.") {
            $0.storeLatencies
        },
        .counter("genesys_relay_engine_connects_total", "Connections to the engine.") { .count($0.engineConnectCount) },
        .counter("genesys_relay_paused_seconds_total", "Time in which the queue was full and the channel paused.") {
            .duration($0.pausedDuration)
        },
        .counter("genesys_relay_gap_seconds_total", "The length of all gap records.", label: "reason") { statistics in
            let reasons = Set(statistics.gapDurationsByReason.keys).union(["connectionClosed", "overflow"]).sorted()
            return .labeled(reasons.map { ($0, .duration(statistics.gapDurationsByReason[$0] ?? .zero)) })
        },
        .gauge("genesys_relay_leader", "1 while this relay writes the stream, else 0.") {
            .count($0.isLeading ? 1 : 0)
        },
        .gauge("genesys_relay_epoch", "The epoch that this relay writes.") {
            Reading($0.epoch.map { Int(clamping: $0) })
        },
        .counter("genesys_relay_fenced_total", "How often another relay took the stream.") { .count($0.fencedCount) },
        .gauge("genesys_relay_seconds_since_notification", "Time since the last notification.") {
            Reading($0.lastNotificationAge)
        },
    ]
}
