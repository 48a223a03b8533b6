public import GenesysLoop

/// Makes plausible notifications for any topic from the samples of `SamplePayloads`.
///
/// The last part of the topic selects the sample, and samples of the same topic take turns; a topic without a sample
/// gets a small general body. Each notification names its topic and, in the body, the topic's resource; it has a fresh
/// `metadata.CorrelationId` and, as first member of `eventBody`, a running `sequence`.
public struct SampleFeed: Hashable, Sendable {
    /// The `sequence` of the latest notification, 0 before the first.
    public private(set) var sequence = 0
    private var turns: [String: Int] = [:]

    /// Creates a feed whose first notification has sequence 1.
    public init() {}

    /// Makes the next notification.
    ///
    /// - Parameters:
    ///   - topic: a single topic, as `Topic.expanded` gives them.
    ///   - minByteCount: a member `padding` of `eventBody` extends a shorter message to this length.
    ///   - generator: the source of the correlation id.
    public mutating func next(
        for topic: Topic, minByteCount: Int = 0, using generator: inout some RandomNumberGenerator
    ) -> [UInt8] {
        sequence += 1
        return template(for: topic).rendered(
            for: topic, sequence: sequence, correlationID: SampleFeed.makeUUID(using: &generator),
            minByteCount: minByteCount)
    }

    private mutating func template(for topic: Topic) -> SampleTemplate {
        let event = String(topic.rawValue.split(separator: ".").last ?? "")
        guard let templates = SampleTemplate.byEvent[event] else { return SampleTemplate.general }
        guard templates.count > 1 else { return templates[0] }
        let turn = turns[event, default: 0]
        turns[event] = turn + 1
        return templates[turn % templates.count]
    }

    /// A random UUID (version 4, RFC 9562 §5.4) in lower case.
    static func makeUUID(using generator: inout some RandomNumberGenerator) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        var high: UInt64 = generator.next()
        var low: UInt64 = generator.next()
        high = high & ~0xF000 | 0x4000
        low = low & ~(0b11 << 62) | 0b10 << 62
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append(UInt8(ascii: "-")) }
            let half = index < 16 ? high : low
            text.append(digits[Int(half >> UInt64(60 - 4 * (index % 16)) & 15)])
        }
        return text
    }
}
