package import GenesysLoop

/// The tables of metrics: for each kind of source everything that is measured, in the order of the page.
package enum MetricTable {
    /// The program's build.
    package static let build: [Metric<BuildInformation>] = [
        .gauge("genesys_loop_build_info", "Always 1; the label names the version of the library.", label: "version") {
            .labeled([($0.version, .count(1))])
        }
    ]

    /// The process, with the names that exporters of all languages use. What the system does not say is left out.
    package static let process: [Metric<ProcessStatistics>] = [
        .counter("process_cpu_seconds_total", "CPU time that the process has used, user and system.") {
            .duration($0.cpuTime)
        },
        .gauge("process_resident_memory_bytes", "Memory of the process that is resident.") {
            Reading($0.residentByteCount)
        },
        .gauge("process_open_fds", "Open file descriptors.") { Reading($0.openDescriptorCount) },
        .gauge("process_max_fds", "The most file descriptors that the process may open.") {
            Reading($0.maxDescriptorCount)
        },
        .gauge("process_start_time_seconds", "When the process began, in seconds since 1970.") {
            Reading($0.startTime)
        },
    ]

    /// One channel.
    package static let channel: [Metric<ChannelStatistics>] = [
        .counter("genesys_loop_notifications_total", "Notifications delivered to the host.") {
            .count($0.receivedCount)
        },
        .counter("genesys_loop_discarded_messages_total", "Messages that were neither notifications nor replies.") {
            .count($0.discardedCount)
        },
        .counter("genesys_loop_message_bytes_total", "Bytes of all messages received, after decompression.") {
            .count($0.receivedByteCount)
        },
        .counter("genesys_loop_rollovers_total", "Moves to a new connection before the old one ended.") {
            .count($0.rolloverCount)
        },
        .counter("genesys_loop_extensions_total", "Extensions of the channel's life.") { .count($0.extensionCount) },
        .counter(
            "genesys_loop_merged_repeats_total",
            "Messages that came on both connections of an overlap and were delivered once."
        ) { .count($0.mergedRepeats) },
        .gauge("genesys_loop_seconds_since_notification", "Time since the last notification was delivered.") {
            Reading($0.lastNotificationAge)
        },
        .gauge("genesys_loop_seconds_since_input", "Time since the last byte of the service, heartbeats included.") {
            Reading($0.silence)
        },
        .gauge("genesys_loop_channel_connections", "Sockets of the channel that are open or being opened.") {
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
    ]
}

/// What is being run.
package struct BuildInformation: Sendable {
    /// For example `0.1.0`.
    package var version: String

    package init(version: String) {
        self.version = version
    }
}
