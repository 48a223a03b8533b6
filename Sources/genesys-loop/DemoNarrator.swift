import GenesysLoop
import ToolSupport

/// Explains on standard error what happens in `demo`.
struct DemoNarrator {
    /// A sample of every kind of topic that the simulator knows.
    static let topics: [Topic] = [
        "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1?presence&routingStatus&activity",
        "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.conversationsummary",
        "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.conversations",
        "v2.analytics.queues.4750048b-1994-41d4-8410-a5760c49a6cd.observations",
        "v2.conversations.d1b7b7b0-3c5a-4c8e-8f6e-0f5c2a9d4e11.transcription",
    ]

    private let start = SuspendingClock.now
    private let hasColor: Bool

    init() {
        hasColor = EventLog.Style.sentences == .text(hasColor: true)
    }

    /// One line: the time since the start, the subject, and a sentence.
    func say(_ subject: String, _ sentence: String) {
        let tenths = Int((SuspendingClock.now - start) / .milliseconds(100))
        let time = "\(tenths / 10).\(tenths % 10) s"
        let margin = String(repeating: " ", count: max(0, 7 - time.count)) + time
        let space = String(repeating: " ", count: max(1, 13 - subject.count))
        let title = hasColor ? "\u{1B}[1m\(subject)\u{1B}[0m" : subject
        StandardError.write("\(margin)  \(title)\(space)\(EventLog.printable(sentence))")
    }

    func didSubscribe(_ topics: [Topic]) {
        say(
            "subscribed",
            "the service confirmed \(topics.count) topics; from here on their notifications come on "
                + "standard output")
    }

    func willExpire(_ expiry: Expiry) {
        switch expiry {
        case .maintenance(let deadline):
            say(
                "maintenance",
                "the service will close this connection by \(deadline); a second one "
                    + "is opened, while the first goes on")
        case .lifetime(let deadline):
            say("expiry", "the channel's life ends at \(deadline) and is not extended")
        }
    }

    func didRecover(_ recovery: Recovery) {
        switch recovery.method {
        case .rollover:
            say(
                "rollover",
                "the new connection is confirmed and takes over: nothing was lost on the way, and what came "
                    + "on both was printed once (\(recovery.mergedRepeats) duplicates dropped)")
        case .extension:
            say(
                "extension",
                "the channel subscribed again before its life was over, which gives it another 24 hours; "
                    + "in earnest that happens after 23 hours")
        case .reconnect, .replacement:
            say("reconnected", "the channel is back, after \(recovery.attemptCount) attempts")
        }
    }

    func willReconnect(_ attempt: ReconnectAttempt) {
        say("lost", attempt.description)
    }

    func didMiss(_ gap: Gap) {
        say(
            "gap",
            "notifications may have been missed until \(gap.to); the service does not repeat them")
    }
}
