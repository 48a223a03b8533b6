import GenesysLoop

/// A message as JSON, its class, and the equivalent command.
///
/// Input: the message. The scanner must accept what the reference accepts, and find what it finds.
enum EnvelopeOracle {
    static func complaint(about message: [UInt8]) -> String? {
        if let complaint = doorComplaint(message) { return complaint }
        let scanned = Result { () throws(EnvelopeError) in try EnvelopeScanner.scan(message.span) }
        let reference: ReferenceJSON
        do throws(ReferenceJSON.Violation) {
            reference = try ReferenceJSON(message)
        } catch {
            switch (scanned, error) {
            case (.failure(.invalidJSON(let offset, let violation)), .invalid):
                return (0...message.count).contains(offset) && !violation.description.isEmpty
                    ? nil : "a violation at \(offset)"
            case (.failure(.tooDeep), .tooDeep): return nil
            default: return "\(scanned), and the reference says \(error)"
            }
        }
        switch scanned {
        case .failure(.notAnObject): return reference.isObject ? "an object is taken for none" : nil
        case .failure(let error): return "valid JSON is refused: \(error)"
        case .success(let envelope):
            guard reference.isObject else { return "no object, and yet taken for one" }
            return membersComplaint(envelope, reference, message) ?? kindComplaint(envelope, reference, message)
                ?? commandComplaint(envelope, message) ?? notificationComplaint(envelope, message)
        }
    }

    /// What `PlainScanner` accepts is what the thorough scanner finds.
    ///
    /// The memory ends with the message, so that the address sanitizer detects any read beyond it.
    private static func doorComplaint(_ message: [UInt8]) -> String? {
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: message.count)
        defer { unsafe memory.deallocate() }
        // The span ends before the memory is freed.
        _ = unsafe memory.initialize(from: message)
        let span = unsafe Span(_unsafeElements: UnsafeBufferPointer(memory))
        var members = Envelope()
        guard PlainScanner.scan(span, into: &members) else { return nil }
        do throws(EnvelopeError) {
            return try EnvelopeScanner.scanThoroughly(span) == members ? nil : "the plain scanner finds other members"
        } catch {
            return "the plain scanner accepts what the thorough one refuses: \(error)"
        }
    }

    private static func slices(of envelope: Envelope) -> [(String, JSONSlice?)] {
        [
            ("topicName", envelope.topicName), ("eventBody", envelope.eventBody), ("metadata", envelope.metadata),
            ("correlationId", envelope.correlationID), ("result", envelope.result), ("status", envelope.status),
            ("message", envelope.message), ("topics", envelope.topics), ("reason", envelope.reason),
            ("systemTopicType", envelope.systemTopicType), ("CorrelationId", envelope.metadataCorrelationID),
        ]
    }

    private static func membersComplaint(
        _ envelope: Envelope, _ reference: ReferenceJSON, _ message: [UInt8]
    ) -> String? {
        for (name, slice) in slices(of: envelope) {
            let range = reference.range(of: name)
            guard slice?.range == range else { return "\(name) at \(String(describing: slice?.range))" }
            guard let slice, let range else { continue }
            let expected = text(range, of: message)
            guard slice.string(in: message.span) == expected else { return "\(name) reads otherwise" }
            if (slice.kind == .string) != (expected != nil) { return "\(name) is taken for a \(slice.kind)" }
            if let complaint = nestedComplaint(slice, in: envelope, message) { return "in \(name): \(complaint)" }
        }
        return nil
    }

    /// Checks the members of an inner object, and the elements of an array.
    private static func nestedComplaint(_ slice: JSONSlice, in envelope: Envelope, _ message: [UInt8]) -> String? {
        let value = Array(message[slice.range])
        let start = slice.range.lowerBound
        guard let reference = try? ReferenceJSON(value) else { return "a value is no JSON of its own" }
        for (name, inner) in slices(of: envelope.members(of: slice, in: message.span)) {
            let range = reference.range(of: name).map { ($0.lowerBound + start)..<($0.upperBound + start) }
            guard inner?.range == range else { return "\(name) at \(String(describing: inner?.range))" }
        }
        var end = start + 1
        for element in slice.elements(in: message.span) {
            guard element.range.lowerBound >= end, element.range.upperBound < slice.range.upperBound,
                (try? ReferenceJSON(Array(message[element.range]))) != nil
            else { return "an element at \(element.range)" }
            end = element.range.upperBound
        }
        return nil
    }

    /// The text of the string at `range`; nil for any other value.
    private static func text(_ range: Range<Int>?, of message: [UInt8]) -> String? {
        guard let range, message[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
        let content = message[range].dropFirst().dropLast()
        return String(decoding: ReferenceJSON.text(Array(content)), as: UTF8.self)
    }

    private static func lowercased(_ text: String?) -> String? {
        text.map { String(decoding: $0.utf8.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }, as: UTF8.self) }
    }

    private static func kindComplaint(
        _ envelope: Envelope, _ reference: ReferenceJSON, _ message: [UInt8]
    ) -> String? {
        let kind = MessageClass(envelope, in: message.span)
        let topic = lowercased(text(reference.range(of: "topicName"), of: message))
        let isExpected: Bool
        switch kind {
        case .notification:
            isExpected =
                topic.map { name in
                    name != "channel.metadata"
                        && !["v2.system.", "system.v2."].contains { name.utf8.starts(with: $0.utf8) }
                } ?? false
        case .heartbeat, .pong: isExpected = topic == "channel.metadata"
        case .socketClosing, .system:
            isExpected = ["v2.system.", "system.v2."].contains { topic?.utf8.starts(with: $0.utf8) == true }
        case .reply(let reply):
            isExpected = topic == nil && (reference.range(of: "result") ?? reference.range(of: "status")) != nil
            if reply.isRefused && (reply.isSubscribed || reply.isUnsubscribed) {
                return "refused and accepted: \(reply)"
            }
        case .unrecognized: isExpected = topic == nil
        }
        return isExpected ? nil : "the topic \(topic ?? "none") makes it \(kind)"
    }

    /// Checks that a command that names the topic reads back as it was written.
    private static func commandComplaint(_ envelope: Envelope, _ message: [UInt8]) -> String? {
        guard let name = envelope.topicName?.string(in: message.span) else { return nil }
        let topics = [Topic(name), Topic("v2.a"), Topic(String(name.reversed()))]
        for command in [
            Command.subscribe(topics: topics, correlationID: name),
            Command.unsubscribe(topics: topics, correlationID: name),
        ] {
            guard let envelope = try? EnvelopeScanner.scan(command.span),
                let elements = envelope.topics?.elements(in: command.span),
                elements.map({ $0.string(in: command.span) }) == topics.map(\.rawValue),
                envelope.correlationID?.string(in: command.span) == name
            else { return "a command does not read back: \(String(excerpt: command))" }
        }
        for topic in topics[0].expanded where topic.isValid && topic.rawValue.isEmpty {
            return "an empty topic is valid"
        }
        return nil
    }

    private static func notificationComplaint(_ envelope: Envelope, _ message: [UInt8]) -> String? {
        guard envelope.topicName?.kind == .string else { return nil }
        let notification = ChannelNotification(message.span, envelope: envelope)
        let owned = notification.copy()
        guard owned.message == message, owned.topic == notification.topic,
            owned.correlationID == notification.correlationID, owned.body.count == notification.body.count
        else { return "a copy differs" }
        let body = envelope.eventBody?.range ?? 0..<0
        guard notification.body.copied(0..<notification.body.count) == Array(message[body]) else {
            return "the body differs"
        }
        return Fingerprint.of(message.span) == Fingerprint.of(owned.bytes) ? nil : "a copy has another fingerprint"
    }
}
