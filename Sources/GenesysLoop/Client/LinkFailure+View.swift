/// What the public views of a failure need beside its cause.
extension LinkFailure {
    /// Whether another attempt may succeed; nil where the reason decides.
    var isRetryable: Bool? {
        switch self {
        case .unresolved(let error, _): !error.isNoSuchName
        case .unreachable: true
        case .proxy(let error, _, _): error.isRetryable
        case .invalidURI, .invalidHeader, .invalidProxyVariable, .timeout, .proxyTLS, .tunnelTLS, .tls, .refused,
            .invalidHandshake, .violation, .closed, .ended, .broke, .abandoned:
            nil
        }
    }

    /// Whether the peer's certificate or ours was refused.
    var isAboutCertificate: Bool {
        switch self {
        case .tls(let error, _), .proxyTLS(let error, _): error.isAboutCertificate
        default: false
        }
    }

    /// Whether the proxy requires a user and a password, or others.
    var isAboutProxyAuthorization: Bool {
        if case .proxy(let error, _, _) = self { error.isAboutAuthorization } else { false }
    }

    /// What to do about it, without a period, where the cause knows more than the reason.
    var advice: String? {
        switch self {
        case .unreachable(let error, _, proxy: nil) where error.isDescriptorShortage:
            "Raise the limit of open files, or close some"
        case .proxy(let error, let proxy, _): error.advice(hasCredentials: proxy.hasCredentials)
        default: nil
        }
    }

    /// The sentence about a URI or a header of the host's.
    var message: String? {
        switch self {
        case .invalidURI(let error): error.description
        case .invalidHeader(let error): error.description
        default: nil
        }
    }

    /// The Close frame that ended the link; nil without one.
    var closeFrame: CloseFrame? {
        if case .closed(let frame, _) = self { frame } else { nil }
    }

    /// The HTTP answer of the server or of the proxy; nil without one.
    var answer: ReportedAnswer? {
        switch self {
        case .refused(let refusal):
            ReportedAnswer(
                refusal.answer, at: refusal.time, without: refusal.uri.secretFilter,
                location: refusal.answer.location.flatMap { URIReference.host(of: $0, against: refusal.uri) })
        case .proxy(let error, let proxy, let time):
            error.refusal.map { ReportedAnswer($0, at: time, without: proxy.secretFilter, location: error.location) }
        default: nil
        }
    }
}

/// An HTTP answer that refused the upgrade or CONNECT, as failures report it: without secrets.
struct ReportedAnswer {
    let status: Int
    let retryAfter: Duration?
    /// An excerpt of its body.
    let message: String?
    let correlationID: String?
    /// The host of its `Location`.
    let location: String?

    init(_ refusal: HTTPRefusal, at time: WallTime, without secrets: SecretFilter, location: String?) {
        status = refusal.status
        retryAfter = refusal.delay(now: time)
        message = refusal.words.map(secrets.filtered).flatMap { PeerText.excerpt($0) }
        correlationID = refusal.correlationID.map(secrets.filtered)
        self.location = location
    }
}

extension RedirectTrail {
    /// Follows the redirect of an answer.
    ///
    /// - Returns: false if it has none, or if redirects are off.
    /// - Throws: the refusal, with the reason why its redirect is not followed.
    mutating func follow(_ refusal: RefusedUpgrade) throws(LinkFailure) -> Bool {
        do throws(RedirectError) {
            return try follow(status: refusal.answer.status, location: refusal.answer.location)
        } catch {
            var refusal = refusal
            refusal.redirectError = error
            throw .refused(refusal)
        }
    }
}
