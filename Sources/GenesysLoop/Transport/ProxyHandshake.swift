/// The handshake with a proxy until its tunnel to the server is open: HTTP CONNECT or SOCKS5.
///
/// A value: bytes in, bytes out. Input after the handshake belongs to the tunnel.
struct ProxyHandshake: Sendable {
    private enum Dialect: Sendable {
        case connect(ConnectResponseParser)
        case socks(SOCKSHandshake)
    }

    private var dialect: Dialect
    private var outgoing: [UInt8] = []

    /// Starts; `takeOutgoing` has the first bytes to send.
    ///
    /// - Parameter userAgent: the header for an HTTP proxy; nil for none.
    init(with proxy: ProxyURI, to target: WebSocketURI, userAgent: String?) {
        switch proxy.scheme {
        case .http, .https:
            dialect = .connect(ConnectResponseParser())
            outgoing = Self.request(to: target, as: proxy.credentials, userAgent: userAgent)
        case .socks5, .socks5h:
            dialect = .socks(
                SOCKSHandshake(
                    host: target.host, isIPv6: target.isIPv6Literal, port: target.port,
                    credentials: proxy.credentials))
        }
    }

    /// RFC 9110 §9.3.6: the target is host and port, never without the port; RFC 7617 §2: Basic.
    private static func request(
        to target: WebSocketURI, as credentials: ProxyCredentials?, userAgent: String?
    ) -> [UInt8] {
        let authority = "\(target.isIPv6Literal ? "[\(target.host)]" : target.host):\(target.port)"
        var head = "CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n"
        if let credentials {
            let pair = HandshakeKey.base64(credentials.user + [.colon] + credentials.password)
            head += "Proxy-Authorization: Basic \(pair)\r\n"
        }
        if let userAgent, userAgent.utf8.allSatisfy(ASCII.isFieldCharacter) { head += "User-Agent: \(userAgent)\r\n" }
        return Array("\(head)\r\n".utf8)
    }

    /// Moves out the bytes to send; call it at the start and after every `receive`.
    mutating func takeOutgoing() -> [UInt8] {
        defer { outgoing = [] }
        guard case .socks(var socks) = dialect else { return outgoing }
        defer { dialect = .socks(socks) }
        return socks.takeOutgoing()
    }

    /// Parses the next bytes of the proxy.
    ///
    /// - Returns: the number of bytes that belong to the handshake, once the tunnel is open; nil if more are needed.
    mutating func receive(_ input: Span<UInt8>) throws(ProxyError) -> Int? {
        switch dialect {
        case .connect(var parser):
            defer { dialect = .connect(parser) }
            return try parser.receive(input)
        case .socks(var socks):
            defer { dialect = .socks(socks) }
            return try socks.receive(input)
        }
    }

    /// Whether the head of a refusal is complete, but its body is not.
    var isReadingBody: Bool {
        switch dialect {
        case .connect(let parser): parser.isReadingBody
        case .socks: false
        }
    }

    /// The error of an end of the connection before the tunnel is open.
    func endOfInput() -> ProxyError {
        switch dialect {
        case .connect(let parser): parser.endOfInput()
        case .socks: .ended
        }
    }
}

/// Reads a proxy's answer to CONNECT (RFC 9110 §9.3.6, RFC 9112 §6).
///
///     status line ──▶ headers ──empty line──▶ open            (2xx)
///          ▲             │  └───────────────▶ body ──▶ failed (any other final status, and what its body says)
///          └─ 1xx, not 101
///
/// A 2xx has no body, whatever its headers say: bytes after the head belong to the tunnel. A proxy may answer in
/// HTTP/1.0, as tinyproxy does, and without a reason phrase. Malformed headers are skipped, since no header affects the
/// result; lines that do not end in CR LF are errors.
struct ConnectResponseParser: Sendable {
    private enum State: Sendable {
        case statusLine, headers
        case body(RefusalBody)
    }

    private var state: State = .statusLine
    private var reader = HeadLineReader()
    private var line: StatusLine?
    private var fields = HeaderFields()

    /// Parses the next bytes of the answer. Must not be called after a result or an error.
    ///
    /// - Returns: the number of bytes that belong to the head of an open tunnel; nil if more are needed.
    mutating func receive(_ input: Span<UInt8>) throws(ProxyError) -> Int? {
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
            // Input other than HTTP fails at once, not after 16 KiB or a time-out.
            try checkStart()
            guard isLineComplete else { return nil }
            if try finishLine() { return offset }
        }
    }

    /// Whether the head of a refusal is complete, but its body is not.
    var isReadingBody: Bool {
        if case .body = state { true } else { false }
    }

    /// The error of an end of the connection: a refusal if its status has arrived.
    func endOfInput() -> ProxyError {
        refusal ?? .ended
    }

    private func checkStart() throws(ProxyError) {
        guard case .statusLine = state else { return }
        do throws(HTTPHeadError) { try StatusLine.checkStart(reader.line) } catch { throw .head(error) }
    }

    /// Returns true when the tunnel is open.
    private mutating func finishLine() throws(ProxyError) -> Bool {
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

    /// Whether the status line is a refusal. 101 is not a valid answer to CONNECT.
    private var isRefusal: Bool { line.map { $0.status >= 300 || $0.status == 101 } ?? false }

    /// The refusal as far as it has arrived; nil without one.
    private var refusal: ProxyError? {
        guard let line, isRefusal else { return nil }
        guard case .body(let body) = state else { return .refused(HTTPRefusal(line, fields)) }
        return .refused(HTTPRefusal(line, fields, body: body.bytes))
    }
}
