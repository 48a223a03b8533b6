package import GenesysLoop

/// Why a request has no answer.
///
/// Nothing in it is a secret: no path, no header, no body, no password of a proxy.
package enum HTTPFailure: Error, Hashable, Sendable {
    /// What the call was waiting for.
    package enum Phase: String, Hashable, Sendable {
        /// The name of the server or of the proxy.
        case dns
        /// TCP.
        case connect
        /// The handshake with the proxy.
        case proxy
        /// TLS with the server.
        case tls
        /// The answer.
        case answer
    }

    /// The request, or what the host configured, cannot be used: a sentence.
    case invalidRequest(String)
    /// libcurl, or how it was built, cannot be used: a sentence.
    case unusableLibrary(String)
    /// A variable of the environment names a proxy that cannot be used.
    case invalidProxyVariable(ProxyRules.InvalidVariable)
    /// The proxy needs TLS of its own, which requests do not support.
    case unsupportedProxy(ProxyURI)
    /// The host has no known address.
    case unresolved(ResolverError, proxy: ProxyURI?)
    /// No address accepted a TCP connection. `error` is the last one; `tried` has the result of each address.
    case unreachable(UVError, tried: [String], proxy: ProxyURI?)
    /// The connection or the whole call exceeded its deadline; `tried` has what it was waiting for, where that is
    /// known.
    case timeout(Phase, tried: [String], proxy: ProxyURI?)
    /// The proxy did not open a tunnel.
    case proxy(ProxyError, of: ProxyURI)
    /// TLS with the server failed, or the configuration of TLS cannot be used.
    case tls(TLSError)
    /// The body of the answer is larger than the limit, in bytes.
    case bodyTooLarge(limit: Int)
    /// The connection ended or broke before the answer was complete.
    case closed(during: Phase, UVError?)
    /// The connection ended or broke within the body of an answer that accepts the request.
    case truncated(UVError?)
    /// The server broke a rule of HTTP: a clause about it.
    case violation(String)
    /// Something of libcurl failed: its code, and its text for the code.
    case `internal`(code: Int, String)
}

extension HTTPFailure {
    /// The reason, in the words of the channel's failures.
    package var reason: FailureReason {
        switch self {
        case .invalidRequest: .invalidURI
        case .unusableLibrary, .internal: .ambiguous
        case .unresolved(let error, proxy: nil): error.isAboutInterface ? .connect : .dns
        case .unreachable(_, _, proxy: nil): .connect
        case .unresolved, .unreachable, .invalidProxyVariable, .unsupportedProxy, .proxy: .proxy
        case .timeout: .timeout
        case .tls(let error): FailureReason(rawValue: error.reason.rawValue)
        case .bodyTooLarge: .messageTooLarge
        case .closed: .connectionClosed
        case .truncated: .invalidMessage
        case .violation: .protocolViolation
        }
    }

    /// Whether another attempt may succeed.
    package var isRetryable: Bool {
        switch self {
        case .unresolved(let error, _): !error.isNoSuchName
        case .proxy(let error, _): error.isRetryable
        case .unreachable, .timeout, .closed, .truncated: true
        case .tls(let error): !error.isAboutCertificate && error.fault != .configuration
        case .invalidRequest, .unusableLibrary, .invalidProxyVariable, .unsupportedProxy, .bodyTooLarge, .violation,
            .internal:
            false
        }
    }

    /// Whether the peer's certificate or ours was refused.
    package var isAboutCertificate: Bool {
        if case .tls(let error) = self { error.isAboutCertificate } else { false }
    }

    /// Whether the proxy requires a user and a password, or others.
    package var isAboutProxyAuthorization: Bool {
        if case .proxy(let error, _) = self { error.isAboutAuthorization } else { false }
    }

    /// What to do about it, without a period, where the cause knows more than the reason.
    package var advice: String? {
        switch self {
        case .unreachable(let error, _, proxy: nil) where error.isDescriptorShortage:
            "Raise the limit of open files, or close some"
        case .proxy(let error, let proxy): error.advice(hasCredentials: proxy.hasCredentials)
        case .truncated: "Try again. If it fails again, check whether a gateway or a proxy ends the connection"
        case .unsupportedProxy: "Use an http:// or socks5:// proxy, for example one on this machine"
        default: nil
        }
    }
}

extension HTTPFailure: CustomStringConvertible {
    /// What happened, as a sentence.
    package var description: String { TLSError.capitalized(clause) + "." }

    /// What happened, as a clause.
    package var clause: String {
        switch self {
        case .invalidRequest(let sentence), .unusableLibrary(let sentence): Sentence.clause(sentence)
        case .invalidProxyVariable(let error): error.clause
        case .unsupportedProxy(let proxy): "an https:// proxy such as \(proxy) is not supported for requests yet"
        case .unresolved(let error, let proxy):
            HTTPFailure.clause(error.isAboutInterface ? "no connection to" : "the name of", proxy)
                + (error.isAboutInterface ? " could be made: " : " could not be resolved: ")
                + Sentence.clause(error.text)
        case .unreachable(_, let tried, let proxy):
            "\(HTTPFailure.clause("no connection to", proxy)) could be made: \(tried.joined(separator: "; "))"
        case .timeout(let phase, let tried, let proxy):
            "\(phase.name(proxy)) took longer than its deadline"
                + (tried.isEmpty ? "" : " (\(tried.joined(separator: "; ")))")
        case .proxy(let error, let proxy): "the proxy \(proxy) \(error.clause)"
        case .tls(let error): error.clause
        case .bodyTooLarge(let limit): "the body of the answer is larger than \(limit) bytes"
        case .closed(.answer, let error):
            "the server ended the connection before its answer was complete" + HTTPFailure.suffix(error)
        case .truncated(let error):
            "the server accepted the request, but ended the connection before its answer was complete"
                + HTTPFailure.suffix(error)
        case .closed(let phase, let error):
            "the connection ended before \(phase.name(nil)) was complete" + HTTPFailure.suffix(error)
        case .violation(let clause): "the server broke HTTP: \(clause)"
        case .internal(let code, let text): "libcurl failed with code \(code): \(Sentence.clause(text))"
        }
    }

    private static func clause(_ beginning: String, _ proxy: ProxyURI?) -> String {
        "\(beginning) \(proxy.map { "the proxy \($0)" } ?? "the server")"
    }

    private static func suffix(_ error: UVError?) -> String {
        error.map { " (\($0.text))" } ?? ""
    }
}

extension HTTPFailure.Phase {
    fileprivate func name(_ proxy: ProxyURI?) -> String {
        let ofProxy = proxy.map { " of the proxy \($0)" } ?? ""
        switch self {
        case .dns: return "the name resolution\(ofProxy)"
        case .connect: return "the connection\(proxy.map { " to the proxy \($0)" } ?? "")"
        case .proxy: return "the handshake\(proxy.map { " with the proxy \($0)" } ?? " with the proxy")"
        case .tls: return "the TLS handshake"
        case .answer: return "the answer"
        }
    }
}
