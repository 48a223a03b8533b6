package import GenesysLoop

/// The server's half of the negotiation of permessage-deflate (RFC 7692 §5, §7.1).
package struct DeflateAnswer: Hashable, Sendable {
    /// The agreed parameters.
    package let parameters: DeflateParameters
    /// The element of `Sec-WebSocket-Extensions` in the response.
    package let headerValue: String

    /// Accepts the first acceptable offer; the client's order is its preference.
    ///
    /// - Parameters:
    ///   - values: of the headers `Sec-WebSocket-Extensions` of the request.
    ///   - wanted: the limits that the server keeps or asks of the client.
    /// - Returns: nil when no offer is acceptable: the connection goes on without compression.
    /// - Throws: the header breaks the grammar (RFC 6455 §9.1).
    package static func accept(
        _ values: [String], wanted: DeflateParameters = DeflateParameters()
    ) throws(UpgradeRequestError) -> DeflateAnswer? {
        guard !values.isEmpty else { return nil }
        guard let elements = WebSocketExtension.list(values) else {
            throw UpgradeRequestError(status: 400, "The header Sec-WebSocket-Extensions is malformed.")
        }
        for element in elements where element.name == WebSocketExtension.deflate {
            if let offer = DeflateFields(element), let answer = DeflateAnswer(offer, wanted: wanted) { return answer }
        }
        return nil
    }

    private init?(_ offer: DeflateFields, wanted: DeflateParameters) {
        var agreed = wanted
        var value = WebSocketExtension.deflate
        if offer.serverNoContextTakeover { agreed.serverNoContextTakeover = true }
        if agreed.serverNoContextTakeover { value += "; server_no_context_takeover" }
        if offer.clientNoContextTakeover { agreed.clientNoContextTakeover = true }
        if agreed.clientNoContextTakeover { value += "; client_no_context_takeover" }
        if let bits = offer.serverMaxWindowBits { agreed.serverMaxWindowBits = min(bits, wanted.serverMaxWindowBits) }
        // §7.1.2.1: the server accepts an offered value with an equal or smaller one; ours needs no offer.
        if offer.serverMaxWindowBits != nil || agreed.serverMaxWindowBits < DeflateParameters.maxWindowBits {
            value += "; server_max_window_bits=\(agreed.serverMaxWindowBits)"
        }
        // §7.1.2.2: the server may limit the client's window only if the client said that it supports this.
        switch offer.clientMaxWindowBits {
        case nil:
            guard wanted.clientMaxWindowBits == DeflateParameters.maxWindowBits else { return nil }
        case .any:
            break
        case .bits(let bits):
            agreed.clientMaxWindowBits = min(bits, wanted.clientMaxWindowBits)
        }
        if offer.clientMaxWindowBits != nil, agreed.clientMaxWindowBits < DeflateParameters.maxWindowBits {
            value += "; client_max_window_bits=\(agreed.clientMaxWindowBits)"
        }
        parameters = agreed
        headerValue = value
    }
}
