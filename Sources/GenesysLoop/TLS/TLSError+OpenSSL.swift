internal import COpenSSL

extension TLSError {
    /// What is known of a session when one of its calls fails.
    struct Circumstances {
        /// What the verification of the peer's chain found, if it refused it.
        var finding: CertificateFinding?
        /// Whether the first bytes of the peer looked like a TLS record; true if none has come.
        var looksLikeTLS: Bool
        /// Whether the handshake had been completed.
        var isEstablished: Bool
        /// Whether the server asked for a certificate, and none is configured.
        var isCertificateMissing = false
    }

    /// Builds the error of a call that failed, from what the error queue said of it.
    init(_ operation: String, _ queue: ErrorQueue, _ circumstances: Circumstances) {
        if let finding = circumstances.finding {
            self.init(operation: operation, code: finding.code, text: queue.text, fault: finding.asFault)
            return
        }
        var fault =
            if !circumstances.isEstablished && !circumstances.looksLikeTLS {
                Fault.notTLS
            } else {
                queue.essential.map { Fault($0, isEstablished: circumstances.isEstablished) } ?? .internal
            }
        // Before TLS 1.3 a server says handshake_failure (RFC 5246 §7.4.6).
        if circumstances.isCertificateMissing, case .alertReceived(let number, let name) = fault,
            (40...46).contains(number) || [48, 49, 116].contains(number)
        {
            fault = .clientCertificateMissing(alert: number, name)
        }
        self.init(operation: operation, code: Int(queue.essential?.code ?? 0), text: queue.text, fault: fault)
    }

    /// Builds the error of a call that has nothing to do with a peer.
    static func draining(_ operation: String) -> TLSError {
        let queue = ErrorQueue.drain()
        return TLSError(
            operation: operation, code: Int(queue.essential?.code ?? 0), text: queue.text, fault: .internal)
    }
}

extension TLSError.Fault {
    /// Classifies an entry of the error queue.
    fileprivate init(_ entry: ErrorQueue.Entry, isEstablished: Bool) {
        guard entry.library == Int(ERR_LIB_SSL) else {
            // A record or message that libcrypto refused (malformed keys, points, certificates) came from the peer.
            self = entry.library == Int(ERR_LIB_SYS) ? .internal : .protocol
            return
        }
        let alertOffset = Int(SSL_AD_REASON_OFFSET)
        switch entry.reason {
        case alertOffset..<(alertOffset + 256):
            self = .received(alert: entry.reason - alertOffset)
        case Int(SSL_R_HTTP_REQUEST), Int(SSL_R_HTTPS_PROXY_REQUEST):
            self = .notTLS
        case Int(SSL_R_WRONG_VERSION_NUMBER) where isEstablished:
            self = .protocol
        case _ where Self.versionReasons.contains(entry.reason):
            self = .version
        case _ where Self.cipherReasons.contains(entry.reason):
            self = .cipher
        case _ where entry.reason & Int(ERR_RFLAG_FATAL) != 0:
            self = .internal
        default:
            self = .protocol
        }
    }

    static func received(alert number: Int) -> Self {
        switch number {  // names of RFC 8446 §6 that OpenSSL 3.0 lacks
        case 86: return .alertReceived(number, "inappropriate fallback")
        case 109: return .alertReceived(number, "missing extension")
        case 116: return .alertReceived(number, "certificate required")
        default:
            // The string is a constant of OpenSSL's.
            let name = unsafe SSL_alert_desc_string_long(Int32(number)).map { unsafe String(cString: $0) }
            return .alertReceived(number, name ?? "unknown")
        }
    }

    /// Reasons that mean: the versions do not meet.
    private static let versionReasons: Set<Int> = Set(
        [
            SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION, SSL_R_WRONG_VERSION_NUMBER, SSL_R_VERSION_TOO_LOW,
            SSL_R_VERSION_TOO_HIGH, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_UNKNOWN_SSL_VERSION,
            SSL_R_UNSUPPORTED_SSL_VERSION, SSL_R_UNKNOWN_PROTOCOL, SSL_R_BAD_PROTOCOL_VERSION_NUMBER,
            SSL_R_INAPPROPRIATE_FALLBACK,
        ].map(Int.init))

    /// Reasons that mean: no cipher, group or signature algorithm, or one that is too weak.
    private static let cipherReasons: Set<Int> = Set(
        [
            SSL_R_NO_SHARED_CIPHER, SSL_R_WRONG_CIPHER_RETURNED, SSL_R_UNKNOWN_CIPHER_RETURNED,
            SSL_R_NO_CIPHERS_AVAILABLE, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SHARED_GROUPS,
            SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_WRONG_SIGNATURE_TYPE,
            SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED, SSL_R_DH_KEY_TOO_SMALL, SSL_R_EE_KEY_TOO_SMALL,
            SSL_R_CA_KEY_TOO_SMALL, SSL_R_WRONG_CURVE, SSL_R_UNSUPPORTED_ELLIPTIC_CURVE,
        ].map(Int.init))
}
