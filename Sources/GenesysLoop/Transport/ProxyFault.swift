/// What can go wrong between us and a proxy, before its tunnel is open.
enum ProxyFault: Error, Hashable, Sendable {
    /// An HTTP status that opens no tunnel; `schemes` are those that it wants for authorization.
    case status(code: Int, schemes: [String], retryAfter: Duration?)
    /// The head of its answer breaks a rule of HTTP.
    case head(HeadFault)
    /// SOCKS: the reply to the request (RFC 1928 §6).
    case reply(UInt8)
    /// SOCKS: it takes none of the methods offered.
    case noMethod(hasOfferedPassword: Bool)
    /// SOCKS: it does not take this user and password.
    case credentialsRefused
    /// SOCKS: it breaks a rule; a clause about it.
    case brokenRule(String)
    /// It ended the connection.
    case ended
    /// The connection broke; what the system said.
    case broke(String)

    /// What the proxy did, as the end of a sentence that begins with its name.
    var clause: String {
        switch self {
        case .status(407, let schemes, _) where !schemes.isEmpty:
            "wants authorization (407, by \(schemes.joined(separator: " or ")))"
        case .status(407, _, _): "wants authorization (407)"
        case .status(let code, _, _): "answered CONNECT with HTTP status \(code)"
        case .head(.tooLong): "answered CONNECT with a head of more than \(HeadLineReader.maxByteCount) bytes"
        case .head(.malformedStartLine): "did not answer CONNECT in HTTP"
        case .head(let fault): "broke HTTP: \(ChannelFailure.clause(fault.sentence))"
        case .reply(let code): "answered with SOCKS error \(code): \(ProxyFault.name(ofReply: code))"
        case .noMethod(true): "takes neither user and password nor a client without them"
        case .noMethod(false): "wants an authorization that this client was not given"
        case .credentialsRefused: "refused the user and the password"
        case .brokenRule(let rule): "broke SOCKS5: \(rule)"
        case .ended: "ended the connection before its tunnel was open"
        case .broke(let text): "broke the connection before its tunnel was open (\(text))"
        }
    }

    /// The HTTP status, if it is one.
    var status: Int? {
        if case .status(let code, _, _) = self { code } else { nil }
    }

    var retryAfter: Duration? {
        if case .status(_, _, let delay) = self { delay } else { nil }
    }

    /// Whether another user or password is wanted.
    var isAuthorizationFault: Bool {
        switch self {
        // Some answer a wrong user or password with 401, which RFC 9110 §15.5.2 has for servers.
        case .status(let code, _, _): code == 407 || code == 401
        case .noMethod, .credentialsRefused: true
        case .head, .reply, .brokenRule, .ended, .broke: false
        }
    }

    /// Whether it may pass by itself.
    var isRetryable: Bool {
        switch self {
        case .status(let code, _, _): code == 429 || code >= 500
        // A general failure, or the way from the proxy to the server; not its rules, nor what it does not know.
        case .reply(let code): [1, 3, 4, 5, 6].contains(code)
        case .ended, .broke: true
        case .head, .noMethod, .credentialsRefused, .brokenRule: false
        }
    }

    /// RFC 1928 §6.
    private static func name(ofReply code: UInt8) -> String {
        switch code {
        case 1: "general failure"
        case 2: "its rules do not allow the connection"
        case 3: "the network cannot be reached"
        case 4: "the server cannot be reached"
        case 5: "the server refused the connection"
        case 6: "the time to live ran out"
        case 7: "it does not know the command"
        case 8: "it does not know the kind of address"
        default: "unknown"
        }
    }
}
