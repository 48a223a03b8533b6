/// Topics that the service did not accept.
public struct RejectedTopics: Hashable, Sendable {
    /// The topics of the refused command.
    public var topics: [Topic]
    /// The `result` of the reply; 0 if it had none.
    public var status: Int
    /// What the service said.
    public var message: String?
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
