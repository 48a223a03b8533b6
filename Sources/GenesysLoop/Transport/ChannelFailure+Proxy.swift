/// Failures on the way through a proxy, in the terms of a channel. Each names the proxy, and none its user and
/// password.
extension ChannelFailure {
    init(proxy fault: ProxyFault, of proxy: ProxyURI, now: WallTime) {
        let status = fault.refusal?.status
        self.init(
            reason: .proxy, phase: .proxy, status: status, retryAfter: fault.refusal?.delay(now: now),
            underlying: .init(operation: "proxy", code: status ?? 0, text: "the proxy \(proxy) \(fault.clause)"),
            isRetryable: fault.isRetryable)
        isProxyAuthorizationFault = fault.isAuthorizationFault
        proxyAdvice = fault.advice(hasCredentials: proxy.hasCredentials)
        if let refusal = fault.refusal {
            add(refusal, without: proxy.secretFilter)
            location = refusal.location.flatMap { URIReference.host(of: $0) }
        }
    }

    /// The environment names a proxy that cannot be used.
    init(unusable error: ProxyRules.Unusable) {
        self.init(
            reason: .proxy, phase: .proxy,
            underlying: .init(
                operation: "environment", code: 0,
                text: "the environment variable \(error.variable) names no usable proxy: "
                    + ChannelFailure.clause(error.error.description)),
            isRetryable: false)
    }

    /// TLS with the proxy itself failed. A certificate keeps its reason, which says what to do.
    init(tls error: TLSError, with proxy: ProxyURI) {
        self.init(tls: error, phase: .proxy)
        phase = .proxy
        if !isCertificateFault { reason = .proxy }
        underlying?.text = "the proxy \(proxy): \(ChannelFailure.clause(error.description))"
    }

    /// What kept a link from reaching the proxy; whatever else ended it is told as it is.
    func reaching(_ proxy: ProxyURI) -> ChannelFailure {
        var failure = self
        var below = underlying ?? .init(operation: "proxy", code: 0, text: message ?? "")
        let text = ChannelFailure.clause(below.text)
        switch reason {
        case .timeout:
            below.text = below.text.isEmpty ? "the proxy \(proxy)" : "the proxy \(proxy): \(below.text)"
        case .dns:
            below.text = "the name of the proxy \(proxy) could not be resolved: \(text)"
            (failure.reason, failure.phase) = (.proxy, .proxy)
        case .connect:
            below.text = "no connection to the proxy \(proxy) could be made: \(text)"
            (failure.reason, failure.phase) = (.proxy, .proxy)
        default:
            return self
        }
        failure.message = nil
        failure.underlying = below
        return failure
    }
}
