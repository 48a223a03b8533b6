/// The name of a notification topic, for example `v2.users.<id>.presence`.
///
/// A *combined* topic joins suffixes of one resource, `v2.users.<id>?presence&routingStatus`, and counts once;
/// its notifications arrive under the expanded single names (protocol: topics and combined topics).
public struct Topic: RawRepresentable, Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The most topics one channel may have; a combined topic counts once.
    public static let maxCount = 1_000
    /// The most characters one topic may have.
    public static let maxCharacterCount = 200

    /// The name as sent to the service.
    public let rawValue: String

    /// Wraps a name.
    ///
    /// It is checked when a channel takes it, not here.
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

    /// Whether the service would take the name: not empty, at most 200 characters, no white space or control character.
    public var isValid: Bool {
        let scalars = rawValue.unicodeScalars
        return !scalars.isEmpty && rawValue.count <= Topic.maxCharacterCount
            && scalars.allSatisfy { !$0.properties.isWhitespace && $0.value >= 0x20 && $0.value != 0x7F }
    }

    /// The single topics under which notifications arrive; the topic itself where it is not a combined one.
    public var expanded: [Topic] {
        guard let mark = rawValue.firstIndex(of: "?") else { return [self] }
        let prefix = rawValue[..<mark]
        let suffixes = rawValue[rawValue.index(after: mark)...].split(separator: "&")
        return suffixes.isEmpty ? [self] : suffixes.map { Topic(rawValue: "\(prefix).\($0)") }
    }
}
