import GenesysLoop

/// The advice of `doctor` about a failure, which names the tool's options.
extension ChannelFailure {
    /// What is known beside a failure.
    struct Circumstances {
        /// Host and port of what is connected to.
        let target: String
        /// Whether a client certificate is configured.
        let hasIdentity: Bool
        /// What this machine's clock says.
        let now: WallTime
    }

    /// What to do about it: never empty.
    func advice(_ circumstances: Circumstances) -> String {
        switch phase {
        case .proxy: proxyAdvice(circumstances)
        case .tls: tlsAdvice(circumstances)
        case .upgrade: upgradeAdvice(circumstances)
        case .subscribe, .open, .close: serviceAdvice
        case .token, .provision: restAdvice(circumstances)
        case .dns, .connect: advice
        }
    }

    /// A call of the REST side has one phase for all of its steps.
    private func restAdvice(_ circumstances: Circumstances) -> String {
        switch reason {
        case .proxy: proxyAdvice(circumstances)
        case .tlsExpired, .tlsNotYetValid, .tlsUnknownIssuer, .tlsSelfSigned, .tlsHostMismatch, .tlsPinMismatch,
            .tlsClientCertificate, .tlsHandshake:
            tlsAdvice(circumstances)
        case .httpTooManyRequests: wait
        case .invalidStatusCode where (status ?? 0) >= 500: wait
        default: advice
        }
    }

    private func proxyAdvice(_ circumstances: Circumstances) -> String {
        if isProxyAuthorizationFault || status == 407 {
            return "\(advice) --proxy-credentials-file FILE takes user:password."
        }
        if isCertificateFault {
            return "Give the authority of the proxy's certificate with --proxy-ca-file if you trust it."
        }
        let target = circumstances.target
        switch status {
        case 403?, 405?: return "Ask those who run the proxy to let it connect to \(target), or use another proxy."
        case .some: return "Check that the proxy can reach \(target); its own log says more."
        case nil:
            return "Check the proxy's scheme, host and port (--proxy, or the environment), and that it runs; "
                + "--no-proxy connects without it."
        }
    }

    private func tlsAdvice(_ circumstances: Circumstances) -> String {
        switch reason {
        case .tlsExpired, .tlsNotYetValid:
            "Check that certificate and this machine's clock, which says \(circumstances.now)."
        case .tlsUnknownIssuer, .tlsSelfSigned:
            "Give the authority's certificate with --ca-file if you trust it. A server must send its intermediate "
                + "certificates, and a firewall that reads TLS shows its own."
        case .tlsHostMismatch: advice
        case .tlsPinMismatch: "\(advice) --pin may be given again."
        case .tlsClientCertificate where circumstances.hasIdentity:
            "Ask those who run the server which certificates it accepts, and check the one of --client-certificate."
        case .tlsClientCertificate: "Give a certificate with --client-certificate and its key with --client-key."
        case .protocolViolation: "Check the port: a server of wss:// speaks TLS. \(advice)"
        case .timeout, .connectionClosed:
            "Check the port, and whether a firewall or a load balancer before the server ends or ignores TLS."
        case .tlsHandshake where isCertificateFault: "Let the server have a certificate without this fault."
        default: "Let the server offer TLS 1.2 or later and a current cipher; check --alpn too."
        }
    }

    private func upgradeAdvice(_ circumstances: Circumstances) -> String {
        switch reason {
        case .httpTooManyRequests: "\(wait) Open fewer channels at a time."
        case .invalidStatusCode where (status ?? 0) >= 500: wait
        case .timeout, .connectionClosed:
            "Check the port and the path of the URI, and whether something before the server does not let "
                + "WebSockets through."
        case .invalidHandshake: "Check that the URI names a WebSocket. \(advice)"
        default: advice
        }
    }

    private var serviceAdvice: String {
        switch reason {
        case .subscriptionRefused: "Check the topics, and the permissions that they need."
        case .subscriptionTimeout: "Check that the URI is that of a notifications channel. \(advice)"
        case .httpTooManyRequests: wait
        default: advice
        }
    }

    private var wait: String {
        retryAfter.map { "Try again after \($0.components.seconds) s." } ?? advice
    }
}
