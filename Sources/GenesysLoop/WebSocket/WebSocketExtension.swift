/// One element of a `Sec-WebSocket-Extensions` header (RFC 6455 §9.1).
struct WebSocketExtension: Equatable, Sendable {
    /// A parameter; its value is nil when there is none.
    struct Parameter: Equatable, Sendable {
        var name: String
        var value: String?
    }

    /// The name of permessage-deflate (RFC 7692 §7).
    static let deflate = "permessage-deflate"

    var name: String
    var parameters: [Parameter] = []

    /// Reads the values of all headers of that name, which are one list (RFC 9110 §5.3).
    ///
    /// Nil: something does not conform to the grammar, for which either side fails the connection.
    static func list(_ values: [String]) -> [WebSocketExtension]? {
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

        /// RFC 9110 §5.6.1.2: empty elements are ignored, but something must be there.
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
