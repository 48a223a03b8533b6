/// The class of a message.
///
/// - A *notification* is an object with a string `topicName` that is neither `channel.metadata` nor a system topic.
/// - A *reply* is an object without `topicName` that has a `result` (a string on the wire, a number is accepted) or a
///   string `status`.
/// - Everything else, including unknown system topics, is `unrecognized` or `system(.unknown)` and goes to the host's
///   `didDiscard`.
///
/// Names of control topics are compared without regard to ASCII case, as the official clients do.
package enum MessageClass: Equatable, Sendable {
    case notification
    /// `channel.metadata` with any message except `pong`: the socket is alive.
    case heartbeat
    /// The answer to our `ping`.
    case pong
    /// `v2.system.socket_closing`: maintenance in about a minute.
    case socketClosing
    case system(SystemTopic)
    case reply(CommandReply)
    case unrecognized

    /// Classifies a scanned message.
    ///
    /// Allocates only for control messages.
    ///
    /// - Parameters:
    ///   - envelope: the result of scanning `message`.
    ///   - message: the whole message.
    package init(_ envelope: Envelope, in message: Span<UInt8>) {
        guard let topic = envelope.topicName, topic.kind == .string else {
            self = CommandReply(envelope, in: message).map { .reply($0) } ?? .unrecognized
            return
        }
        guard MessageClass.mayBeControl(topic, in: message) else {
            self = .notification
            return
        }
        self = MessageClass.control(topic, of: envelope, in: message)
    }

    /// A quick check whether a scanned message is a notification; false is inconclusive.
    @inline(__always)
    package static func isPlainNotification(_ envelope: Envelope, in message: Span<UInt8>) -> Bool {
        guard let topic = envelope.topicName, topic.kind == .string else { return false }
        return !mayBeControl(topic, in: message)
    }

    /// A quick check of the first eight bytes: false for every topic that can be subscribed to.
    @inline(always)
    private static func mayBeControl(_ topic: JSONSlice, in message: Span<UInt8>) -> Bool {
        guard !topic.hasEscapes else { return true }
        // Sets the bit that distinguishes lower case from upper; exact comparison follows.
        let start = message.word(at: topic.content.lowerBound) | 0x2020_2020_2020_2020
        return start == PackedName("channel.").low || start == PackedName("v2.syste").low
            || start == PackedName("system.v").low
    }

    private static func control(
        _ topic: JSONSlice, of envelope: Envelope, in message: Span<UInt8>
    ) -> MessageClass {
        let name = (topic.string(in: message) ?? "").asciiLowercased
        if name == "channel.metadata" {
            let text = envelope.members(of: envelope.eventBody, in: message).message?.string(in: message)
            return text?.asciiLowercased == "pong" ? .pong : .heartbeat
        }
        guard name.hasPrefix("v2.system.") || name.hasPrefix("system.v2.") else { return .notification }
        // The rest after the name is the channel's id.
        let rest = name.dropFirst("v2.system.".count).prefix { $0 != "." }
        if rest == "socket_closing" { return .socketClosing }
        let named = SystemTopic(name: rest)
        guard named == .unknown else { return .system(named) }
        // The names of these topics appear only in this field; `systemTopicType` is the documented model.
        let body = envelope.members(of: envelope.eventBody, in: message)
        let type = body.systemTopicType?.string(in: message)?.asciiLowercased ?? ""
        return .system(SystemTopic(name: type))
    }
}

extension String {
    /// The string with only its ASCII capitals lowercased.
    var asciiLowercased: String {
        String(decoding: utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

/// The meaning of a message on a system topic.
///
/// The service spells the names `v2.system.<name>` on the JSON dialect and `system.v2.<name>.<channel id>` on the XMPP
/// one; both are accepted (Genesys Cloud SDK, model `SystemMessageSystemMessage`). `socket_closing` is a message class
/// of its own.
package enum SystemTopic: Equatable, Sendable {
    /// The channel lost its subscriptions to another one.
    case noLongerSubscribed
    /// Another connection uses this channel's id.
    case duplicateID
    /// The list of topics was changed elsewhere.
    case subscriptionChanged
    /// The tokens of the channel's user were revoked.
    case tokenRevoked
    /// An unknown name.
    case unknown

    /// The topic for a lower-case name without its prefix.
    init(name: some StringProtocol) {
        switch name {
        case "no_longer_subscribed": self = .noLongerSubscribed
        case "duplicate_id": self = .duplicateID
        case "subscription_changed": self = .subscriptionChanged
        case "token_revoked": self = .tokenRevoked
        default: self = .unknown
        }
    }
}
