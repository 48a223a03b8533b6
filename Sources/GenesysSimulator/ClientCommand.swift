internal import GenesysLoop

/// A text message from a client, parsed as a command.
struct ClientCommand: Hashable, Sendable {
    enum Verb: Hashable, Sendable {
        case subscribe, unsubscribe, ping
    }

    let verb: Verb
    /// `nil` when `topics` is missing or not an array of strings.
    let topics: [String]?
    /// `nil` when `correlationId` is missing or not a string.
    let correlationID: String?

    /// Reads a command; `nil` for anything else: invalid UTF-8 or JSON, not an object, no verb, an unknown verb.
    init?(bytes: [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        let text = bytes.span
        guard let envelope = try? EnvelopeScanner.scan(text) else { return nil }
        switch envelope.message?.string(in: text) {
        case "subscribe": verb = .subscribe
        case "unsubscribe": verb = .unsubscribe
        case "ping": verb = .ping
        default: return nil
        }
        topics = envelope.topics.flatMap { ClientCommand.strings($0, in: bytes) }
        correlationID = envelope.correlationID?.string(in: text)
    }

    /// The values of an array of strings; `nil` for anything else.
    private static func strings(_ slice: JSONSlice, in bytes: [UInt8]) -> [String]? {
        guard slice.kind == .array else { return nil }
        var strings: [String] = []
        for element in slice.elements(in: bytes.span) {
            guard let string = element.string(in: bytes.span) else { return nil }
            strings.append(string)
        }
        return strings
    }
}
