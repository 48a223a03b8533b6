package import GenesysLoop

/// The tables of metrics: for each kind of source everything that is measured, in the order of the page.
package enum MetricTable {
    /// The program's build.
    package static let build: [Metric<BuildInformation>] = [
        .gauge("genesys_loop_build_info", "Always 1; the label is the version of the program.", label: "version") {
            .labeled([($0.version, .count(1))])
        }
    ]

    /// The process, with the names that the exporters of all languages use. What the system does not report is left
    /// out.
    package static let process: [Metric<ProcessStatistics>] = [
        .counter("process_cpu_seconds_total", "CPU time of the process, user and system.") { .duration($0.cpuTime) },
        .gauge("process_resident_memory_bytes", "Resident memory of the process.") { Reading($0.residentByteCount) },
        .gauge("process_open_fds", "Open file descriptors.") { Reading($0.openDescriptorCount) },
        .gauge("process_max_fds", "The limit of open file descriptors.") { Reading($0.maxDescriptorCount) },
        .gauge("process_start_time_seconds", "When the process began, in seconds since 1970.") {
            Reading($0.startTime)
        },
    ]

    /// One loop.
    package static let loop: [Metric<LoopStatistics>] = [
        .counter("genesys_loop_wakeups_total", "Calls of libuv: for input, a timer, blocks and so on.") {
            .count($0.wakeUpCount)
        },
        .histogram("genesys_loop_lag_seconds", "How late the loop's timers fired.") { $0.lag },
        .gauge("genesys_loop_open_objects", "Open channels, clients and timers of the loop.") {
            .count($0.openObjectCount)
        },
        .gauge("genesys_loop_connections", "TCP connections of the loop that are open or being opened.") {
            .count($0.connectionCount)
        },
        .gauge("genesys_loop_waiting_connections", "Connections that wait until fewer others are being opened.") {
            .count($0.waitingConnectionCount)
        },
        .gauge("genesys_loop_queued_lookups", "Look-ups of names that wait for a thread.") {
            .count($0.queuedLookupCount)
        },
        .gauge("genesys_loop_lookup_threads", "Threads that look up names.") { .count($0.lookupThreadCount) },
    ]

    /// One channel.
    package static let channel: [Metric<ChannelStatistics>] = [
        .gauge("genesys_loop_channel_state", "The state of the channel: 1 for it, 0 for all others.", label: "state") {
            statistics in
            .labeled(ChannelState.allCases.map { ($0.rawValue, .count($0 == statistics.state ? 1 : 0)) })
        },
        .counter("genesys_loop_notifications_total", "Notifications delivered to the host.") {
            .count($0.receivedCount)
        },
        .counter(
            "genesys_loop_discarded_messages_total", "Messages that were neither notifications nor known replies."
        ) { .count($0.discardedCount) },
        .counter("genesys_loop_message_bytes_total", "Bytes of all messages received, after decompression.") {
            .count($0.receivedByteCount)
        },
        .counter("genesys_loop_wire_received_bytes_total", "Bytes read from the network, with all framing.") {
            .count($0.wireReceivedByteCount)
        },
        .counter("genesys_loop_wire_sent_bytes_total", "Bytes written to the network, with all framing.") {
            .count($0.wireSentByteCount)
        },
        .counter(
            "genesys_loop_gaps_total", "Intervals in which notifications may have been missed, by their cause.",
            label: "reason"
        ) { .byReason($0.gapsByReason, lossReasons) { .count($0 ?? 0) } },
        .counter("genesys_loop_gap_seconds_total", "The length of these intervals together.", label: "reason") {
            .byReason($0.gapDurationsByReason, lossReasons) { .duration($0 ?? .zero) }
        },
        .counter("genesys_loop_losses_total", "Confirmed connections that were lost, by the cause.", label: "reason") {
            .byReason($0.lossesByReason, lossReasons) { .count($0 ?? 0) }
        },
        .counter(
            "genesys_loop_reconnects_total", "New connections after a loss, by the cause of the loss.", label: "reason"
        ) { .byReason($0.reconnectsByReason, lossReasons) { .count($0 ?? 0) } },
        .counter(
            "genesys_loop_failed_attempts_total",
            "Attempts to connect that failed, by the cause, while there was no other connection.", label: "reason"
        ) { .byReason($0.failedAttemptsByReason, attemptReasons) { .count($0 ?? 0) } },
        .counter("genesys_loop_rollovers_total", "Moves to a new connection before the old one ended.") {
            .count($0.rolloverCount)
        },
        .counter("genesys_loop_failed_rollovers_total", "Moves that failed; the old connection continued.") {
            .count($0.failedRolloverCount)
        },
        .counter("genesys_loop_extensions_total", "Extensions of the channel's life.") { .count($0.extensionCount) },
        .counter(
            "genesys_loop_merged_repeats_total",
            "Messages that came on both connections of an overlap and were delivered once."
        ) { .count($0.mergedRepeats) },
        .counter("genesys_loop_paused_seconds_total", "Time in which the host had paused the channel.") {
            .duration($0.pausedDuration)
        },
        .histogram("genesys_loop_ping_round_trip_seconds", "The time from an application ping to its answer.") {
            $0.pingRoundTrips
        },
        .gauge("genesys_loop_seconds_since_notification", "Time since the last notification was delivered.") {
            Reading($0.lastNotificationAge)
        },
        .gauge("genesys_loop_seconds_since_input", "Time since the last byte of the service, heartbeats included.") {
            Reading($0.silence)
        },
        .gauge("genesys_loop_channel_connections", "Connections of the channel that are open or being opened.") {
            .count($0.connectionCount)
        },
        .gauge("genesys_loop_held_notifications", "Notifications held for the order of a rollover, or by a pause.") {
            .count($0.heldCount)
        },
        .gauge("genesys_loop_held_bytes", "Bytes of the notifications that are held.") { .count($0.heldByteCount) },
        .gauge("genesys_loop_pending_commands", "Commands that the service has not answered yet.") {
            .count($0.pendingCommandCount)
        },
        .gauge("genesys_loop_queued_bytes", "Bytes to be sent that the kernel has not taken yet.") {
            .count($0.queuedByteCount)
        },
        .gauge("genesys_loop_unconfirmed_topics", "Requested topics that the service's confirmation did not name.") {
            .count($0.unconfirmedTopicCount)
        },
    ]

    // Reasons that have a sample before they occur: a sample that begins with 1 is no increase for Prometheus.
    private static let lossReasons: [FailureReason] = [
        .channelClosing, .channelTakenOver, .connectionClosed, .heartbeatLost, .protocolViolation,
    ]
    private static let attemptReasons: [FailureReason] = [
        .connect, .connectionClosed, .dns, .invalidStatusCode, .timeout,
    ]
}

extension Reading {
    /// A sample for each reason that occurred, and for those that have one from the beginning, in alphabetical order.
    fileprivate static func byReason<Value>(
        _ values: [FailureReason: Value], _ usual: [FailureReason], _ reading: (Value?) -> Reading
    ) -> Reading {
        let reasons = values.isEmpty ? usual : Set(values.keys).union(usual).sorted { $0.rawValue < $1.rawValue }
        return .labeled(reasons.map { ($0.rawValue, reading(values[$0])) })
    }
}

/// What is being run.
package struct BuildInformation: Sendable {
    /// For example `0.1.0`.
    package var version: String

    package init(version: String) {
        self.version = version
    }
}
