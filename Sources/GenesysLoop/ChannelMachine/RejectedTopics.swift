/// Topics that the service did not accept.
///
/// Over the WebSocket the service refuses a command as a whole and says why in `message`: then no rejection has a
/// reason of its own.
public struct RejectedTopics: Hashable, Sendable {
    /// One topic, and why it was not accepted.
    public struct Rejection: Hashable, Sendable {
        /// The topic.
        public var topic: Topic
        /// What the service said about this topic; nil if nothing.
        public var reason: String?
        /// The permissions that the service named as missing, empty if none.
        public var missingPermissions: [String]

        /// Creates a rejection.
        public init(topic: Topic, reason: String? = nil, missingPermissions: [String] = []) {
            self.topic = topic
            self.reason = reason
            self.missingPermissions = missingPermissions
        }
    }

    /// One rejection for each topic of the refused command, in its order.
    public var rejections: [Rejection]
    /// The `result` of the reply; 0 if it had none.
    public var status: Int
    /// What the service said about the whole command; nil if nothing.
    public var message: String?

    /// The topics of the refused command, in its order.
    public var topics: [Topic] { rejections.map(\.topic) }

    /// Creates a report with a reason for each topic.
    public init(_ rejections: [Rejection], status: Int = 0, message: String? = nil) {
        self.rejections = rejections
        self.status = status
        self.message = message
    }

    /// Creates a report of a command that was refused as a whole.
    public init(topics: [Topic], status: Int = 0, message: String? = nil) {
        self.init(topics.map { Rejection(topic: $0) }, status: status, message: message)
    }
}

extension RejectedTopics: CustomStringConvertible {
    /// The number and the first ten of the topics with their reasons, the status, and what the service said.
    public var description: String {
        var sentence = "The service did not accept \(rejections.count) \(rejections.count == 1 ? "topic" : "topics")"
        if status != 0 { sentence += " (\(status))" }
        if !rejections.isEmpty { sentence += ": \(rejections.prefix(10).map(\.description).joined(separator: ", "))" }
        if rejections.count > 10 { sentence += " and \(rejections.count - 10) more" }
        if let message, !message.isEmpty { sentence += "; it said: \(message)" }
        return ChannelFailure.printable(sentence + ".")
    }
}

extension RejectedTopics.Rejection: CustomStringConvertible {
    /// The topic, then in parentheses the reason and the missing permissions, if there are any.
    public var description: String {
        var parts = reason.map { $0.isEmpty ? [] : [$0] } ?? []
        if !missingPermissions.isEmpty { parts.append("missing \(missingPermissions.joined(separator: ", "))") }
        return ChannelFailure.printable(parts.isEmpty ? "\(topic)" : "\(topic) (\(parts.joined(separator: "; ")))")
    }
}
