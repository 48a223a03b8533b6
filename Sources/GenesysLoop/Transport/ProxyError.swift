/// Why a proxy did not open a tunnel.
package enum ProxyError: Error, Hashable, Sendable {
    /// It answered CONNECT with an HTTP status other than 2xx.
    case refused(HTTPRefusal)
    /// The head of its answer breaks a rule of HTTP.
    case head(HTTPHeadError)
    /// SOCKS: its reply to the request (RFC 1928 §6).
    case reply(UInt8)
    /// SOCKS: it accepts none of the offered methods.
    case noMethod(hasOfferedPassword: Bool)
    /// SOCKS: it does not accept the user and password.
    case credentialsRefused
    /// SOCKS: it broke a rule; a clause about it.
    case brokenRule(String)
    /// It ended the connection.
    case ended
    /// The connection to it broke.
    case broke(UVError)

    /// What the proxy did, as the end of a sentence that begins with its name.
    package var clause: String {
        switch self {
        case .refused(let refusal) where refusal.status == 407: ProxyError.clause(ofChallenge: refusal)
        case .refused(let refusal) where refusal.isRedirect:
            "answered CONNECT with a redirect to \(location ?? "elsewhere") (HTTP status \(refusal.status))"
        case .refused(let refusal): "answered CONNECT with HTTP status \(refusal.status)"
        case .head(.tooLong): "answered CONNECT with a head of more than \(HeadLineReader.maxByteCount) bytes"
        case .head(.malformedStartLine): "did not answer CONNECT in HTTP"
        case .head(let error): "broke HTTP: \(Sentence.clause(error.sentence))"
        case .reply(let code): "answered with SOCKS error \(code): \(ProxyError.name(ofReply: code))"
        case .noMethod(true): "takes neither user and password nor a client without them"
        case .noMethod(false): "wants an authorization that this client was not given"
        case .credentialsRefused: "refused the user and the password"
        case .brokenRule(let rule): "broke SOCKS5: \(rule)"
        case .ended: "ended the connection before its tunnel was open"
        case .broke(let error):
            "broke the connection before its tunnel was open (\(error.operation): \(error.text))"
        }
    }

    /// RFC 9110 §11.7.1: the schemes that the proxy offers. This client implements only Basic.
    private static func clause(ofChallenge refusal: HTTPRefusal) -> String {
        guard let last = refusal.schemes.last else { return "wants authorization (407)" }
        let others = refusal.schemes.dropLast().joined(separator: ", ")
        let offer = "wants authorization (407, by \(others.isEmpty ? last : "\(others) or \(last)"))"
        return ProxyError.takesBasic(refusal) ? offer : "\(offer), and this client speaks only Basic"
    }

    private static func takesBasic(_ refusal: HTTPRefusal) -> Bool {
        refusal.schemes.isEmpty || refusal.schemes.contains { ASCII.lowercased($0) == "basic" }
    }

    /// Its answer, if that is HTTP.
    package var refusal: HTTPRefusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }

    /// The host that its answer redirects to.
    var location: String? { refusal?.location.flatMap { URIReference.host(of: $0) } }

    /// What to do about it, without a period.
    ///
    /// - Parameter hasCredentials: whether the proxy was given a user and a password.
    package func advice(hasCredentials: Bool) -> String? {
        guard isAboutAuthorization else { return nil }
        if let refusal, !ProxyError.takesBasic(refusal) {
            return "Let the proxy take Basic, or use one on this machine that authorizes in this client's place"
        }
        if self == .noMethod(hasOfferedPassword: true) { return "Let the proxy take a user and a password" }
        return hasCredentials
            ? "Check the user and the password for the proxy" : "Give a user and a password for the proxy"
    }

    /// Whether the proxy requires a user and a password, or others.
    package var isAboutAuthorization: Bool {
        switch self {
        // Some proxies answer a wrong user or password with 401, which RFC 9110 §15.5.2 defines for servers.
        case .refused(let refusal): refusal.status == 407 || refusal.status == 401
        case .noMethod, .credentialsRefused: true
        case .head, .reply, .brokenRule, .ended, .broke: false
        }
    }

    /// Whether another attempt may succeed.
    package var isRetryable: Bool {
        switch self {
        case .refused(let refusal): refusal.status == 429 || refusal.status >= 500
        // General failures and failures between the proxy and the server; not its rules, nor unsupported commands.
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
