internal import GenesysLoop

/// How long the body of a request is (RFC 9112 §6).
package enum RequestFraming: Hashable, Sendable {
    /// A known number of bytes; 0 without a body.
    case length(Int)
    /// Chunks, the last of which says that it is the last.
    case chunked

    /// Reads it from the head.
    ///
    /// - Throws: the end of the body cannot be known: 400, or 501 for a coding other than chunked.
    package init(of head: UpgradeRequestHead) throws(UpgradeRequestError) {
        let codings = head.fields.elements(of: "transfer-encoding")
        guard codings.isEmpty else {
            // §6.1: chunked is the last coding, and the only one that every server must support.
            guard codings.last?.lowercased() == "chunked", !head.isHTTP10 else {
                throw UpgradeRequestError(status: 400, "The Transfer-Encoding does not tell where the body ends.")
            }
            guard codings.count == 1 else {
                throw UpgradeRequestError(status: 501, "A Transfer-Encoding is not known.")
            }
            // §6.3: it overrides a Content-Length, and the connection ends with the answer.
            self = .chunked
            return
        }
        // §6.3: the same length may appear more than once.
        let lengths = Set(head.fields.elements(of: "content-length"))
        let digits = lengths.first ?? (head.fields.values(of: "content-length").isEmpty ? "0" : "")
        guard lengths.count <= 1, !digits.isEmpty, digits.utf8.allSatisfy(ASCII.isDigit) else {
            throw UpgradeRequestError(status: 400, "The Content-Length is no number.")
        }
        // More digits than a number has are a length beyond every limit.
        self = .length(Int(digits) ?? .max)
    }
}
