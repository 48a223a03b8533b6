import GenesysLoop

/// Counts what arrived in `demo`, for its last line.
struct DemoTally {
    /// The number in a simulated notification's body.
    private struct Body: Decodable {
        let sequence: Int
    }

    private var notificationCount = 0
    private var topics: Set<Topic> = []
    private var sequences: Set<Int> = []
    private var rolloverCount = 0
    private var extensionCount = 0

    /// Whether both events of the demonstration have occurred.
    var isComplete: Bool { missing == nil }

    /// The event that has not occurred yet.
    var missing: String? {
        if rolloverCount == 0 { return "the rollover" }
        return extensionCount == 0 ? "the extension of the channel's life" : nil
    }

    /// The notifications that are missing between the first and the last number received.
    var lostCount: Int {
        guard let first = sequences.min(), let last = sequences.max() else { return 0 }
        return last - first + 1 - sequences.count
    }

    /// The notifications that arrived more than once.
    var repeatedCount: Int { notificationCount - sequences.count }

    mutating func count(_ notification: ChannelNotification) {
        notificationCount += 1
        topics.insert(Topic(notification.topic))
        if let body = try? notification.decode(Body.self) { sequences.insert(body.sequence) }
    }

    mutating func count(_ recovery: Recovery) {
        rolloverCount = recovery.rolloverCount
        extensionCount = recovery.extensionCount
    }

    /// The counts on one line.
    var summary: String {
        let parts = [
            "\(notificationCount) notifications of \(topics.count) topics", "\(rolloverCount) rollover",
            "\(extensionCount) extension\(extensionCount == 1 ? "" : "s")",
        ]
        let verdict =
            lostCount == 0 && repeatedCount == 0
            ? "none lost, none repeated" : "\(lostCount) lost, \(repeatedCount) repeated"
        return parts.joined(separator: ", ") + "; " + verdict
    }
}
