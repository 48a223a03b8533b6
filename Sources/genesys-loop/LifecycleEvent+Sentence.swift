import GenesysLoop
import Logging
import ToolSupport

/// The events as sentences for people.
extension LifecycleEvent {
    /// The severity for a reader.
    enum Weight {
        case news
        case warning
        case error
    }

    /// One short line, without its end.
    var sentence: String {
        switch self {
        case .subscribed(let topics) where topics.isEmpty:
            "connected; the topics are those that were set over REST"
        case .subscribed(let topics):
            "subscribed to \(topics.count) \(topics.count == 1 ? "topic" : "topics")"
        case .reconnecting(let attempt):
            attempt.description
        case .rolloverFailed(let failure):
            failure.description
        case .recovered(let recovery):
            recovered(recovery)
        case .gap(let gap):
            "notifications may have been missed from \(gap.from) to "
                + "\(gap.to); the service does not repeat them"
        case .willExpire(.lifetime(let deadline)):
            "the channel's life ends at \(deadline)"
        case .willExpire(.maintenance(let deadline)):
            "the service closes this connection for maintenance, at the latest at \(deadline)"
        case .rejected(let rejected):
            sentence(rejected)
        case .discarded(let message):
            "a message of \(message.bytes.count) bytes is no notification (\(message.reason)) and was discarded"
        case .failed(let failure):
            failure.description
        case .closed:
            "closed"
        case .token(let lifetime):
            "got a token" + (lifetime.map { " for \(LifecycleEvent.text($0))" } ?? "")
        case .channelMade(let count):
            "made a channel (\(count))"
        case .channelGone(let reason):
            "the channel is gone (\(reason)): another one takes its place"
        case .throttled(let delay):
            "the service received too many requests: no further one for \(LifecycleEvent.text(delay))"
        case .statistics(let statistics, let relay):
            "statistics: \(statistics)" + (relay.map { "; relay: \($0)" } ?? "")
        case .relay(let event):
            event.sentence
        case .log(let level, let message):
            "\(level): \(message)"
        case .linesDropped(let count):
            StandardError.dropped(count)
        }
    }

    var weight: Weight {
        switch self {
        case .subscribed, .recovered, .willExpire, .closed, .statistics, .token, .channelMade: .news
        case .reconnecting, .rolloverFailed, .gap, .rejected, .discarded, .linesDropped, .channelGone, .throttled:
            .warning
        case .failed: .error
        case .relay(let event): event.weight
        case .log(let level, _): level >= .error ? .error : level >= .warning ? .warning : .news
        }
    }

    /// The priority of syslog(3), from 7 for debugging to 2 for what is critical.
    var priority: Int {
        switch self {
        case .log(.trace, _), .log(.debug, _): 7
        case .log(.notice, _): 5
        case .log(.critical, _): 2
        default:
            switch weight {
            case .news: 6
            case .warning: 4
            case .error: 3
            }
        }
    }

    private func sentence(_ rejected: RejectedTopics) -> String {
        guard rejected.status == 0 else {
            return "the service refused \(rejected.topics.count) topics (\(rejected.status)): "
                + (rejected.message ?? "no reason")
        }
        let permissions = rejected.missingPermissions
        let missing = permissions.isEmpty ? "" : "; missing: \(permissions.joined(separator: ", "))"
        return "the service refused \(rejected.topics.listed): "
            + (rejected.reason ?? rejected.message ?? "no reason") + missing
            + (permissions.isEmpty ? "" : ", in the division of what the topic names")
    }

    /// In the largest unit, of which there are two at least.
    static func text(_ duration: Duration) -> String {
        switch max(0, Int(duration / .seconds(1))) {
        case let seconds where seconds < 120: "\(seconds) s"
        case let seconds where seconds < 7_200: "\(seconds / 60) min"
        case let seconds: "\(seconds / 3_600) h"
        }
    }

    private func recovered(_ recovery: Recovery) -> String {
        switch recovery.method {
        case .reconnect: "connected again, attempt \(recovery.attemptCount)"
        case .rollover: "moved to a new connection without a break"
        case .extension: "the channel's life is extended"
        case .replacement: "a new channel took the place of one that was gone"
        }
    }
}
