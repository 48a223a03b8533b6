/// Failures of the layers below, in the terms of a channel. The kind is set by the channel's machine.
extension ChannelFailure {
    init(resolver error: ResolverError) {
        guard !error.isAboutInterface else {
            self.init(
                reason: .connect, phase: .connect,
                underlying: .init(operation: "if_nametoindex", code: Int(error.code), text: error.text))
            return
        }
        self.init(
            reason: .dns, phase: .dns,
            underlying: .init(operation: "getaddrinfo", code: Int(error.code), text: error.text),
            isRetryable: !error.isNoSuchName)
    }

    init(connect error: UVError, addresses: [String]) {
        self.init(
            reason: .connect, phase: .connect,
            underlying: .init(
                operation: error.operation, code: Int(error.code), text: addresses.joined(separator: "; ")))
    }

    init(connection error: UVError, phase: Phase) {
        self.init(
            reason: .connectionClosed, phase: phase,
            underlying: .init(operation: error.operation, code: Int(error.code), text: error.text))
    }

    init(violation: WebSocketViolation) {
        let isTooLarge = violation.closeCode == .messageTooBig
        self.init(
            reason: isTooLarge ? .messageTooLarge : .protocolViolation, phase: .open,
            underlying: .init(
                operation: violation.section, code: Int(violation.closeCode.rawValue), text: violation.description))
    }

    init(upgrade failure: UpgradeFailure, of uri: WebSocketURI, now: WallTime) {
        switch failure {
        case .refused(let refusal):
            let reason: FailureReason
            switch refusal.status {
            case 401: reason = .httpUnauthorized
            case 403: reason = .httpForbidden
            case 404: reason = .httpNotFound
            case 429: reason = .httpTooManyRequests
            default: reason = .invalidStatusCode
            }
            self.init(reason: reason, phase: .upgrade, status: refusal.status, retryAfter: refusal.delay(now: now))
            add(refusal, without: uri.secretFilter)
            location = refusal.location.flatMap { URIReference.host(of: $0, against: uri) }
        case .invalid(let reason, let section):
            self.init(invalid: reason, section: section)
        }
    }

    /// The answer to the upgrade breaks a rule.
    init(invalid reason: String, section: String) {
        self.init(
            reason: .invalidHandshake, phase: .upgrade, underlying: .init(operation: section, code: 0, text: reason))
    }

    /// Adds what the peer says about a refusal.
    mutating func add(_ refusal: HTTPRefusal, without secrets: SecretFilter) {
        message = refusal.words.map(secrets.filtered).flatMap(PeerText.excerpt)
        correlationID = refusal.correlationID.map(secrets.filtered)
    }

    init(tls error: TLSError, phase: Phase) {
        let underlying = Underlying(operation: error.operation, code: error.code, text: error.description)
        switch error.fault {
        case .certificate(let fault, _, _, _):
            self.init(
                reason: FailureReason(certificate: fault), phase: phase, underlying: underlying, isRetryable: false,
                isCertificateFault: true)
        case .notTLS, .protocol:
            self.init(reason: .protocolViolation, phase: phase, underlying: underlying)
        case .alertReceived where error.isClientCertificateRefused, .clientCertificateMissing:
            // With TLS 1.3 the refusal comes after the client's handshake is complete (RFC 8446 §4.4.2.4).
            self.init(
                reason: .tlsClientCertificate, phase: .tls, underlying: underlying, isRetryable: false,
                isCertificateFault: true)
        case .alertReceived, .version, .cipher, .configuration, .internal:
            self.init(reason: .tlsHandshake, phase: phase, underlying: underlying)
        }
    }
}

extension FailureReason {
    init(certificate fault: CertificateFault) {
        switch fault {
        case .expired: self = .tlsExpired
        case .notYetValid: self = .tlsNotYetValid
        case .hostMismatch: self = .tlsHostMismatch
        case .unknownIssuer, .notAuthority, .badSignature: self = .tlsUnknownIssuer
        case .selfSigned: self = .tlsSelfSigned
        case .pinMismatch: self = .tlsPinMismatch
        case .pathTooLong, .nameNotPermitted, .wrongPurpose, .weakKey, .weakSignature, .other: self = .tlsHandshake
        }
    }
}
