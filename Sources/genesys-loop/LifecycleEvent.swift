import GenesysLoop
import GenesysPlatform
import GenesysRelay
import Logging
import ToolSupport

/// The events that `listen` and `relay` report, apart from notifications.
enum LifecycleEvent {
    case subscribed([Topic])
    case reconnecting(ReconnectAttempt)
    case rolloverFailed(ChannelFailure)
    case recovered(Recovery)
    case gap(Gap)
    case willExpire(Expiry)
    case rejected(RejectedTopics)
    case discarded(DiscardedMessage)
    case failed(ChannelFailure)
    case closed
    /// A token was obtained; with the rest of its life, where that is known.
    case token(lifetime: Duration?)
    /// The tool made a channel.
    case channelMade(ChannelCount)
    /// A channel that the tool made does not exist anymore.
    case channelGone(FailureReason)
    /// No REST call starts before this time is over, because there were too many.
    case throttled(Duration)
    /// What the channel does and has done: SIGUSR1 came.
    case statistics(ChannelStatistics, relay: RelayStatistics? = nil)
    /// Something happened to the stream of `relay`.
    case relay(RelayEvent)
    case log(Logger.Level, String)
    /// The number of lines, of events of any kind, that did not fit into the queue for standard error.
    case linesDropped(Int)

    /// Whether this is a final event, whose line is never dropped. The tool's own final messages are logged as errors.
    var isEnd: Bool {
        switch self {
        case .failed, .closed: true
        case .log(let level, _): level >= .error
        default: false
        }
    }

    /// Whether it is about one channel of those that the tool makes.
    private var isOfShard: Bool {
        switch self {
        case .subscribed, .reconnecting, .rolloverFailed, .recovered, .gap, .willExpire, .rejected, .discarded,
            .channelMade, .channelGone:
            true
        case .failed, .closed, .token, .throttled, .statistics, .relay, .log, .linesDropped: false
        }
    }

    /// The line of `--events`, without its end. Other programs rely on the names of events and members.
    ///
    /// - Parameter shard: the number of the channel among those that the tool makes; nil for one whose URI is given.
    func json(at time: WallTime, shard: Int? = nil) -> String {
        var line = JSONObject()
        line.add("event", name)
        line.add("at", time.description)
        if let shard, isOfShard { line.add("shard", shard) }
        switch self {
        case .subscribed(let topics):
            line.add("topics", topics.map(\.rawValue))
        case .reconnecting(let attempt):
            line.add("attempt", attempt.number)
            line.add("delay", seconds: attempt.delay)
            line.add("reason", attempt.reason.rawValue)
            addStatus(of: attempt.failure, to: &line)
            line.add("message", attempt.failure.description)
        case .rolloverFailed(let failure):
            line.add("reason", failure.reason.rawValue)
            addStatus(of: failure, to: &line)
            line.add("message", failure.description)
        case .recovered(let recovery):
            line.add("by", recovery.method.rawValue)
        case .gap(let gap):
            line.add("from", gap.from.description)
            line.add("to", gap.to.description)
            line.add("reason", gap.reason.rawValue)
        case .willExpire(let expiry):
            line.add("by", expiry.cause)
            line.add("deadline", expiry.deadline.description)
        case .rejected(let rejected):
            line.add("topics", rejected.topics.map(\.rawValue))
            line.add("reason", rejected.reason)
            line.add("missingPermissions", rejected.missingPermissions)
            line.add("status", rejected.status)
            line.add("message", rejected.message)
        case .discarded(let message):
            line.add("reason", message.reason.rawValue)
        case .failed(let failure):
            line.add("kind", failure.kind.rawValue)
            line.add("reason", failure.reason.rawValue)
            line.add("phase", failure.phase.rawValue)
            addStatus(of: failure, to: &line)
            line.add("message", failure.description)
            line.add("remedy", failure.advice)
        case .closed:
            break
        case .token(let lifetime):
            if let lifetime { line.add("lifetime", seconds: lifetime) }
        case .channelMade(let count):
            line.add("ours", count.ours)
            if let all = count.all { line.add("all", all) }
        case .channelGone(let reason):
            line.add("reason", reason.rawValue)
        case .throttled(let delay):
            line.add("seconds", seconds: delay)
        case .statistics(let statistics, let relay):
            line.add(statistics)
            if let relay { line.add("relay", relay) }
        case .relay(let event):
            line.add(event)
        case .log(let level, let message):
            line.add("level", level.rawValue)
            line.add("message", message)
        case .linesDropped(let count):
            line.add("count", count)
        }
        return String(decoding: line.finished(), as: UTF8.self)
    }

    /// The name, as in `--events`.
    var name: String {
        switch self {
        case .subscribed: "subscribed"
        case .reconnecting: "reconnecting"
        case .rolloverFailed: "rolloverFailed"
        case .recovered: "recovered"
        case .gap: "gap"
        case .willExpire: "willExpire"
        case .rejected: "rejected"
        case .discarded: "discarded"
        case .failed: "failed"
        case .closed: "closed"
        case .token: "token"
        case .channelMade: "channelMade"
        case .channelGone: "channelGone"
        case .throttled: "throttled"
        case .statistics: "statistics"
        case .relay(let event): event.name
        case .log: "log"
        case .linesDropped: "linesDropped"
        }
    }

    private func addStatus(of failure: ChannelFailure, to line: inout JSONObject) {
        if let status = failure.status { line.add("status", status) }
        line.add("correlationId", failure.correlationID)
        line.add("location", failure.location)
    }
}

extension RejectedTopics {
    /// What the service said about the topics, each sentence once; nil if nothing.
    var reason: String? {
        let reasons = unique(rejections.compactMap(\.reason))
        return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    }

    var missingPermissions: [String] { unique(rejections.flatMap(\.missingPermissions)) }

    private func unique(_ texts: [String]) -> [String] {
        texts.indices.filter { texts.firstIndex(of: texts[$0]) == $0 }.map { texts[$0] }
    }
}

extension Expiry {
    /// What expires, in one word.
    var cause: String {
        switch self {
        case .lifetime: "lifetime"
        case .maintenance: "maintenance"
        }
    }
}
