/// Reads and checks the server's half of the opening handshake (RFC 6455 §4.1, §4.2.2).
///
///     status line ──▶ headers ──empty line──▶ accepted (101, every check passed)
///          ▲             │  └───────────────▶ failed   (another final status, a rule broken)
///          └─ 1xx, not 101
///
/// Strict about a 101, since what follows depends on it: HTTP/1.1, CR LF line ends, no folded header. Forgiving about
/// the head of any other status, which is wanted only for its status and `Retry-After`. It never takes a byte beyond
/// the head. The first failure is thrown again by every later call.
package struct UpgradeResponseParser: Sendable {
    /// What a piece of input led to.
    package enum Result: Equatable, Sendable {
        /// All of the input was consumed.
        case needMore
        /// The connection is open; the frames begin after this many bytes of this input.
        case accepted(consumed: Int)
    }

    private enum State: Sendable {
        case statusLine
        case headers
        case accepted
        case failed(UpgradeFailure)
    }

    private let expectedAccept: String
    private let offeredSubprotocols: [String]
    private let deflateOffer: DeflateOffer?
    private var state: State = .statusLine
    private var reader = HeadLineReader()
    private var status = 0
    private var fields = HeaderFields()

    /// The subprotocol the server chose, one of those offered; nil when it chose none.
    package private(set) var subprotocol: String?

    /// What permessage-deflate was agreed on with; nil without it.
    package private(set) var deflate: DeflateParameters?

    /// Creates the reader of one response.
    ///
    /// - Parameters:
    ///   - expectedAccept: the value that answers our key (RFC 6455 §4.2.2, step 5.4).
    ///   - offeredSubprotocols: those of our request.
    ///   - deflateOffer: that of our request; nil when there was none.
    package init(expectedAccept: String, offeredSubprotocols: [String] = [], deflateOffer: DeflateOffer? = nil) {
        self.expectedAccept = expectedAccept
        self.offeredSubprotocols = offeredSubprotocols
        self.deflateOffer = deflateOffer
    }

    /// Takes the next bytes of the response.
    package mutating func receive(_ input: Span<UInt8>) throws(UpgradeFailure) -> Result {
        switch state {
        case .statusLine, .headers: break
        case .accepted: return .accepted(consumed: 0)
        case .failed(let failure): throw failure
        }
        do throws(UpgradeFailure) {
            return try readLines(input)
        } catch {
            state = .failed(error)
            throw error
        }
    }

    /// What the end of the connection amounts to, before the response was complete.
    package mutating func endOfInput() -> UpgradeFailure {
        if case .failed(let failure) = state { return failure }
        let failure =
            isRefusal
            ? refusal
            : .invalid(reason: "The connection ended before the upgrade was answered.", section: "RFC 6455 §4.1")
        state = .failed(failure)
        return failure
    }

    private mutating func readLines(_ input: Span<UInt8>) throws(UpgradeFailure) -> Result {
        var offset = 0
        while true {
            let isLineComplete: Bool
            do throws(HeadFault) {
                isLineComplete = try reader.readLine(in: input, at: &offset)
            } catch {
                // What is no HTTP is told as that, wherever the input was cut.
                if case .statusLine = state { try checkStart() }
                throw failure(for: error)
            }
            guard isLineComplete else {
                if case .statusLine = state { try checkStart() }
                return .needMore
            }
            if try finishLine() { return .accepted(consumed: offset) }
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
            do throws(HeadFault) {
                fields.append(try HeaderField(line: reader.line))
            } catch {
                if !isRefusal { throw failure(for: error) }
            }
            return false
        }
        guard status == 101 else {
            if isRefusal { throw refusal }
            // RFC 9110 §15.2: a client must be able to take interim responses before the final one.
            fields = HeaderFields()
            state = .statusLine
            return false
        }
        try checkHandshake()
        state = .accepted
        return true
    }

    /// Refuses bytes that are no HTTP at once, rather than after 16 KiB or a time-out.
    private func checkStart() throws(UpgradeFailure) {
        guard zip(reader.line, "HTTP/1.".utf8).allSatisfy({ $0 == $1 }) else {
            throw failure(for: .malformedStartLine)
        }
    }

    /// RFC 9112 §4: `HTTP/1.1 101 reason`.
    ///
    /// HTTP/1.0 is let through for the status it brings, 101 excepted.
    private mutating func readStatusLine() throws(UpgradeFailure) {
        try checkStart()
        let line = reader.line
        guard line.count >= 12, line[7] == UInt8(ascii: "1") || line[7] == UInt8(ascii: "0"), line[8] == 0x20,
            line[9...11].allSatisfy(ASCII.isDigit), line.count == 12 || line[12] == 0x20,
            line[12...].allSatisfy(ASCII.isFieldCharacter)
        else { throw failure(for: .malformedStartLine) }
        let code = line[9...11].reduce(0) { $0 * 10 + Int($1 & 0x0F) }
        guard code >= 100 else { throw failure(for: .malformedStartLine) }
        if code < 200 && line[7] == UInt8(ascii: "0") {
            throw .invalid(reason: "The server answered in HTTP/1.0.", section: "RFC 6455 §4.2.2")
        }
        status = code
    }

    /// RFC 6455 §4.1, the six points of the server's response.
    private mutating func checkHandshake() throws(UpgradeFailure) {
        guard let upgrade = try single("upgrade"), ASCII.lowercased(upgrade) == "websocket" else {
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

    /// RFC 6455 §4.1: nothing but what was offered; RFC 7692 §5.1: on acceptable terms.
    private mutating func checkExtensions(_ values: [String]) throws(UpgradeFailure) {
        guard !values.isEmpty else { return }
        guard let deflateOffer else {
            throw .invalid(
                reason: "The server uses an extension that was not offered.", section: "RFC 6455 §4.1")
        }
        deflate = try deflateOffer.check(answer: values)
    }

    /// The value of a header that may stand once only.
    private func single(_ name: String) throws(UpgradeFailure) -> String? {
        let values = fields.values(of: name)
        guard values.count <= 1 else {
            throw .invalid(reason: "The header \(name) stands twice in the response.", section: "RFC 9110 §5.3")
        }
        return values.first
    }

    /// Whether the status line said that there will be no WebSocket.
    private var isRefusal: Bool { status >= 200 }

    /// The refusal with what is known of it so far.
    private var refusal: UpgradeFailure {
        // RFC 9110 §10.2.3: seconds or a date. A date is ignored: it needs a clock that agrees with the server's.
        let delays = fields.values(of: "retry-after").compactMap { value -> Int64? in
            guard !value.isEmpty, value.utf8.allSatisfy(ASCII.isDigit) else { return nil }
            return value.utf8.reduce(0) { min($0 * 10 + Int64($1 & 0x0F), 1_000_000_000_000) }
        }
        let retryAfter = delays.max().map { Duration.seconds($0) }
        return .status(code: status, retryAfter: retryAfter, location: fields.values(of: "location").first)
    }

    /// A fault of the head.
    ///
    /// In a refusal the status counts more than how badly the rest is written.
    private func failure(for fault: HeadFault) -> UpgradeFailure {
        isRefusal ? refusal : .invalid(reason: fault.sentence, section: fault.section)
    }
}
