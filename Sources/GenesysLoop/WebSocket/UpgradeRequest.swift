/// Writes the client's half of the opening handshake (RFC 6455 §4.1).
package enum UpgradeRequest {
    /// Header names that belong to the handshake, or that would change what the server reads after it.
    private static let reservedNames: Set<String> = [
        "host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol",
        "sec-websocket-extensions", "sec-websocket-accept", "content-length", "transfer-encoding", "user-agent",
    ]

    /// Returns the request.
    ///
    /// - Parameters:
    ///   - key: 16 random bytes in Base64, fresh for every connection.
    ///   - subprotocols: in order of preference.
    ///   - deflate: offers permessage-deflate (RFC 7692 §5); nil offers no extension.
    ///   - extraHeaders: sent after those of the handshake, which they cannot replace.
    ///   - userAgent: nil sends no such header.
    /// - Throws: a header holds a control character (a line end in it would add headers of its own), a name is no
    ///   token or is reserved, or a subprotocol is no token or stands twice.
    package static func encode(
        uri: WebSocketURI, key: String, subprotocols: [String] = [], deflate: DeflateOffer? = nil,
        extraHeaders: [(String, String)] = [], userAgent: String? = "GenesysLoop"
    ) throws(InvalidHeader) -> [UInt8] {
        var head = Array("GET \(uri.target) HTTP/1.1\r\n".utf8)
        try HeaderField.append("Host", uri.hostHeader, to: &head)
        try HeaderField.append("Upgrade", "websocket", to: &head)
        try HeaderField.append("Connection", "Upgrade", to: &head)
        try HeaderField.append("Sec-WebSocket-Key", key, to: &head)
        try HeaderField.append("Sec-WebSocket-Version", "13", to: &head)
        if !subprotocols.isEmpty {
            guard subprotocols.allSatisfy({ ASCII.isToken($0.utf8) }) else {
                throw InvalidHeader("A subprotocol is not a token.")
            }
            guard Set(subprotocols).count == subprotocols.count else {
                throw InvalidHeader("A subprotocol stands twice in the list.")
            }
            try HeaderField.append("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", "), to: &head)
        }
        if let deflate { try HeaderField.append("Sec-WebSocket-Extensions", deflate.headerValue, to: &head) }
        if let userAgent { try HeaderField.append("User-Agent", userAgent, to: &head) }
        for (name, value) in extraHeaders {
            if reservedNames.contains(ASCII.lowercased(name)) {
                throw InvalidHeader("The header \(ASCII.lowercased(name)) belongs to the handshake.")
            }
            try HeaderField.append(name, value, to: &head)
        }
        head.append(contentsOf: "\r\n".utf8)
        return head
    }
}
