import Foundation

@testable import GenesysLoop

/// Compares what the scanner finds in an object with Foundation's result.
enum EnvelopeComparison {
    /// The difference, or nil.
    static func difference(_ document: [UInt8], _ object: [String: Any]) -> String? {
        guard let envelope = try? EnvelopeTesting.scan(document) else { return "no object to the scanner" }
        _ = MessageClass(envelope, in: document.span)
        if let found = difference(envelope, object, document) { return found }
        for (name, slice) in [("eventBody", envelope.eventBody), ("metadata", envelope.metadata)] {
            let members = envelope.members(of: slice, in: document.span)
            if let found = difference(members, object[name] as? [String: Any] ?? [:], document) {
                return "\(name).\(found)"
            }
        }
        let elements = envelope.topics?.elements(in: document.span) ?? []
        let topics = object["topics"] as? [Any] ?? []
        guard elements.count == topics.count else { return "topics: \(elements.count) elements" }
        for (slice, value) in zip(elements, topics) where !isSame(slice, value, document) {
            return "an element of topics"
        }
        return nil
    }

    /// The first member that only one of the two has, or that differs.
    private static func difference(_ envelope: Envelope, _ object: [String: Any], _ document: [UInt8]) -> String? {
        let members = [
            ("topicName", envelope.topicName), ("eventBody", envelope.eventBody), ("metadata", envelope.metadata),
            ("correlationId", envelope.correlationID), ("result", envelope.result), ("status", envelope.status),
            ("message", envelope.message), ("topics", envelope.topics), ("reason", envelope.reason),
            ("systemTopicType", envelope.systemTopicType), ("CorrelationId", envelope.metadataCorrelationID),
        ]
        for (name, slice) in members {
            switch (slice, object[name]) {
            case (nil, nil): continue
            case (let slice?, let value?) where isSame(slice, value, document): continue
            default: return name
            }
        }
        return nil
    }

    private static func isSame(_ slice: JSONSlice, _ value: Any, _ document: [UInt8]) -> Bool {
        if let text = value as? String {
            // Byte by byte: Swift's strings are equal if they are canonically equivalent.
            return slice.kind == .string && slice.string(in: document.span).map { Array($0.utf8) } == Array(text.utf8)
        }
        guard slice.kind != .string, let value = value as? NSObject else { return false }
        return value.isEqual(EnvelopePropertyTests.parse(document[slice.range]) as? NSObject)
    }
}
