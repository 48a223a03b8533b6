/// The service's answer to a command (subscribe, unsubscribe).
///
/// As captured: `{"correlationId":"…","topics":[…],"result":"200","status":"subscribed"}`; a refusal has a `result`
/// that is no 2xx and, mostly, a `status` of `error`, `failure` or `failed` and a `message`.
package struct CommandReply: Equatable, Sendable {
    /// Echo of the command's `correlationId`; nil where it had none.
    package var correlationID: String?
    /// The `result` as a number; 0 where there is none or it is no number.
    package var status: Int
    /// The `status`, or an empty string.
    package var statusText: String
    /// The strings in `topics`; nil where it is no array.
    package var topics: [Topic]?
    /// What the service says about a refusal.
    package var message: String?

    package init(
        correlationID: String? = nil, status: Int, statusText: String = "", topics: [Topic]? = nil,
        message: String? = nil
    ) {
        self.correlationID = correlationID
        self.status = status
        self.statusText = statusText
        self.topics = topics
        self.message = message
    }

    /// The topics are subscribed.
    package var isSubscribed: Bool { !isRefused && statusText.asciiLowercased == "subscribed" }

    /// The topics are no longer subscribed.
    package var isUnsubscribed: Bool { !isRefused && statusText.asciiLowercased == "unsubscribed" }

    /// The command was refused: a `result` outside of 2xx, or a `status` that says so.
    package var isRefused: Bool {
        switch statusText.asciiLowercased {
        case "error", "failure", "failed": true
        default: status != 0 && !(200..<300).contains(status)
        }
    }
}

extension CommandReply {
    /// Reads the reply out of a scanned message; nil if it is none.
    init?(_ envelope: Envelope, in message: Span<UInt8>) {
        let hasResult = envelope.result?.kind == .string || envelope.result?.kind == .number
        let statusText = envelope.status?.string(in: message)
        guard hasResult || statusText != nil else { return nil }
        self.init(
            correlationID: envelope.correlationID?.string(in: message),
            status: CommandReply.number(envelope.result, in: message),
            statusText: statusText ?? "",
            topics: CommandReply.topics(envelope.topics, in: message),
            message: envelope.message?.string(in: message))
    }

    /// The whole number of a `result`, given as `"200"` or `200`.
    private static func number(_ slice: JSONSlice?, in message: Span<UInt8>) -> Int {
        guard let slice else { return 0 }
        let text = slice.kind == .number ? message.extracting(slice.range).text() : slice.string(in: message)
        guard let text, let number = Int(text), number > 0 else { return 0 }
        return number
    }

    /// The strings of an array; values of another kind are passed over.
    private static func topics(_ slice: JSONSlice?, in message: Span<UInt8>) -> [Topic]? {
        guard let slice, slice.kind == .array else { return nil }
        var topics: [Topic] = []
        for element in slice.elements(in: message) {
            if let name = element.string(in: message) { topics.append(Topic(rawValue: name)) }
        }
        return topics
    }
}
