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
    ///   - userAgent: nil omits the header.
    /// - Throws: a header holds a control character (a line end in it would add headers of its own), a name is not a
    ///   token or is reserved, or a subprotocol is not a token or appears twice.
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

/// Reads and checks the server's half of the opening handshake (RFC 6455 §4.1, §4.2.2).
///
///     status line ──▶ headers ──empty line──▶ accepted (101, every check passed)
///          ▲             │  ├───────────────▶ failed   (a rule broken)
///          └─ 1xx, not 101  └──▶ body ──────▶ failed   (another final status, and what its body says)
///
/// Strict about a 101, since what follows depends on it: HTTP/1.1, CR LF line ends, no folded header. Lenient about any
/// other status, which only explains the refusal. It never consumes a byte beyond the head of a 101. Every later call
/// throws the first failure again.
package struct UpgradeResponseParser: Sendable {
    /// The result of a piece of input.
    package enum Result: Equatable, Sendable {
        /// All of the input was consumed.
        case needMore
        /// The connection is open; the frames begin after this many bytes of this input.
        case accepted(consumed: Int)
    }

    private enum State: Sendable {
        case statusLine
        case headers
        case body(RefusalBody)
        case accepted
        case failed(UpgradeFailure)
    }

    private let expectedAccept: String
    private let offeredSubprotocols: [String]
    private let deflateOffer: DeflateOffer?
    private var state: State = .statusLine
    private var reader = HeadLineReader()
    private var line: StatusLine?
    private var fields = HeaderFields()

    /// The subprotocol the server chose, one of those offered; nil when it chose none.
    package private(set) var subprotocol: String?

    /// The agreed parameters of permessage-deflate; nil without it.
    package private(set) var deflate: DeflateParameters?

    /// Creates the reader of one response.
    ///
    /// - Parameters:
    ///   - expectedAccept: the value that answers our key (RFC 6455 §4.2.2, step 5.4).
    ///   - offeredSubprotocols: the subprotocols of our request.
    ///   - deflateOffer: the offer of our request; nil without one.
    package init(expectedAccept: String, offeredSubprotocols: [String] = [], deflateOffer: DeflateOffer? = nil) {
        self.expectedAccept = expectedAccept
        self.offeredSubprotocols = offeredSubprotocols
        self.deflateOffer = deflateOffer
    }

    /// Consumes the next bytes of the response.
    package mutating func receive(_ input: Span<UInt8>) throws(UpgradeFailure) -> Result {
        switch state {
        case .statusLine, .headers, .body: break
        case .accepted: return .accepted(consumed: 0)
        case .failed(let failure): throw failure
        }
        do throws(UpgradeFailure) {
            var offset = 0
            return try readHead(input, &offset) ? .accepted(consumed: offset) : .needMore
        } catch {
            state = .failed(error)
            throw error
        }
    }

    /// Whether the head of a refusal is complete, but its body is not.
    package var isReadingBody: Bool {
        if case .body = state { true } else { false }
    }

    /// The status of the response; nil before its first line is complete.
    package var status: Int? { line?.status }

    /// The `Date` of the response as far as it was read; nil without one.
    ///
    /// - Parameter now: resolves a year of two digits.
    package func date(now: WallTime) -> WallTime? {
        let date = fields.values(of: "date").lazy.compactMap { HTTPDate($0) }.first
        return date.map { WallTime(seconds: $0.seconds(now: now)) }
    }

    /// The failure when the connection ends, or the deadline passes, before the response is complete.
    package mutating func endOfInput() -> UpgradeFailure {
        if case .failed(let failure) = state { return failure }
        let failure =
            refusal
            ?? .invalid(reason: "The connection ended before the upgrade was answered.", section: "RFC 6455 §4.1")
        state = .failed(failure)
        return failure
    }

    /// Returns true when the head of an accepted response is complete.
    private mutating func readHead(_ input: Span<UInt8>, _ offset: inout Int) throws(UpgradeFailure) -> Bool {
        while true {
            if case .body(var body) = state {
                body.receive(input, at: &offset)
                state = .body(body)
                if body.isComplete, let refusal { throw refusal }
                return false
            }
            let isLineComplete: Bool
            do throws(HTTPHeadError) {
                isLineComplete = try reader.readLine(in: input, at: &offset)
            } catch {
                // Bytes that are not HTTP are reported as such, wherever the input was cut.
                if case .statusLine = state { try checkStart() }
                throw failure(for: error)
            }
            guard isLineComplete else {
                if case .statusLine = state { try checkStart() }
                return false
            }
            if try finishLine() { return true }
        }
    }

    /// Returns true when the line was the last one of an accepted response.
    private mutating func finishLine() throws(UpgradeFailure) -> Bool {
        if case .statusLine = state {
            try readStatusLine()
            state = .headers
            return false
        }
        guard reader.line.isEmpty else {
            guard !isRefusal else {
                fields.append(forgivingly: reader.line)
                return false
            }
            do throws(HTTPHeadError) {
                fields.append(try HeaderField(line: reader.line))
            } catch {
                throw failure(for: error)
            }
            return false
        }
        guard let line, line.status == 101 else {
            if let line, isRefusal {
                state = .body(RefusalBody(status: line.status, fields))
                return false
            }
            // RFC 9110 §15.2: a client must be able to take interim responses before the final one.
            fields = HeaderFields()
            state = .statusLine
            return false
        }
        try checkHandshake()
        state = .accepted
        return true
    }

    private func checkStart() throws(UpgradeFailure) {
        do throws(HTTPHeadError) { try StatusLine.checkStart(reader.line) } catch { throw failure(for: error) }
    }

    private mutating func readStatusLine() throws(UpgradeFailure) {
        do throws(HTTPHeadError) {
            line = try StatusLine(reader.line)
        } catch {
            throw failure(for: error)
        }
        guard let line, line.minorVersion == 1 || line.status >= 200 else {
            throw .invalid(reason: "The server answered in HTTP/1.0.", section: "RFC 6455 §4.2.2")
        }
    }

    /// RFC 6455 §4.1, the six points of the server's response.
    private mutating func checkHandshake() throws(UpgradeFailure) {
        guard fields.elements(of: "upgrade").map({ ASCII.lowercased($0) }) == ["websocket"] else {
            throw .invalid(reason: "The response has no header Upgrade: websocket.", section: "RFC 6455 §4.1")
        }
        guard fields.list("connection", contains: "upgrade") else {
            throw .invalid(reason: "The response has no header Connection: Upgrade.", section: "RFC 6455 §4.1")
        }
        guard let accept = try single("sec-websocket-accept"), accept.isExactly(expectedAccept) else {
            throw .invalid(
                reason: "The header Sec-WebSocket-Accept does not answer our key.", section: "RFC 6455 §4.1")
        }
        try checkExtensions(fields.values(of: "sec-websocket-extensions"))
        guard let chosen = try single("sec-websocket-protocol") else { return }
        guard offeredSubprotocols.contains(where: chosen.isExactly) else {
            throw .invalid(
                reason: "The server uses a subprotocol that was not offered.", section: "RFC 6455 §4.1")
        }
        subprotocol = chosen
    }

    /// RFC 6455 §4.1: only what was offered; RFC 7692 §5.1: on acceptable terms.
    private mutating func checkExtensions(_ values: [String]) throws(UpgradeFailure) {
        guard !values.isEmpty else { return }
        guard let deflateOffer else {
            throw .invalid(
                reason: "The server uses an extension that was not offered.", section: "RFC 6455 §4.1")
        }
        deflate = try deflateOffer.check(answer: values)
    }

    /// The value of a header that may appear only once.
    private func single(_ name: String) throws(UpgradeFailure) -> String? {
        let values = fields.values(of: name)
        guard values.count <= 1 else {
            throw .invalid(reason: "The header \(name) stands twice in the response.", section: "RFC 9110 §5.3")
        }
        return values.first
    }

    /// Whether the status line refuses the WebSocket.
    private var isRefusal: Bool { (line?.status ?? 0) >= 200 }

    /// The refusal with what is known of it so far; nil if it is not a refusal.
    private var refusal: UpgradeFailure? {
        guard let line, isRefusal else { return nil }
        guard case .body(let body) = state else { return .refused(HTTPRefusal(line, fields)) }
        return .refused(HTTPRefusal(line, fields, body: body.bytes))
    }

    /// The failure for an error of the head.
    ///
    /// The status of a refusal matters more than errors in its other lines.
    private func failure(for fault: HTTPHeadError) -> UpgradeFailure {
        refusal ?? .invalid(reason: fault.sentence, section: fault.section)
    }
}

/// Why the server's half of the opening handshake was not accepted.
package enum UpgradeFailure: Error, Hashable, Sendable {
    /// An HTTP status other than 101, with what the response says about it.
    case refused(HTTPRefusal)
    /// A response that breaks a rule: one sentence, and the section of the rule.
    case invalid(reason: String, section: String)
}

extension UpgradeFailure: CustomStringConvertible {
    /// One sentence; from the server it quotes only the status.
    package var description: String {
        switch self {
        case .refused(let refusal): return "The server answered the upgrade with status \(refusal.status)."
        case .invalid(let reason, let section): return "\(reason) (\(section))"
        }
    }
}
