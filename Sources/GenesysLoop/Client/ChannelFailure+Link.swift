/// A channel's view of a link's failure. The machine of the channel decides the kind.
extension ChannelFailure {
    init(_ failure: LinkFailure) {
        let answer = failure.answer
        self.init(
            reason: FailureReason(failure), phase: Phase(failure.phase), message: answer?.message ?? failure.message,
            status: answer?.status, retryAfter: answer?.retryAfter, underlying: Underlying(failure),
            isRetryable: failure.isRetryable, isCertificateFault: failure.isAboutCertificate,
            causeText: CauseText(
                clause: failure.clause, closeReason: failure.closeFrame?.safeReason ?? "", advice: failure.advice))
        correlationID = answer?.correlationID
        location = answer?.location
        isProxyAuthorizationFault = failure.isAboutProxyAuthorization
    }

    /// Rethrows the failure of a link as that of a channel.
    static func rethrowing<Result>(_ body: () throws(LinkFailure) -> Result) throws(ChannelFailure) -> Result {
        do throws(LinkFailure) {
            return try body()
        } catch {
            throw ChannelFailure(error)
        }
    }
}

extension LinkEnd {
    init(_ failure: LinkFailure) {
        self.init(failure: ChannelFailure(failure), closeCode: failure.closeFrame?.code.rawValue)
    }
}

extension ChannelFailure.Phase {
    init(_ phase: LinkFailure.Phase) {
        switch phase {
        case .dns: self = .dns
        case .connect: self = .connect
        case .proxy: self = .proxy
        case .tls: self = .tls
        case .upgrade: self = .upgrade
        case .open: self = .open
        case .close: self = .close
        }
    }
}

extension FailureReason {
    init(_ failure: LinkFailure) {
        switch failure {
        case .invalidURI, .invalidHeader: self = .invalidURI
        case .unresolved(let error, proxy: nil): self = error.isAboutInterface ? .connect : .dns
        case .unreachable(_, _, proxy: nil): self = .connect
        case .unresolved, .unreachable, .invalidProxyVariable, .proxy: self = .proxy
        // The reason of a certificate says what to do, whether the server or the proxy showed it.
        case .proxyTLS(let error, _): self = error.isAboutCertificate ? FailureReason(error) : .proxy
        case .tls(let error, _): self = FailureReason(error)
        case .timeout: self = .timeout
        case .refused(let refusal): self = FailureReason(status: refusal.answer.status)
        case .invalidHandshake: self = .invalidHandshake
        case .violation(let violation):
            self = violation.closeCode == .messageTooBig ? .messageTooLarge : .protocolViolation
        case .tunnelTLS, .closed, .ended, .broke, .abandoned: self = .connectionClosed
        }
    }

    private init(status: Int) {
        switch status {
        case 401: self = .httpUnauthorized
        case 403: self = .httpForbidden
        case 404: self = .httpNotFound
        case 429: self = .httpTooManyRequests
        default: self = .invalidStatusCode
        }
    }

    private init(_ error: TLSError) {
        self.init(rawValue: error.reason.rawValue)
    }
}

extension ChannelFailure.Underlying {
    /// The public record of the cause: its operation, code and text.
    init?(_ failure: LinkFailure) {
        let clause = failure.clause ?? ""
        switch failure {
        case .invalidURI, .invalidHeader, .abandoned: return nil
        case .timeout(let phase, let tried, let proxy): self.init(timeout: phase, tried, proxy)
        case .unresolved(let error, let proxy):
            let operation = error.isAboutInterface ? "if_nametoindex" : "getaddrinfo"
            self.init(operation: operation, code: Int(error.code), text: proxy == nil ? error.text : clause)
        case .unreachable(let error, let tried, let proxy):
            self.init(error, text: proxy == nil ? tried.joined(separator: "; ") : clause)
        case .broke(let error, _): self.init(error, text: error.text)
        case .invalidProxyVariable: self.init(operation: "environment", code: 0, text: clause)
        case .proxy(let error, _, _): self.init(operation: "proxy", code: error.refusal?.status ?? 0, text: clause)
        case .proxyTLS(let error, _): self.init(operation: error.operation, code: error.code, text: clause)
        case .tls(let error, _): self.init(operation: error.operation, code: error.code, text: error.description)
        case .tunnelTLS(let error, let proxy, _):
            self.init(operation: "TLS with the proxy \(proxy)", code: error.code, text: error.clause)
        case .refused(let refusal):
            guard let error = refusal.redirectError else { return nil }
            self.init(operation: "RFC 9110 §15.4", code: refusal.answer.status, text: error.description)
        case .invalidHandshake(let rule, let section): self.init(operation: section, code: 0, text: rule)
        case .violation(let violation):
            self.init(
                operation: violation.section, code: Int(violation.closeCode.rawValue), text: violation.description)
        case .closed(let frame, _):
            self.init(operation: "close", code: Int(frame.code.rawValue), text: frame.safeReason)
        case .ended: self.init(operation: "read", code: Int(CloseCode.abnormalClosure.rawValue), text: clause)
        }
    }

    private init(_ error: UVError, text: String) {
        self.init(operation: error.operation, code: Int(error.code), text: text)
    }

    /// Nil in a phase of the server's: the phase says what the link was waiting for.
    private init?(timeout phase: LinkFailure.Phase, _ tried: [String], _ proxy: ProxyURI?) {
        let operation: String
        switch phase {
        case .dns: operation = "getaddrinfo"
        case .connect: operation = "connect"
        case .proxy: operation = "proxy"
        case .tls, .upgrade, .open, .close: return nil
        }
        let peer = proxy.map { ["the proxy \($0)"] } ?? []
        let results = tried.isEmpty ? [] : [tried.joined(separator: "; ")]
        self.init(operation: operation, code: 0, text: (peer + results).joined(separator: ": "))
    }
}
