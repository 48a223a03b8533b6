/// The client's half of the negotiation of permessage-deflate (RFC 7692 §5, §7.1).
package struct DeflateOffer: Hashable, Sendable {
    /// The parameters that the client asks for, of the server and of itself.
    package let wanted: DeflateParameters

    package init(_ wanted: DeflateParameters) {
        self.wanted = wanted
    }

    /// The element of `Sec-WebSocket-Extensions`.
    ///
    /// `client_max_window_bits` is always there, so that the server may ask for a smaller window (§7.1.2.2).
    package var headerValue: String {
        var value = WebSocketExtension.deflate
        if wanted.serverNoContextTakeover { value += "; server_no_context_takeover" }
        if wanted.clientNoContextTakeover { value += "; client_no_context_takeover" }
        if wanted.serverMaxWindowBits < DeflateParameters.maxWindowBits {
            value += "; server_max_window_bits=\(wanted.serverMaxWindowBits)"
        }
        value += "; client_max_window_bits"
        if wanted.clientMaxWindowBits < DeflateParameters.maxWindowBits { value += "=\(wanted.clientMaxWindowBits)" }
        return value
    }

    /// Checks the server's answer against the offer.
    ///
    /// - Parameter values: of the headers `Sec-WebSocket-Extensions` of the response, at least one.
    /// - Returns: the agreed parameters.
    package func check(answer values: [String]) throws(UpgradeFailure) -> DeflateParameters {
        guard let elements = WebSocketExtension.list(values) else {
            throw .invalid(reason: "The header Sec-WebSocket-Extensions is malformed.", section: "RFC 6455 §9.1")
        }
        guard elements.allSatisfy({ $0.name == WebSocketExtension.deflate }) else {
            throw .invalid(reason: "The server uses an extension that was not offered.", section: "RFC 6455 §4.1")
        }
        guard elements.count == 1 else {
            throw .invalid(reason: "The server accepts permessage-deflate twice.", section: "RFC 7692 §5.1")
        }
        guard let answer = DeflateFields(elements[0]) else {
            throw .invalid(
                reason: "The answer to permessage-deflate has a parameter that is unknown, repeated or invalid.",
                section: "RFC 7692 §7.1")
        }
        return try agreed(to: answer)
    }

    private func agreed(to answer: DeflateFields) throws(UpgradeFailure) -> DeflateParameters {
        var agreed = wanted
        // The server accepts what was asked of it by repeating it.
        if wanted.serverNoContextTakeover && !answer.serverNoContextTakeover {
            throw .invalid(
                reason: "The server does not accept server_no_context_takeover.", section: "RFC 7692 §7.1.1.1")
        }
        agreed.serverNoContextTakeover = answer.serverNoContextTakeover
        if let bits = answer.serverMaxWindowBits {
            guard bits <= wanted.serverMaxWindowBits else {
                throw .invalid(
                    reason: "The server answers with a larger server_max_window_bits than offered.",
                    section: "RFC 7692 §7.1.2.1")
            }
            agreed.serverMaxWindowBits = bits
        } else if wanted.serverMaxWindowBits < DeflateParameters.maxWindowBits {
            throw .invalid(reason: "The server does not accept server_max_window_bits.", section: "RFC 7692 §7.1.2.1")
        }
        // The server may ask this of the client without an offer.
        if answer.clientNoContextTakeover { agreed.clientNoContextTakeover = true }
        switch answer.clientMaxWindowBits {
        case nil: break
        case .any:
            throw .invalid(
                reason: "The server answers client_max_window_bits without a value.", section: "RFC 7692 §7.1.2.2")
        case .bits(let bits):
            guard bits <= wanted.clientMaxWindowBits else {
                throw .invalid(
                    reason: "The server answers with a larger client_max_window_bits than offered.",
                    section: "RFC 7692 §7.1.2.2")
            }
            agreed.clientMaxWindowBits = bits
        }
        return agreed
    }
}

/// The parameters of one `permessage-deflate` element as in a header, each checked by itself (RFC 7692 §7.1).
package struct DeflateFields: Equatable, Sendable {
    /// A parameter of an offer may come without a value; that of an answer may not.
    package enum WindowBits: Equatable, Sendable {
        case any
        case bits(Int)
    }

    package var serverNoContextTakeover = false
    package var clientNoContextTakeover = false
    package var serverMaxWindowBits: Int?
    package var clientMaxWindowBits: WindowBits?

    /// Reads an element of that name.
    ///
    /// Nil: a parameter is unknown, appears twice, or has an invalid value; such an offer is declined and such an
    /// answer fails the connection (RFC 7692 §7.1).
    package init?(_ element: WebSocketExtension) {
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

/// The parameters of permessage-deflate, offered or agreed (RFC 7692 §7.1).
package struct DeflateParameters: Hashable, Sendable {
    /// The largest window, and the default: 2^15 bytes.
    package static let maxWindowBits = 15

    /// The server begins every message with an empty window (§7.1.1.1).
    package var serverNoContextTakeover = false
    /// The client begins every message with an empty window (§7.1.1.2).
    package var clientNoContextTakeover = false
    /// The window of the server's messages, as the exponent of a power of two (§7.1.2.1). From 8 to 15.
    package var serverMaxWindowBits = DeflateParameters.maxWindowBits
    /// The window of the client's messages, as the exponent of a power of two (§7.1.2.2). From 8 to 15.
    package var clientMaxWindowBits = DeflateParameters.maxWindowBits

    /// No limits: windows of 32 KiB, kept from message to message.
    package init() {}

    /// The window of what `role` receives.
    package func receivedWindowBits(by role: WebSocketRole) -> Int {
        role == .client ? serverMaxWindowBits : clientMaxWindowBits
    }

    /// The window of what `role` sends.
    package func sentWindowBits(by role: WebSocketRole) -> Int {
        role == .client ? clientMaxWindowBits : serverMaxWindowBits
    }

    /// Whether the window of what `role` receives lasts from one message to the next.
    package func keepsReceivedContext(for role: WebSocketRole) -> Bool {
        role == .client ? !serverNoContextTakeover : !clientNoContextTakeover
    }

    /// Whether the window of what `role` sends lasts from one message to the next.
    package func keepsSentContext(for role: WebSocketRole) -> Bool {
        role == .client ? !clientNoContextTakeover : !serverNoContextTakeover
    }
}

/// One element of a `Sec-WebSocket-Extensions` header (RFC 6455 §9.1).
package struct WebSocketExtension: Equatable, Sendable {
    /// A parameter; its value is nil without one.
    package struct Parameter: Equatable, Sendable {
        var name: String
        var value: String?
    }

    /// The name of permessage-deflate (RFC 7692 §7).
    package static let deflate = "permessage-deflate"

    package var name: String
    package var parameters: [Parameter] = []

    /// Reads the values of all headers of that name, which are one list (RFC 9110 §5.3).
    ///
    /// Nil: a value breaks the grammar; either side then fails the connection.
    package static func list(_ values: [String]) -> [WebSocketExtension]? {
        var all: [WebSocketExtension] = []
        for value in values {
            var scanner = Scanner(bytes: Array(value.utf8))
            guard let some = scanner.list() else { return nil }
            all += some
        }
        return all
    }

    /// Walks over the value of one header:
    ///
    ///     extension-list  = 1#extension
    ///     extension       = extension-token *( ";" extension-param )
    ///     extension-param = token [ "=" ( token / quoted-string ) ]
    private struct Scanner {
        let bytes: [UInt8]
        var index = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

        /// RFC 9110 §5.6.1.2: empty elements are ignored, but there must be one element.
        mutating func list() -> [WebSocketExtension]? {
            var elements: [WebSocketExtension] = []
            while true {
                skipWhiteSpace()
                if current != nil, current != UInt8(ascii: ",") {
                    guard let element = element() else { return nil }
                    elements.append(element)
                }
                guard current != nil else { return elements.isEmpty ? nil : elements }
                guard take(UInt8(ascii: ",")) else { return nil }
            }
        }

        private mutating func element() -> WebSocketExtension? {
            guard let name = token() else { return nil }
            var element = WebSocketExtension(name: name)
            skipWhiteSpace()
            while take(UInt8(ascii: ";")) {
                skipWhiteSpace()
                guard let parameter = parameter() else { return nil }
                element.parameters.append(parameter)
                skipWhiteSpace()
            }
            return element
        }

        private mutating func parameter() -> Parameter? {
            guard let name = token() else { return nil }
            var parameter = Parameter(name: name)
            skipWhiteSpace()
            guard take(UInt8(ascii: "=")) else { return parameter }
            skipWhiteSpace()
            guard let value = current == UInt8(ascii: "\"") ? quotedToken() : token() else { return nil }
            parameter.value = value
            return parameter
        }

        private mutating func token() -> String? {
            let start = index
            while let byte = current, ASCII.isTokenCharacter(byte) { index += 1 }
            return start == index ? nil : String(decoding: bytes[start..<index], as: UTF8.self)
        }

        /// RFC 6455 §9.1: "the value after quoted-string unescaping MUST conform to the 'token' ABNF".
        private mutating func quotedToken() -> String? {
            index += 1
            var value: [UInt8] = []
            while let byte = current, byte != UInt8(ascii: "\"") {
                index += 1
                guard byte == UInt8(ascii: "\\") else {
                    value.append(byte)
                    continue
                }
                guard let escaped = current else { return nil }
                value.append(escaped)
                index += 1
            }
            guard take(UInt8(ascii: "\"")), ASCII.isToken(value) else { return nil }
            return String(decoding: value, as: UTF8.self)
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard current == byte else { return false }
            index += 1
            return true
        }

        private mutating func skipWhiteSpace() {
            while current == 0x20 || current == 0x09 { index += 1 }
        }
    }
}
