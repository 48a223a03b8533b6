extension ChannelMachine.Event {
    /// A line for the log: counts in place of topics.
    var summary: String {
        switch self {
        case .didSubscribe(let topics): "subscribed to \(topics.count) topics"
        case .willReconnect(let attempt): "\(attempt)"
        case .didFailRollover(let failure): "\(failure)"
        case .didReject(let topics): "\(topics.topics.count) topics refused with \(topics.status)"
        case .didMiss(let gap): "\(gap)"
        case .didRecover(let recovery): "\(recovery)"
        case .willExpire(let expiry): "\(expiry)"
        }
    }
}

extension NotificationChannel {
    /// The line about a confirmation that did not name all topics: the first of them, so that it stays one line.
    static func warning(unconfirmed topics: [Topic]) -> String {
        let names = topics.prefix(20).map(\.rawValue).joined(separator: ", ")
        let more = topics.count > 20 ? " and \(topics.count - 20) more" : ""
        return "the service's confirmation does not name \(names)\(more): they may not be subscribed"
    }
}
