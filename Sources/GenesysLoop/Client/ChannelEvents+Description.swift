// Sentences for logs and for people. None holds a payload; `ChannelFailure.printable` takes out what a peer may have put
// into a text to disturb a terminal.

extension Gap: CustomStringConvertible {
    /// From when to when, and why; times are ISO 8601.
    public var description: String { "Notifications may have been missed from \(from) to \(to) (\(reason))." }
}

extension Expiry: CustomStringConvertible {
    /// What ends, and when; the time is ISO 8601.
    public var description: String {
        switch self {
        case .lifetime(let deadline): "The channel's life ends at \(deadline)."
        case .maintenance(let deadline):
            "The service closes this connection for maintenance, at the latest at \(deadline)."
        }
    }
}

extension ReconnectAttempt: CustomStringConvertible {
    /// The number, the delay in seconds, and the sentence of the failure.
    public var description: String { "Attempt \(number) starts in \(delay.secondsText) s. \(failure)" }
}

extension Recovery: CustomStringConvertible {
    /// How the channel came back, and the counts since `open()`.
    public var description: String {
        let deed =
            switch method {
            case .reconnect: "The channel connected again with attempt \(attemptCount)"
            case .rollover: "The channel moved to a new connection without a break"
            case .extension: "The channel's life was extended"
            }
        return "\(deed). Reconnects \(reconnectCount), rollovers \(rolloverCount), extensions \(extensionCount), "
            + "merged repeats \(mergedRepeats)."
    }
}

extension RejectedTopics: CustomStringConvertible {
    /// The number and the first ten of the topics, the status, and what the service said.
    public var description: String {
        var sentence = "The service did not accept \(topics.count) \(topics.count == 1 ? "topic" : "topics")"
        if status != 0 { sentence += " (\(status))" }
        if !topics.isEmpty { sentence += ": \(topics.prefix(10).map(\.rawValue).joined(separator: ", "))" }
        if topics.count > 10 { sentence += " and \(topics.count - 10) more" }
        if let message, !message.isEmpty { sentence += "; it said: \(message)" }
        return ChannelFailure.printable(sentence + ".")
    }
}

extension DiscardedMessage: CustomStringConvertible {
    /// The number of bytes and the reason, without the bytes.
    public var description: String {
        "A message of \(bytes.count) \(bytes.count == 1 ? "byte" : "bytes") is no notification and was discarded "
            + "(\(reason))."
    }
}

extension ChannelFailure.Kind: CustomStringConvertible {
    /// The stable name, for example `initialization.connection`.
    public var description: String { rawValue }
}

extension ChannelFailure.Underlying: CustomStringConvertible {
    /// The operation, its text, and its number where it has one.
    public var description: String {
        let parts = [operation, text].filter { !$0.isEmpty }.joined(separator: ": ")
        return ChannelFailure.printable(code == 0 ? parts : "\(parts) (\(code))")
    }
}

extension ChannelStatistics: CustomStringConvertible {
    /// Every member by its name, on one line. Times are in seconds; what is not known is left out.
    public var description: String {
        Mirror(reflecting: self).children.compactMap { name, value -> String? in
            guard let name else { return nil }
            switch value {
            case let duration as Duration: return "\(name) \(duration.secondsText) s"
            case let count as Int: return "\(name) \(count)"
            default: return nil
            }
        }.joined(separator: ", ")
    }
}
