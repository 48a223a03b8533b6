internal import GenesysLoop

/// The answer to a request, whatever its status.
///
/// Its printed form is the status and the size of the body: bodies hold tokens and channels.
package struct HTTPAnswer: Sendable {
    /// The final status.
    package let status: Int
    /// The body, without its transfer coding.
    package let body: SecretBytes
    /// How long the service asks to wait; nil if it does not (see `HTTPRefusal`).
    package let retryAfter: Duration?
    /// The `ININ-Correlation-Id`, which identifies the request to the vendor.
    package let correlationID: String?
    /// The host of the `Location` of a redirect, which is never followed.
    package let redirectHost: String?
    private let fields: HeaderFields

    init(_ head: HTTPHeadCollector, body: SecretBytes, for url: HTTPURL, at time: WallTime) {
        let refusal = head.refusal
        status = refusal?.status ?? 0
        self.body = body
        retryAfter = refusal?.delay(now: time)
        correlationID = refusal?.correlationID
        redirectHost = refusal.flatMap { refusal in
            guard refusal.isRedirect, let location = refusal.location else { return nil }
            return URIReference.host(of: location, against: url.uri)
        }
        fields = head.fields
    }

    /// The value of a header; nil if the answer does not have it.
    ///
    /// - Parameter name: in any case. Several fields of one name are one list.
    package func header(named name: String) -> String? {
        let values = fields.values(of: ASCII.lowercased(name))
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}

extension HTTPAnswer: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The status and the size of the body.
    package var description: String { "HTTP status \(status), body of \(body.count) bytes" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Collects the lines of an answer's head as libcurl delivers them: those of interim answers and of a proxy's answer to
/// CONNECT come first.
struct HTTPHeadCollector {
    /// The size limit of all heads together.
    static let maxByteCount = 65_536

    private(set) var line: StatusLine?
    private(set) var fields = HeaderFields()
    /// Whether the empty line that ends the last head has arrived.
    private(set) var isComplete = false
    /// Whether the first line is not one of HTTP.
    var isMalformed: Bool { line == nil && byteCount > 0 }
    private var byteCount = 0

    /// Takes the next line, with its end.
    ///
    /// - Returns: false if the limit is exceeded.
    mutating func append(_ bytes: [UInt8]) -> Bool {
        byteCount += bytes.count
        guard byteCount <= HTTPHeadCollector.maxByteCount else { return false }
        var text = bytes[...]
        while text.last == .lineFeed || text.last == .carriageReturn { text.removeLast() }
        if let status = try? StatusLine(Array(text)) {
            line = status
            fields = HeaderFields()
            isComplete = false
        } else if text.isEmpty {
            isComplete = true
        } else if !isComplete {
            fields.append(forgivingly: Array(text))
        }
        return true
    }

    /// Whether only the end of the connection ends the body (RFC 9112 §6.3).
    func endsWithConnection(_ method: HTTPRequest.Method) -> Bool {
        guard let line, method != .head, line.status != 204, line.status != 304 else { return false }
        return fields.values(of: "content-length").isEmpty && fields.values(of: "transfer-encoding").isEmpty
    }

    /// The last head; nil if there is none.
    var refusal: HTTPRefusal? { line.map { HTTPRefusal($0, fields) } }
}
