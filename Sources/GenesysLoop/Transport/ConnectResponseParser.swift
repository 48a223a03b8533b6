/// Reads a proxy's answer to CONNECT (RFC 9110 §9.3.6, RFC 9112 §6).
///
///     status line ──▶ headers ──empty line──▶ open            (2xx)
///          ▲             │  └───────────────▶ body ──▶ failed (any other final status, and what its body says)
///          └─ 1xx, not 101
///
/// Whatever the headers of a 2xx say about a body, there is none: what follows the head belongs to the tunnel. A proxy may
/// answer in HTTP/1.0, as tinyproxy does, and without a reason phrase. Headers that are malformed are passed over, since
/// none decides anything; lines that do not end in CR LF are not.
struct ConnectResponseParser: Sendable {
    private enum State: Sendable {
        case statusLine, headers
        case body(RefusalBody)
    }

    private var state: State = .statusLine
    private var reader = HeadLineReader()
    private var line: StatusLine?
    private var fields = HeaderFields()

    /// Takes the next bytes of the answer.
    ///
    /// - Returns: how many of them belong to the head of an open tunnel; nil when more are needed. Not to be called again
    ///   then, nor after an error.
    mutating func receive(_ input: Span<UInt8>) throws(ProxyFault) -> Int? {
        var offset = 0
        while true {
            if case .body(var body) = state {
                body.receive(input, at: &offset)
                state = .body(body)
                if body.isComplete, let refusal { throw refusal }
                return nil
            }
            let isLineComplete: Bool
            do throws(HTTPHeadError) {
                isLineComplete = try reader.readLine(in: input, at: &offset)
            } catch {
                try checkStart()
                throw refusal ?? .head(error)
            }
            // What is no HTTP is told at once, rather than after 16 KiB or a time-out.
            try checkStart()
            guard isLineComplete else { return nil }
            if try finishLine() { return offset }
        }
    }

    /// Whether the head of a refusal is complete, and its body is not.
    var isReadingBody: Bool {
        if case .body = state { true } else { false }
    }

    /// What the end of the connection amounts to: a refusal of which only the status came is one all the same.
    func endOfInput() -> ProxyFault {
        refusal ?? .ended
    }

    private func checkStart() throws(ProxyFault) {
        guard case .statusLine = state else { return }
        do throws(HTTPHeadError) { try StatusLine.checkStart(reader.line) } catch { throw .head(error) }
    }

    /// Returns true when the tunnel is open.
    private mutating func finishLine() throws(ProxyFault) -> Bool {
        guard case .headers = state, let line else {
            do throws(HTTPHeadError) { line = try StatusLine(reader.line) } catch { throw .head(error) }
            state = .headers
            return false
        }
        guard reader.line.isEmpty else {
            fields.append(forgivingly: reader.line)
            return false
        }
        if (200...299).contains(line.status) { return true }
        if isRefusal {
            state = .body(RefusalBody(status: line.status, fields))
        } else {
            // RFC 9110 §15.2: interim responses may come before the final one.
            fields = HeaderFields()
            state = .statusLine
        }
        return false
    }

    /// Whether the status line said that there will be no tunnel. To CONNECT 101 is no answer.
    private var isRefusal: Bool { line.map { $0.status >= 300 || $0.status == 101 } ?? false }

    /// The refusal with what is known of it so far; nil when there is none.
    private var refusal: ProxyFault? {
        guard let line, isRefusal else { return nil }
        guard case .body(let body) = state else { return .refused(HTTPRefusal(line, fields)) }
        return .refused(HTTPRefusal(line, fields, body: body.bytes))
    }
}
