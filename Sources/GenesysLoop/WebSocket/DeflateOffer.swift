/// The client's half of the negotiation of permessage-deflate (RFC 7692 §5, §7.1).
package struct DeflateOffer: Hashable, Sendable {
    /// What the client asks for, of the server and of itself.
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
    /// - Returns: what both sides keep to from now on.
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
        // What was asked of the server is accepted by repeating it.
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
        // The server may ask it of the client without having been offered it.
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
