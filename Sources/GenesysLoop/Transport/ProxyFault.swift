/// What can go wrong between us and a proxy, before its tunnel is open.
enum ProxyFault: Error, Hashable, Sendable {
    /// An HTTP status that opens no tunnel.
    case refused(HTTPRefusal)
    /// The head of its answer breaks a rule of HTTP.
    case head(HTTPHeadError)
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
        case .refused(let refusal) where refusal.status == 407: ProxyFault.clause(ofChallenge: refusal)
        case .refused(let refusal) where refusal.isRedirect:
            "answered CONNECT with a redirect to \(refusal.location.flatMap { URIReference.host(of: $0) } ?? "elsewhere") "
                + "(HTTP status \(refusal.status))"
        case .refused(let refusal): "answered CONNECT with HTTP status \(refusal.status)"
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

    /// RFC 9110 §11.7.1: the schemes that the proxy offers, of which only Basic is spoken here.
    private static func clause(ofChallenge refusal: HTTPRefusal) -> String {
        guard let last = refusal.schemes.last else { return "wants authorization (407)" }
        let others = refusal.schemes.dropLast().joined(separator: ", ")
        let offer = "wants authorization (407, by \(others.isEmpty ? last : "\(others) or \(last)"))"
        return ProxyFault.takesBasic(refusal) ? offer : "\(offer), and this client speaks only Basic"
    }

    private static func takesBasic(_ refusal: HTTPRefusal) -> Bool {
        refusal.schemes.isEmpty || refusal.schemes.contains { ASCII.lowercased($0) == "basic" }
    }

    /// The answer, if it is one of HTTP.
    var refusal: HTTPRefusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }

    /// What to do about it.
    ///
    /// - Parameter hasCredentials: whether the proxy's URI holds a user and a password.
    func advice(hasCredentials: Bool) -> String? {
        guard isAuthorizationFault else { return nil }
        if let refusal, !ProxyFault.takesBasic(refusal) {
            return "Let the proxy take Basic, or use one on this machine that authorizes in this client's place"
        }
        if self == .noMethod(hasOfferedPassword: true) { return "Let the proxy take a user and a password" }
        return hasCredentials
            ? "Check the user and the password in the proxy's URI" : "Give a user and a password in the proxy's URI"
    }

    /// Whether another user or password is wanted.
    var isAuthorizationFault: Bool {
        switch self {
        // Some answer a wrong user or password with 401, which RFC 9110 §15.5.2 has for servers.
        case .refused(let refusal): refusal.status == 407 || refusal.status == 401
        case .noMethod, .credentialsRefused: true
        case .head, .reply, .brokenRule, .ended, .broke: false
        }
    }

    /// Whether it may pass by itself.
    var isRetryable: Bool {
        switch self {
        case .refused(let refusal): refusal.status == 429 || refusal.status >= 500
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
