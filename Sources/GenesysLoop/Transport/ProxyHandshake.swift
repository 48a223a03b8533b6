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
