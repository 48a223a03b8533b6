package import GenesysLoop

/// Reads the head of a request, as a server does (RFC 6455 §4.2.1, RFC 9112 §3).
///
/// It accepts any head of HTTP/1.1 or HTTP/1.0; `UpgradeRequestHead.checkUpgrade()` says whether that opens a
/// WebSocket, so that a server can answer other requests too. Line ends and limits are those of the client side. It
/// never consumes a byte beyond the head.
package struct UpgradeRequestParser: Sendable {
    /// The result of a piece of input.
    package enum Result: Equatable, Sendable {
        /// All of the input was consumed.
        case needMore
        /// The head is complete; the rest begins after this many bytes of this input.
        case complete(UpgradeRequestHead, consumed: Int)
    }

    private var reader = HeadLineReader()
    private var requestLine: (method: String, target: String, isHTTP10: Bool)?
    private var fields = HeaderFields()
    private var fault: UpgradeRequestError?

    package init() {}

    /// Consumes the next bytes.
    ///
    /// After a complete head it reads the next one.
    package mutating func receive(_ input: Span<UInt8>) throws(UpgradeRequestError) -> Result {
        if let fault { throw fault }
        do throws(HTTPHeadError) {
            return try readLines(input)
        } catch {
            let fault = UpgradeRequestError(status: error == .tooLong ? 431 : 400, error.sentence)
            self.fault = fault
            throw fault
        }
    }

    private mutating func readLines(_ input: Span<UInt8>) throws(HTTPHeadError) -> Result {
        var offset = 0
        while try reader.readLine(in: input, at: &offset) {
            guard let requestLine else {
                // RFC 9112 §2.2: an empty line before the request is ignored.
                if !reader.line.isEmpty { requestLine = try Self.parseRequestLine(reader.line) }
                continue
            }
            guard reader.line.isEmpty else {
                fields.append(try HeaderField(line: reader.line))
                continue
            }
            let head = UpgradeRequestHead(
                method: requestLine.method, target: requestLine.target, isHTTP10: requestLine.isHTTP10, fields: fields)
            self = UpgradeRequestParser()
            return .complete(head, consumed: offset)
        }
        return .needMore
    }

    /// RFC 9112 §3: method, target and version, with one space between them.
    private static func parseRequestLine(
        _ line: [UInt8]
    ) throws(HTTPHeadError) -> (method: String, target: String, isHTTP10: Bool) {
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 3, ASCII.isToken(parts[0]), !parts[1].isEmpty,
            parts[1].allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .malformedStartLine }
        let isHTTP10 = parts[2].elementsEqual("HTTP/1.0".utf8)
        guard isHTTP10 || parts[2].elementsEqual("HTTP/1.1".utf8) else { throw .malformedStartLine }
        return (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self), isHTTP10)
    }
}

/// The head of an HTTP request, as read by a server.
package struct UpgradeRequestHead: Hashable, Sendable {
    package let method: String
    /// The request target: path and query, or another form, `*` for example.
    ///
    /// For an absolute URI, which every server must accept (RFC 9112 §3.2.2), the target is the part after the host.
    package let target: String
    /// The version is HTTP/1.0.
    package let isHTTP10: Bool
    package let fields: HeaderFields
    /// The host and port of an absolute URI.
    private let authority: String?

    init(method: String, target: String, isHTTP10: Bool = false, fields: HeaderFields) {
        self.method = method
        self.isHTTP10 = isHTTP10
        self.fields = fields
        (authority, self.target) = Self.parts(ofTarget: target)
    }

    /// Host and port of the request: from the `Host` header, unless its target names others.
    package var host: String? { authority ?? fields.values(of: "host").first }

    private static func parts(ofTarget target: String) -> (authority: String?, target: String) {
        let bytes = Array(target.utf8)
        let schemes = ["http://", "https://", "ws://", "wss://"]
        let start = schemes.first { ASCII.lowercased(bytes.prefix($0.utf8.count)).elementsEqual($0.utf8) }?.utf8.count
        guard let start else { return (nil, target) }
        let end = bytes[start...].firstIndex { $0 == .slash || $0 == .questionMark } ?? bytes.count
        // Without a host it is not a URI.
        guard end > start else { return (nil, target) }
        let path = (end < bytes.count && bytes[end] == .slash) ? [] : [UInt8.slash]
        return (
            String(decoding: bytes[start..<end], as: UTF8.self),
            String(decoding: path + bytes[end...], as: UTF8.self)
        )
    }

    /// The value of `Sec-WebSocket-Key`.
    package var key: String? { fields.values(of: "sec-websocket-key").first }

    /// The subprotocols offered, in the client's order of preference.
    package var subprotocols: [String] { fields.elements(of: "sec-websocket-protocol") }

    /// The extensions offered, with their parameters.
    package var extensions: [String] { fields.elements(of: "sec-websocket-extensions") }

    /// Checks that the request opens a WebSocket (RFC 6455 §4.2.1).
    ///
    /// A plain HTTP request fails here too.
    package func checkUpgrade() throws(UpgradeRequestError) {
        guard !isHTTP10 else { throw UpgradeRequestError(status: 400, "The version is not HTTP/1.1.") }
        guard method == "GET" else { throw UpgradeRequestError(status: 405, "The method is not GET.") }
        guard fields.values(of: "host").count == 1 else {
            throw UpgradeRequestError(status: 400, "The request needs exactly one Host header.")
        }
        guard fields.list("upgrade", contains: "websocket") else {
            throw UpgradeRequestError(status: 426, "The request has no header Upgrade: websocket.")
        }
        guard fields.list("connection", contains: "upgrade") else {
            throw UpgradeRequestError(status: 400, "The request has no header Connection: Upgrade.")
        }
        guard fields.values(of: "sec-websocket-version") == ["13"] else {
            throw UpgradeRequestError(status: 426, "The version of the protocol is not 13.")
        }
        guard fields.values(of: "sec-websocket-key").count == 1, let key, Self.isKey(key) else {
            throw UpgradeRequestError(status: 400, "The request has no Sec-WebSocket-Key of 16 bytes in Base64.")
        }
    }

    /// Whether the text is 16 bytes in Base64: 22 characters, the last with four bits of data, and two equals signs.
    private static func isKey(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == 24 && bytes[22] == UInt8(ascii: "=") && bytes[23] == UInt8(ascii: "=")
            && bytes[..<22].allSatisfy { ASCII.isAlphanumeric($0) || "+/".utf8.contains($0) }
            && "AQgw".utf8.contains(bytes[21])
    }
}

/// Why a server refuses a request, and with which status.
package struct UpgradeRequestError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The status of the refusal, such as 400 or 431.
    package let status: Int
    /// One sentence.
    package let description: String

    package init(status: Int, _ description: String) {
        self.status = status
        self.description = description
    }
}
