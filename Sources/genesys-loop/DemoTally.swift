import GenesysLoop

/// What has come in `demo`, for its last line.
struct DemoTally {
    /// The part of a simulated notification's body that numbers it.
    private struct Body: Decodable {
        let sequence: Int
    }

    private var notificationCount = 0
    private var topics: Set<Topic> = []
    private var sequences: Set<Int> = []
    private var rolloverCount = 0
    private var extensionCount = 0

    /// Whether both events that the demonstration is about have come.
    var isComplete: Bool { missing == nil }

    /// The event that has not come yet.
    var missing: String? {
        if rolloverCount == 0 { return "the rollover" }
        return extensionCount == 0 ? "the extension of the channel's life" : nil
    }

    /// Those that never came, of all that the service numbered between the first and the last one.
    var lostCount: Int {
        guard let first = sequences.min(), let last = sequences.max() else { return 0 }
        return last - first + 1 - sequences.count
    }

    /// Those that came again.
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

    /// One line.
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
