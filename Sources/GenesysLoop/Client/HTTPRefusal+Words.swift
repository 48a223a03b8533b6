extension HTTPRefusal {
    /// What the peer says about the refusal, as it says it: the `message` of a JSON object (the service's error body
    /// has one), the text of a page, the body as it is, or a reason phrase that says more than the status.
    var words: String? {
        let body = String(decoding: self.body, as: UTF8.self)
        if let message = jsonMessage { return message }
        if body.utf8.allSatisfy({ $0 <= 0x20 }) { return reason.isEmpty || isUsual(reason) ? nil : reason }
        let start = body.utf8.first { $0 > 0x20 }
        return contentType.contains("html") || start == UInt8(ascii: "<") ? PeerText.text(ofHTML: body) : body
    }

    private var jsonMessage: String? {
        guard let envelope = try? EnvelopeScanner.scan(body.span),
            let message = envelope.message?.string(in: body.span), !message.isEmpty
        else { return nil }
        return message
    }

    /// Whether the phrase is that of RFC 9110 §15, or another one for the same status in two or three words.
    private func isUsual(_ phrase: String) -> Bool {
        StatusLine.phrase(status) == phrase || HTTPRefusal.usualPhrases.contains(ASCII.lowercased(phrase))
    }

    private static let usualPhrases: Set<String> = [
        "unauthorized", "forbidden", "not found", "error", "moved temporarily", "temporary redirect",
        "permanent redirect", "see other", "not modified", "proxy authentication required", "request timeout",
        "gone", "too many requests", "internal server error", "not implemented", "bad gateway",
        "service unavailable", "service temporarily unavailable", "gateway timeout", "gateway time-out",
    ]
}
