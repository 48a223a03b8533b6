/// Reads a proxy's answer to CONNECT (RFC 9110 §9.3.6, RFC 9112 §6).
///
///     status line ──▶ headers ──empty line──▶ open   (2xx)
///          ▲             │  └───────────────▶ failed (any other final status)
///          └─ 1xx, not 101
///
/// Whatever the headers of a 2xx say about a body, there is none: what follows the head belongs to the tunnel. A proxy may
/// answer in HTTP/1.0, as tinyproxy does, and without a reason phrase. Headers that are malformed are passed over, since
/// none decides anything; lines that do not end in CR LF are not.
struct ConnectResponseParser: Sendable {
    private enum State: Sendable {
        case statusLine, headers
    }

    private var state: State = .statusLine
    private var reader = HeadLineReader()
    private var status = 0
    private var fields = HeaderFields()

    /// Takes the next bytes of the answer.
    ///
    /// - Returns: how many of them belong to the head of an open tunnel; nil when more are needed. Not to be called again
    ///   then, nor after an error.
    mutating func receive(_ input: Span<UInt8>) throws(ProxyFault) -> Int? {
        var offset = 0
        while true {
            let isLineComplete: Bool
            do throws(HeadFault) {
                isLineComplete = try reader.readLine(in: input, at: &offset)
            } catch {
                try checkStart()
                throw isRefusal ? refusal : .head(error)
            }
            // What is no HTTP is told at once, rather than after 16 KiB or a time-out.
            try checkStart()
            guard isLineComplete else { return nil }
            if try finishLine() { return offset }
        }
    }

    /// What the end of the connection amounts to: a refusal of which only the status came is one all the same.
    func endOfInput() -> ProxyFault {
        isRefusal ? refusal : .ended
    }

    private func checkStart() throws(ProxyFault) {
        guard case .statusLine = state else { return }
        guard zip(reader.line, "HTTP/1.".utf8).allSatisfy({ $0 == $1 }) else { throw .head(.malformedStartLine) }
    }

    /// Returns true when the tunnel is open.
    private mutating func finishLine() throws(ProxyFault) -> Bool {
        switch state {
        case .statusLine:
            try readStatusLine()
            state = .headers
            return false
        case .headers where !reader.line.isEmpty:
            if let field = try? HeaderField(line: reader.line) { fields.append(field) }
            return false
        case .headers:
            if (200...299).contains(status) { return true }
            if isRefusal { throw refusal }
            // RFC 9110 §15.2: interim responses may come before the final one.
            fields = HeaderFields()
            state = .statusLine
            return false
        }
    }

    /// RFC 9112 §4: `HTTP/1.1 200 reason`.
    private mutating func readStatusLine() throws(ProxyFault) {
        let line = reader.line
        guard line.count >= 12, line[7] == UInt8(ascii: "1") || line[7] == UInt8(ascii: "0"), line[8] == 0x20,
            line[9...11].allSatisfy(ASCII.isDigit), line.count == 12 || line[12] == 0x20
        else { throw .head(.malformedStartLine) }
        status = line[9...11].reduce(0) { $0 * 10 + Int($1 & 0x0F) }
        guard status >= 100 else { throw .head(.malformedStartLine) }
    }

    /// Whether the status line said that there will be no tunnel. To CONNECT 101 is no answer.
    private var isRefusal: Bool { status >= 300 || status == 101 }

    /// The refusal with what is known of it so far.
    private var refusal: ProxyFault {
        // The first word of each challenge (RFC 9110 §11.6.1); elements without one are parameters of the one before.
        let schemes = fields.elements(of: "proxy-authenticate").compactMap { element -> String? in
            let word = element.utf8.prefix { $0 != 0x20 }
            guard ASCII.isToken(word), word.count <= 32 else { return nil }
            return String(decoding: Array(word), as: UTF8.self)
        }
        let delays = fields.values(of: "retry-after").compactMap { value -> Int64? in
            guard !value.isEmpty, value.utf8.allSatisfy(ASCII.isDigit) else { return nil }
            return value.utf8.reduce(0) { min($0 * 10 + Int64($1 & 0x0F), 1_000_000_000_000) }
        }
        return .status(code: status, schemes: Array(schemes.prefix(8)), retryAfter: delays.max().map { .seconds($0) })
    }
}
