/// The head of an HTTP request as a server reads it.
package struct UpgradeRequestHead: Hashable, Sendable {
    package let method: String
    /// The request target as sent: path and query.
    package let target: String
    package let fields: HeaderFields

    init(method: String, target: String, fields: HeaderFields) {
        self.method = method
        self.target = target
        self.fields = fields
    }

    /// The value of the `Host` header.
    package var host: String? { fields.values(of: "host").first }

    /// The value of `Sec-WebSocket-Key`.
    package var key: String? { fields.values(of: "sec-websocket-key").first }

    /// The subprotocols offered, in the client's order of preference.
    package var subprotocols: [String] { fields.elements(of: "sec-websocket-protocol") }

    /// The extensions offered, with their parameters.
    package var extensions: [String] { fields.elements(of: "sec-websocket-extensions") }

    /// Checks that the request opens a WebSocket (RFC 6455 §4.2.1).
    ///
    /// A plain HTTP request fails here too.
    package func checkUpgrade() throws(UpgradeRequestFault) {
        guard method == "GET" else { throw UpgradeRequestFault(status: 405, "The method is not GET.") }
        guard fields.values(of: "host").count == 1 else {
            throw UpgradeRequestFault(status: 400, "The request needs exactly one Host header.")
        }
        guard fields.list("upgrade", contains: "websocket") else {
            throw UpgradeRequestFault(status: 426, "The request has no header Upgrade: websocket.")
        }
        guard fields.list("connection", contains: "upgrade") else {
            throw UpgradeRequestFault(status: 400, "The request has no header Connection: Upgrade.")
        }
        guard fields.values(of: "sec-websocket-version") == ["13"] else {
            throw UpgradeRequestFault(status: 426, "The version of the protocol is not 13.")
        }
        guard fields.values(of: "sec-websocket-key").count == 1, let key, Self.isKey(key) else {
            throw UpgradeRequestFault(status: 400, "The request has no Sec-WebSocket-Key of 16 bytes in Base64.")
        }
    }

    /// Whether the text is 16 bytes in Base64: 22 characters, the last of four bits' worth, and two signs of equality.
    private static func isKey(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == 24 && bytes[22] == UInt8(ascii: "=") && bytes[23] == UInt8(ascii: "=")
            && bytes[..<22].allSatisfy { ASCII.isAlphanumeric($0) || "+/".utf8.contains($0) }
            && "AQgw".utf8.contains(bytes[21])
    }
}
