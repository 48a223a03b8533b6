/// The commands a client sends, as whole messages (Genesys Cloud, "Subscribe and unsubscribe over WebSockets").
package enum Command {
    /// `{"message":"subscribe","topics":[…],"correlationId":"…"}`.
    package static func subscribe(topics: some Collection<Topic>, correlationID: String) -> [UInt8] {
        message("subscribe", topics: topics, correlationID: correlationID)
    }

    /// `{"message":"unsubscribe","topics":[…],"correlationId":"…"}`.
    package static func unsubscribe(topics: some Collection<Topic>, correlationID: String) -> [UInt8] {
        message("unsubscribe", topics: topics, correlationID: correlationID)
    }

    /// `{"message":"ping"}`; answered by a `channel.metadata` message with the text `pong`.
    package static let ping = [UInt8](#"{"message":"ping"}"#.utf8)

    /// Builds a command.
    ///
    /// The order of the keys is that of the documentation's example.
    private static func message(
        _ verb: String, topics: some Collection<Topic>, correlationID: String
    ) -> [UInt8] {
        var object = JSONObject()
        object.add("message", verb)
        object.add("topics", topics.lazy.map(\.rawValue))
        object.add("correlationId", correlationID)
        return object.finished()
    }
}

/// A command that the service has not answered yet.
///
/// It is sent once more after half of its deadline, with the same correlation id, so that either answer settles it.
/// Source: protocol sheet §3, §4.2.
package struct PendingCommand: Equatable, Sendable {
    /// What its answer decides.
    package enum Purpose: Equatable, Sendable {
        /// The subscription that confirms a link.
        case confirm
        /// The renewal of the channel's life.
        case extend
        /// The subscription was changed or taken by another client.
        case restore(SubscriptionLapse)
        /// Topics added at run time.
        case add
        /// Topics removed at run time.
        case remove
    }

    package let purpose: Purpose
    package private(set) var topics: [Topic]
    /// Those of `topics` that no earlier command asked the channel for.
    package var firstAsked: Set<Topic> = []
    package let correlationID: String
    package private(set) var isResent = false
    /// It was sent again with other topics: an answer may belong to the first version.
    package private(set) var isRevised = false
    package private(set) var deadline: Instant
    private let half: Duration

    package init(
        purpose: Purpose, topics: [Topic], correlationID: String, timeout: Duration, now: Instant
    ) {
        self.purpose = purpose
        self.topics = topics
        self.correlationID = correlationID
        half = timeout / 2
        deadline = now + half
    }

    package enum Verdict: Equatable {
        case wait
        case resend
        case unanswered
    }

    package mutating func deadlineReached(now: Instant) -> Verdict {
        guard now >= deadline else { return .wait }
        guard isResent else {
            isResent = true
            deadline = now + half
            return .resend
        }
        return .unanswered
    }

    /// Adapts the topics for the second send, so that it does not undo later commands on the link.
    ///
    /// - Parameters:
    ///   - all: the wanted topics that were requested.
    ///   - subscribed: what the link has when all commands are answered.
    package mutating func revise(_ all: [Topic], subscribed: Set<Topic>) {
        let before = topics
        switch purpose {
        case .confirm: break
        case .extend, .restore: topics = all
        case .add: topics = topics.filter(subscribed.contains)
        case .remove: topics = topics.filter { !subscribed.contains($0) }
        }
        if topics != before { isRevised = true }
    }

    /// Moves the deadline: the time in which the link was not read does not count.
    package mutating func postpone(by pause: Pause) {
        deadline = pause.postponed(deadline, limit: half)
    }

    /// The command for the service.
    package var command: OutgoingCommand {
        switch purpose {
        case .confirm, .extend, .restore, .add: .subscribe(topics, correlationID: correlationID)
        case .remove: .unsubscribe(topics, correlationID: correlationID)
        }
    }
}

/// A command of the machine; the driver encodes and sends it.
package enum OutgoingCommand: Equatable, Sendable {
    case subscribe([Topic], correlationID: String)
    case unsubscribe([Topic], correlationID: String)
    case ping
}

extension OutgoingCommand {
    /// Its text message.
    package func encoded() -> [UInt8] {
        switch self {
        case .subscribe(let topics, let correlationID):
            Command.subscribe(topics: topics, correlationID: correlationID)
        case .unsubscribe(let topics, let correlationID):
            Command.unsubscribe(topics: topics, correlationID: correlationID)
        case .ping:
            Command.ping
        }
    }
}

/// The service's answer to a command (subscribe, unsubscribe).
///
/// As captured: `{"correlationId":"…","topics":[…],"result":"200","status":"subscribed"}`. A refusal has a `result`
/// outside 2xx and usually a `message` and a `status` of `error`, `failure` or `failed`.
package struct CommandReply: Equatable, Sendable {
    /// Echo of the command's `correlationId`; nil if it had none.
    package var correlationID: String?
    /// The `result` as a number; 0 if it is missing or not a number.
    package var status: Int
    /// The `status`, or an empty string.
    package var statusText: String
    /// The strings in `topics`; nil if it is not an array.
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

    /// The command was refused: a `result` outside of 2xx, or a `status` of a refusal.
    package var isRefused: Bool {
        switch statusText.asciiLowercased {
        case "error", "failure", "failed": true
        default: status != 0 && !(200..<300).contains(status)
        }
    }
}

extension CommandReply {
    /// Reads the reply from a scanned message; nil if the message is not a reply.
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

    /// The strings of an array; other values are skipped.
    private static func topics(_ slice: JSONSlice?, in message: Span<UInt8>) -> [Topic]? {
        guard let slice, slice.kind == .array else { return nil }
        var topics: [Topic] = []
        for element in slice.elements(in: message) {
            if let name = element.string(in: message) { topics.append(Topic(rawValue: name)) }
        }
        return topics
    }
}
