#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A text message from a client, read by another JSON parser than the library's own: the simulator is an
/// independent judge of what the client sends.
struct ClientCommand: Hashable, Sendable {
    enum Verb: Hashable, Sendable {
        case subscribe, unsubscribe, ping
    }

    let verb: Verb
    /// `nil` when `topics` is missing or not an array of strings.
    let topics: [String]?
    /// `nil` when `correlationId` is missing or not a string.
    let correlationID: String?

    /// Reads a command; `nil` for everything else: no JSON, no object, no verb, an unknown verb.
    ///
    /// JSON between systems is UTF-8 without a byte order mark (RFC 8259 §8.1). The decoder alone would take UTF-16 and
    /// does not look at the strings that it skips.
    init?(bytes: [UInt8]) {
        let isText = String(validating: bytes, as: UTF8.self) != nil && !bytes.contains(0) && bytes.first != 0xEF
        guard isText, let text = try? JSONDecoder().decode(Text.self, from: Data(bytes)) else { return nil }
        switch text.message {
        case "subscribe": verb = .subscribe
        case "unsubscribe": verb = .unsubscribe
        case "ping": verb = .ping
        default: return nil
        }
        topics = text.topics
        correlationID = text.correlationID
    }

    private struct Text: Decodable {
        enum Key: String, CodingKey {
            case message, topics, correlationId
        }

        let message: String
        let topics: [String]?
        let correlationID: String?

        init(from decoder: any Decoder) throws {
            let object = try decoder.container(keyedBy: Key.self)
            message = try object.decode(String.self, forKey: .message)
            topics = try? object.decode([String].self, forKey: .topics)
            correlationID = try? object.decode(String.self, forKey: .correlationId)
        }
    }
}
