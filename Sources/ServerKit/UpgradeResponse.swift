package import GenesysLoop

/// Writes a server's half of the opening handshake (RFC 6455 §4.2.2).
package enum UpgradeResponse {
    /// The response that opens the connection.
    ///
    /// - Parameters:
    ///   - acceptValue: SHA-1 of the client's key and the GUID of RFC 6455 §1.3, in Base64.
    ///   - subprotocol: one of those the client offered.
    ///   - extraHeaders: sent after the headers of the handshake, unchecked: a simulator may have to break rules.
    package static func accept(
        acceptValue: String, subprotocol: String? = nil, extraHeaders: [(String, String)] = []
    ) throws(InvalidHeader) -> [UInt8] {
        var head = Array("HTTP/1.1 101 Switching Protocols\r\n".utf8)
        try HeaderField.append("Upgrade", "websocket", to: &head)
        try HeaderField.append("Connection", "Upgrade", to: &head)
        try HeaderField.append("Sec-WebSocket-Accept", acceptValue, to: &head)
        if let subprotocol { try HeaderField.append("Sec-WebSocket-Protocol", subprotocol, to: &head) }
        for (name, value) in extraHeaders { try HeaderField.append(name, value, to: &head) }
        head.append(contentsOf: "\r\n".utf8)
        return head
    }

    /// Any other response, for example a refusal.
    ///
    /// Adds the length of the body and, with 426, the version of the protocol (RFC 6455 §4.4) and `Upgrade` as an
    /// option of the connection (RFC 9110 §7.8).
    ///
    /// - Parameters:
    ///   - omitsBody: the request was HEAD, whose response has only the length (RFC 9110 §9.3.2).
    ///   - isLast: the connection ends with the response; false in HTTP/1.1 only.
    package static func refuse(
        status: Int, headers: [(String, String)] = [], body: [UInt8] = [], omitsBody: Bool = false, isLast: Bool = true
    ) throws(InvalidHeader) -> [UInt8] {
        var head = Array("HTTP/1.1 \(status) \(StatusLine.phrase(status))\r\n".utf8)
        if status == 426 {
            try HeaderField.append("Upgrade", "websocket", to: &head)
            try HeaderField.append("Sec-WebSocket-Version", "13", to: &head)
        }
        for (name, value) in headers { try HeaderField.append(name, value, to: &head) }
        // RFC 9110 §8.6: a 204 has no length.
        if status != 204 { try HeaderField.append("Content-Length", "\(body.count)", to: &head) }
        if isLast { try HeaderField.append("Connection", status == 426 ? "Upgrade, close" : "close", to: &head) }
        head.append(contentsOf: "\r\n".utf8)
        if !omitsBody { head += body }
        return head
    }
}
