/// The client's side of SOCKS5 (RFC 1928), with user and password (RFC 1929), up to the open tunnel.
///
///     methods ─▶ (credentials ─▶) request ─▶ reply ─▶ open
///
/// The name goes to the proxy as it is, an address as an address; nothing is looked up here. It never takes a byte
/// beyond the reply. Its driver keeps the deadline.
struct SOCKSHandshake: Sendable {
    private enum State: Sendable {
        /// Waiting for the method that it chose, for its verdict on the credentials, for its reply.
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
    private let credentials: ProxyURI.Credentials?
    private var state: State = .method
    /// The message under way, and how many bytes of it say how it goes on.
    private var message: [UInt8] = []
    private var neededByteCount = 2
    /// What is to be sent.
    private(set) var outgoing: [UInt8]

    /// Begins with the methods.
    init(host: String, isIPv6: Bool, port: UInt16, credentials: ProxyURI.Credentials?) {
        self.host = host
        self.isIPv6 = isIPv6
        self.port = port
        self.credentials = credentials
        outgoing = credentials == nil ? [5, 1, Method.none] : [5, 2, Method.none, Method.password]
    }

    /// Moves out what is to be sent.
    mutating func takeOutgoing() -> [UInt8] {
        defer { outgoing = [] }
        return outgoing
    }

    /// Takes the next bytes of the proxy.
    ///
    /// - Returns: how many of them belong to the handshake of an open tunnel; nil when more are needed. Not to be
    ///   called again then, nor after an error.
    mutating func receive(_ input: Span<UInt8>) throws(ProxyFault) -> Int? {
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
    private mutating func advance() throws(ProxyFault) -> Bool {
        switch state {
        case .method: try methodCame()
        case .verdict: try verdictCame()
        case .reply: return try replyGrew()
        }
        return false
    }

    private mutating func methodCame() throws(ProxyFault) {
        guard message[0] == 5 else { throw .brokenRule("its first byte is no version 5") }
        switch (message[1], credentials) {
        case (Method.none, _): sendRequest()
        case (Method.password, let credentials?): send(credentials)
        case (Method.unacceptable, _): throw .noMethod(hasOfferedPassword: credentials != nil)
        default: throw .brokenRule("it chose a method that was not offered")
        }
    }

    /// RFC 1929 §2.
    private mutating func send(_ credentials: ProxyURI.Credentials) {
        outgoing += [1, UInt8(clamping: credentials.user.count)] + credentials.user
        outgoing += [UInt8(clamping: credentials.password.count)] + credentials.password
        expect(.verdict)
    }

    /// RFC 1929 §2: any status but 0 is a refusal. The version is 1, and 5 from servers that confuse it with the other.
    private mutating func verdictCame() throws(ProxyFault) {
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
            // A host name has 253 bytes at the most.
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

    /// RFC 1928 §6. A refusal counts from its second byte on: some proxies send no more.
    private mutating func replyGrew() throws(ProxyFault) -> Bool {
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
