/// The name of a notification topic, for example `v2.users.<id>.presence`.
///
/// A *combined* topic joins suffixes of one resource, `v2.users.<id>?presence&routingStatus`, and counts once;
/// its notifications arrive under the expanded single names (protocol: topics and combined topics).
///
/// Two topics are equal when their UTF-8 bytes are equal: unlike strings, names that differ only in Unicode
/// normalization are two topics, as they are to the service.
public struct Topic: RawRepresentable, Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The most topics one channel may have; a combined topic counts once.
    public static let maxCount = 1_000
    /// The most characters one topic may have.
    public static let maxCharacterCount = 200

    /// The name as sent to the service.
    public let rawValue: String

    /// Wraps a name.
    ///
    /// The channel checks it, not this initializer.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Wraps a name.
    public init(_ name: String) {
        self.init(rawValue: name)
    }

    /// Wraps a literal name.
    public init(stringLiteral value: String) {
        self.init(rawValue: value)
    }

    /// The name.
    public var description: String { rawValue }

    /// Whether the service accepts the name: not empty, at most 200 characters, no white space or control character.
    public var isValid: Bool {
        let scalars = rawValue.unicodeScalars
        return !scalars.isEmpty && rawValue.count <= Topic.maxCharacterCount
            && scalars.allSatisfy { !$0.properties.isWhitespace && $0.value >= 0x20 && $0.value != 0x7F }
    }

    /// The single topics under which notifications arrive; the topic itself if it is not a combined one.
    public var expanded: [Topic] {
        // By bytes: a combining mark would merge with the sign before it into another character.
        let bytes = rawValue.utf8
        guard let mark = bytes.firstIndex(of: UInt8(ascii: "?")) else { return [self] }
        let prefix = rawValue[..<mark]
        let suffixes = bytes[bytes.index(after: mark)...].split(separator: UInt8(ascii: "&"))
        return suffixes.isEmpty ? [self] : suffixes.map { Topic(rawValue: "\(prefix).\(Substring($0))") }
    }
}

extension Topic {
    /// Checks the topics of a channel.
    ///
    /// - Parameters:
    ///   - topics: in any number.
    ///   - limit: the most topics, without duplicates. Default: those of one channel.
    /// - Returns: the topics without duplicates, in order.
    /// - Throws: `ChannelFailure` with reason `subscriptionRefused` for an invalid topic, or beyond the limit.
    public static func checked(_ topics: [Topic], limit: Int = maxCount) throws(ChannelFailure) -> [Topic] {
        var seen: Set<Topic> = []
        let unique = topics.filter { seen.insert($0).inserted }
        if let bad = unique.first(where: { !$0.isValid }) {
            throw ChannelFailure(
                kind: .subscription, reason: .subscriptionRefused, phase: .subscribe,
                message: "'\(bad.rawValue.prefix(60))' is not a topic: 1 to 200 characters without white space")
        }
        if unique.count > limit {
            throw ChannelFailure(
                kind: .subscription, reason: .subscriptionRefused, phase: .subscribe,
                message: "\(unique.count) topics are more than the \(limit) that one channel may have")
        }
        // The host's own array if it had no duplicates: channels with the same topics share it.
        return unique.count == topics.count ? topics : unique
    }

    /// Whether both names have the same bytes.
    public static func == (left: Topic, right: Topic) -> Bool { left.rawValue.isExactly(right.rawValue) }

    /// Whether the names differ in any byte.
    public static func != (left: Topic, right: Topic) -> Bool {
        // Without this operator, `!=` would be that of `RawRepresentable`, which compares the strings.
        !(left == right)
    }

    /// Whether a topic has this name, byte for byte; so `channel.topics` and `notification.topic` compare.
    public static func == (left: Topic, right: String) -> Bool { left.rawValue.isExactly(right) }

    /// Whether a topic has this name, byte for byte.
    public static func == (left: String, right: Topic) -> Bool { right == left }

    /// Whether the name of a topic differs from this one in any byte.
    public static func != (left: Topic, right: String) -> Bool { !(left == right) }

    /// Whether the name of a topic differs from this one in any byte.
    public static func != (left: String, right: Topic) -> Bool { !(right == left) }

    /// Whether the left name comes first in the order of the bytes.
    static func precedes(_ left: Topic, _ right: Topic) -> Bool {
        left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
    }
}

extension Sequence<Topic> {
    /// Whether a topic has this name, byte for byte.
    ///
    /// A notification of a combined topic has one of its single names, those of `Topic.expanded`.
    public func contains(_ name: String) -> Bool {
        contains { topic in topic == name }
    }
}
