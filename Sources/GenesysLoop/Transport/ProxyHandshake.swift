/// What is said to a proxy, and what it answers, until its tunnel to the server is open: HTTP CONNECT or SOCKS5.
///
/// A value: bytes in, bytes out. What follows the handshake in the input belongs to the tunnel.
struct ProxyHandshake: Sendable {
    private enum Dialect: Sendable {
        case connect(ConnectResponseParser)
        case socks(SOCKSHandshake)
    }

    private var dialect: Dialect
    private var outgoing: [UInt8] = []

    /// Begins; `takeOutgoing` has the first words.
    ///
    /// - Parameter userAgent: for a proxy of HTTP; nil sends none.
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
        to target: WebSocketURI, as credentials: ProxyURI.Credentials?, userAgent: String?
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

    /// Moves out what is to be sent; ask at the beginning and after every `receive`.
    mutating func takeOutgoing() -> [UInt8] {
        defer { outgoing = [] }
        guard case .socks(var socks) = dialect else { return outgoing }
        defer { dialect = .socks(socks) }
        return socks.takeOutgoing()
    }

    /// Takes the next bytes of the proxy.
    ///
    /// - Returns: how many of them belong to the handshake, once the tunnel is open; nil when more are needed.
    mutating func receive(_ input: Span<UInt8>) throws(ProxyFault) -> Int? {
        switch dialect {
        case .connect(var parser):
            defer { dialect = .connect(parser) }
            return try parser.receive(input)
        case .socks(var socks):
            defer { dialect = .socks(socks) }
            return try socks.receive(input)
        }
    }

    /// Whether the head of a refusal is complete, and its body is not.
    var isReadingBody: Bool {
        switch dialect {
        case .connect(let parser): parser.isReadingBody
        case .socks: false
        }
    }

    /// What the end of the connection amounts to, before the tunnel is open.
    func endOfInput() -> ProxyFault {
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
/// Whatever the headers of a 2xx say about a body, there is none: what follows the head belongs to the tunnel. A proxy
/// may answer in HTTP/1.0, as tinyproxy does, and without a reason phrase. Headers that are malformed are passed over,
/// since none decides anything; lines that do not end in CR LF are not.
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
    /// - Returns: how many of them belong to the head of an open tunnel; nil when more are needed. Not to be called
    ///   again then, nor after an error.
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
