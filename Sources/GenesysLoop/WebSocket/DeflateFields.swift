/// The parameters of one `permessage-deflate` element as they stand in a header, each checked by itself
/// (RFC 7692 §7.1).
struct DeflateFields: Equatable, Sendable {
    /// A parameter of an offer may come without a value; that of an answer may not.
    enum WindowBits: Equatable, Sendable {
        case any
        case bits(Int)
    }

    var serverNoContextTakeover = false
    var clientNoContextTakeover = false
    var serverMaxWindowBits: Int?
    var clientMaxWindowBits: WindowBits?

    /// Reads an element of that name.
    ///
    /// Nil: a parameter is unknown, stands twice, or has a value that it may not have; such an offer is declined and
    /// such an answer fails the connection (RFC 7692 §7.1).
    init?(_ element: WebSocketExtension) {
        var seen: Set<String> = []
        for parameter in element.parameters {
            guard seen.insert(parameter.name).inserted else { return nil }
            switch parameter.name {
            case "server_no_context_takeover":
                guard parameter.value == nil else { return nil }
                serverNoContextTakeover = true
            case "client_no_context_takeover":
                guard parameter.value == nil else { return nil }
                clientNoContextTakeover = true
            case "server_max_window_bits":
                guard let bits = Self.windowBits(parameter.value) else { return nil }
                serverMaxWindowBits = bits
            case "client_max_window_bits":
                guard parameter.value != nil else {
                    clientMaxWindowBits = .any
                    continue
                }
                guard let bits = Self.windowBits(parameter.value) else { return nil }
                clientMaxWindowBits = .bits(bits)
            default:
                return nil
            }
        }
    }

    /// RFC 7692 §7.1.2: "a decimal integer value without leading zeroes between 8 to 15".
    private static func windowBits(_ value: String?) -> Int? {
        switch value {
        case "8": 8
        case "9": 9
        case "10": 10
        case "11": 11
        case "12": 12
        case "13": 13
        case "14": 14
        case "15": 15
        default: nil
        }
    }
}
