internal import GenesysLoop

/// A sample notification, split at the places that differ between notifications.
struct SampleTemplate: Sendable {
    private enum Part: Hashable, Sendable {
        case literal([UInt8])
        case topic, resource, correlationID
        /// The start of `eventBody`, where members can be inserted.
        case firstMembers
    }

    /// The samples by the last part of their topic.
    static let byEvent: [String: [SampleTemplate]] = Dictionary(
        grouping: SamplePayloads.notifications.map { SampleTemplate($0) }, by: \.event)

    /// The template for every other topic.
    static let general = SampleTemplate(
        """
        {"topicName":"v2.general.00000000-0000-4000-8000-000000000000.event","version":"2",\
        "eventBody":{"id":"00000000-0000-4000-8000-000000000000","state":"ACTIVE"},\
        "metadata":{"CorrelationId":"11111111-1111-4111-8111-111111111111"}}
        """)

    private let event: String
    private let parts: [Part]

    /// Splits a sample.
    ///
    /// It must have a topic with a resource, a body with a member, and a correlation id.
    private init(_ sample: String) {
        let topic = SampleTemplate.value(of: "topicName", in: sample)
        let correlationID = SampleTemplate.value(of: "CorrelationId", in: sample)
        let resource = SampleTemplate.resource(of: Topic(rawValue: topic))
        let marks: [(text: [UInt8], part: Part)] = [
            (Array(topic.utf8), .topic), (Array(correlationID.utf8), .correlationID),
            (Array(resource.utf8), .resource), (Array(#""eventBody":{"#.utf8), .firstMembers),
        ]
        var parts: [Part] = []
        var literal: [UInt8] = []
        var rest = Array(sample.utf8)[...]
        while let byte = rest.first {
            guard let mark = marks.first(where: { rest.starts(with: $0.text) }) else {
                literal.append(byte)
                rest.removeFirst()
                continue
            }
            if mark.part == .firstMembers { literal += mark.text }
            parts += [.literal(literal), mark.part]
            literal = []
            rest.removeFirst(mark.text.count)
        }
        self.parts = parts + [.literal(literal)]
        self.event = String(topic.split(separator: ".").last ?? "")
    }

    func rendered(for topic: Topic, sequence: Int, correlationID: [UInt8], minByteCount: Int) -> [UInt8] {
        var name: [UInt8] = []
        JSONText.appendEscaped(topic.rawValue, to: &name)
        var resource: [UInt8] = []
        JSONText.appendEscaped(SampleTemplate.resource(of: topic), to: &resource)
        let members = Array(#""sequence":\#(sequence),"#.utf8)
        func render(_ members: [UInt8], reserving byteCount: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(byteCount)
            for part in parts {
                switch part {
                case .literal(let literal): bytes += literal
                case .topic: bytes += name
                case .resource: bytes += resource
                case .correlationID: bytes += correlationID
                case .firstMembers: bytes += members
                }
            }
            return bytes
        }
        let bytes = render(members, reserving: 512)
        let frame = (Array(#""padding":""#.utf8), Array(#"","#.utf8))
        guard bytes.count < minByteCount else { return bytes }
        let missing = max(0, minByteCount - bytes.count - frame.0.count - frame.1.count)
        let padding = frame.0 + [UInt8](repeating: UInt8(ascii: "x"), count: missing) + frame.1
        return render(members + padding, reserving: minByteCount + 16)
    }

    /// The part of a topic that names the resource: its UUID, or else what is before the event.
    private static func resource(of topic: Topic) -> String {
        let parts = topic.rawValue.split(separator: ".")
        let uuid = parts.first {
            $0.utf8.count == 36 && $0.split(separator: "-").map(\.utf8.count) == [8, 4, 4, 4, 12]
        }
        return String(uuid ?? parts.dropLast().last ?? "")
    }

    private static func value(of key: String, in sample: String) -> String {
        let start = sample.firstRange(of: "\"\(key)\":\"")?.upperBound ?? sample.endIndex
        return String(sample[start...].prefix { $0 != "\"" })
    }
}
