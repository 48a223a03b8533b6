extension TLSError {
    /// What the error means for a client, by the names of the public failure reasons.
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        /// A certificate of the chain has expired.
        case tlsExpired
        /// A certificate of the chain is not valid yet.
        case tlsNotYetValid
        /// The certificate does not name the host.
        case tlsHostMismatch
        /// No trusted authority issued the certificate.
        case tlsUnknownIssuer
        /// The certificate is signed by its own, untrusted key.
        case tlsSelfSigned
        /// No certificate of the chain matches a configured pin.
        case tlsPinMismatch
        /// The peer wants a client certificate, or refused ours.
        case tlsClientCertificate
        /// The handshake failed for another reason.
        case tlsHandshake
        /// The peer broke a rule of TLS, or does not speak it.
        case protocolViolation
    }

    /// What the error means for a client.
    package var reason: Reason {
        switch fault {
        case .certificate(let fault, _, _, _): Reason(fault)
        case .notTLS, .protocol: .protocolViolation
        case .alertReceived where isClientCertificateRefused, .clientCertificateMissing: .tlsClientCertificate
        case .alertReceived, .version, .cipher, .configuration, .internal: .tlsHandshake
        }
    }

    /// Whether the peer's certificate or ours was refused.
    package var isAboutCertificate: Bool {
        if case .certificate = fault { true } else { isClientCertificateRefused }
    }
}

extension TLSError.Reason {
    fileprivate init(_ fault: CertificateFault) {
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

extension TLSConfiguration {
    /// The error of a server that chose a protocol by ALPN which was not offered, which OpenSSL does not check
    /// (RFC 7301 §3.1); nil if it was offered.
    func violation(ofChoosing chosen: String) -> TLSError? {
        guard !applicationProtocols.contains(where: chosen.isExactly) else { return nil }
        return TLSError(
            operation: "SSL_get0_alpn_selected", code: 0,
            text: "it chose the application protocol “\(chosen.prefix(32))” by ALPN, which was not offered",
            fault: .protocol)
    }
}

extension TLSError {
    /// The error of a certificate whose names another library compared, without a match.
    package static func nameRefused(host: String) -> TLSError {
        TLSError(
            operation: "verify", code: 0, text: "",
            fault: .certificate(.hostMismatch, depth: 0, code: 0, text: "it does not name “\(host.prefix(64))”"))
    }
}
