/// The client's side of SOCKS5 (RFC 1928), with user and password (RFC 1929), up to the open tunnel.
///
///     methods ─▶ (credentials ─▶) request ─▶ reply ─▶ open
///
/// A name is sent as a name and an address as an address; nothing is resolved here. It never consumes a byte after the
/// reply. The driver keeps the deadline.
struct SOCKSHandshake: Sendable {
    private enum State: Sendable {
        /// Waiting for the chosen method, for the result of the credentials, for the reply.
        case method, verdict, reply
    }

    /// RFC 1928 §3: the methods.
    private enum Method {
        static let none: UInt8 = 0x00
        static let password: UInt8 = 0x02
        static let unacceptable: UInt8 = 0xFF
    }

    private let host: String
    private let isIPv6: Bool
    private let port: UInt16
    private let credentials: ProxyCredentials?
    private var state: State = .method
    /// The incomplete message, and the number of bytes until it can be parsed further.
    private var message: [UInt8] = []
    private var neededByteCount = 2
    /// The bytes to send.
    private(set) var outgoing: [UInt8]

    /// Starts with the methods.
    init(host: String, isIPv6: Bool, port: UInt16, credentials: ProxyCredentials?) {
        self.host = host
        self.isIPv6 = isIPv6
        self.port = port
        self.credentials = credentials
        outgoing = credentials == nil ? [5, 1, Method.none] : [5, 2, Method.none, Method.password]
    }

    /// Moves out the bytes to send.
    mutating func takeOutgoing() -> [UInt8] {
        defer { outgoing = [] }
        return outgoing
    }

    /// Parses the next bytes of the proxy. Must not be called after a result or an error.
    ///
    /// - Returns: the number of bytes that belong to the handshake of an open tunnel; nil if more are needed.
    mutating func receive(_ input: Span<UInt8>) throws(ProxyError) -> Int? {
        var offset = 0
        while offset < input.count {
            message.append(input[offset])
            offset += 1
            guard message.count == neededByteCount else { continue }
            if try advance() { return offset }
        }
        return nil
    }

    /// Returns true when the tunnel is open.
    private mutating func advance() throws(ProxyError) -> Bool {
        switch state {
        case .method: try methodCame()
        case .verdict: try verdictCame()
        case .reply: return try replyGrew()
        }
        return false
    }

    private mutating func methodCame() throws(ProxyError) {
        guard message[0] == 5 else { throw .brokenRule("its first byte is no version 5") }
        switch (message[1], credentials) {
        case (Method.none, _): sendRequest()
        case (Method.password, let credentials?): send(credentials)
        case (Method.unacceptable, _): throw .noMethod(hasOfferedPassword: credentials != nil)
        default: throw .brokenRule("it chose a method that was not offered")
        }
    }

    /// RFC 1929 §2.
    private mutating func send(_ credentials: ProxyCredentials) {
        outgoing += [1, UInt8(clamping: credentials.user.count)] + credentials.user
        outgoing += [UInt8(clamping: credentials.password.count)] + credentials.password
        expect(.verdict)
    }

    /// RFC 1929 §2: any status other than 0 is a refusal. The version is not checked: it is 1, but some servers send 5.
    private mutating func verdictCame() throws(ProxyError) {
        guard message[1] == 0 else { throw .credentialsRefused }
        sendRequest()
    }

    /// RFC 1928 §4: CONNECT.
    private mutating func sendRequest() {
        outgoing += [5, 1, 0]
        let name = Array(host.utf8)
        if isIPv6, let groups = HostSyntax.ipv6Groups(name) {
            outgoing += [4] + groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        } else if HostSyntax.isIPv4Address(name[...]) {
            outgoing += [1] + name.split(separator: .dot).map { $0.reduce(0) { $0 &* 10 &+ ($1 & 0x0F) } }
        } else {
            // A host name has at most 253 bytes.
            outgoing += [3, UInt8(clamping: name.count)] + name
        }
        outgoing += [UInt8(port >> 8), UInt8(port & 0xFF)]
        expect(.reply)
    }

    private mutating func expect(_ next: State) {
        state = next
        message = []
        neededByteCount = 2
    }

    /// RFC 1928 §6. Two bytes are enough for a refusal: some proxies send no more.
    private mutating func replyGrew() throws(ProxyError) -> Bool {
        switch message.count {
        case 2:
            guard message[0] == 5 else { throw .brokenRule("its reply is not one of version 5") }
            guard message[1] == 0 else { throw .reply(message[1]) }
            neededByteCount = 5
            return false
        case 5:
            switch message[3] {
            case 1: neededByteCount = 10
            case 3: neededByteCount = 7 + Int(message[4])
            case 4: neededByteCount = 22
            default: throw .brokenRule("the address of its reply is of an unknown kind")
            }
            return false
        default:
            return true
        }
    }
}
