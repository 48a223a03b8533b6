/// A reply in version 2 of the protocol.
enum RESPReply: Hashable, Sendable {
    case status(String)
    /// The server's words.
    case error(String)
    case integer(Int64)
    case bulk([UInt8])
    case null
    case array([RESPReply])

    /// The text of a status, a bulk string or a number; nil for everything else.
    var text: String? {
        switch self {
        case .status(let text): text
        case .bulk(let bytes): String(decoding: bytes, as: UTF8.self)
        case .integer(let number): String(number)
        case .error, .null, .array: nil
        }
    }

    /// The elements; empty for everything else.
    var elements: [RESPReply] { if case .array(let elements) = self { elements } else { [] } }

    var errorText: String? { if case .error(let text) = self { text } else { nil } }
}
