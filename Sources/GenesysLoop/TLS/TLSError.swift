/// Why TLS could not be set up, or broke.
///
/// `description` is one sentence that says what happened. It can hold the host's name, names and dates of the peer's
/// certificate, and paths of files the user named; never a key, a target or a payload.
package struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Who is at fault, and how.
    package enum Fault: Hashable, Sendable {
        /// The peer's chain was refused. `depth` 0 is the peer's own certificate, 1 its issuer and so on; `code` is
        /// OpenSSL's X.509 verification code; `text` says in words what is wrong.
        case certificate(CertificateFault, depth: Int, code: Int, text: String)
        /// The peer ended TLS with a fatal alert (RFC 8446 §6.2): its number and name.
        case alertReceived(Int, String)
        /// The server wants a client certificate, none that suits it is configured, and it ended TLS with this alert.
        case clientCertificateMissing(alert: Int, String)
        /// The first bytes of the peer are no TLS record: it speaks something else, plain HTTP for example.
        case notTLS
        /// The peer broke the rules of TLS: a bad record MAC, an unexpected or malformed message.
        case `protocol`
        /// The peer offered no version that we accept.
        case version
        /// No cipher, group or signature algorithm in common, or one below our security level.
        case cipher
        /// A file or value of the configuration cannot be used; the error's `text` is the sentence.
        case configuration
        /// OpenSSL failed for a reason of its own, or it was used wrongly.
        case `internal`
    }

    /// The operation that failed, for example `SSL_do_handshake`.
    package var operation: String
    /// OpenSSL's packed error code (see `openssl errstr`), or the X.509 code of a refused chain; 0 if there is none.
    package var code: Int
    /// What OpenSSL's error queue said, oldest first; the sentence itself when the fault is `configuration`.
    package var text: String
    /// Who is at fault, and how.
    package var fault: Fault

    package init(operation: String, code: Int, text: String, fault: Fault) {
        self.operation = operation
        self.code = code
        self.text = text
        self.fault = fault
    }

    /// One sentence.
    package var description: String {
        switch fault {
        case .certificate(_, _, _, let text):
            "The peer's certificate is not trusted: \(text)."
        case .alertReceived(TLSError.noApplicationProtocol, let name):
            "The peer takes no application protocol that was offered to it by ALPN: it ended TLS with the alert “\(name)” "
                + "(\(TLSError.noApplicationProtocol)). Offer one that it speaks, or none."
        case .alertReceived(let number, let name):
            "The peer ended TLS with the alert “\(name)” (\(number))."
        case .clientCertificateMissing(let number, let name):
            "The server wants a client certificate, and none that suits it is configured: it ended TLS with the "
                + "alert “\(name)” (\(number))."
        case .notTLS:
            "The peer does not speak TLS on this port: its first bytes are no TLS record."
        case .protocol:
            "The peer broke the TLS protocol: \(text)."
        case .version:
            "The peer offers no acceptable TLS version: \(text)."
        case .cipher:
            "No acceptable TLS algorithm in common with the peer: \(text)."
        case .configuration:
            text
        case .internal:
            "OpenSSL failed in \(operation): \(text)."
        }
    }

    /// RFC 7301 §3.2: the alert no_application_protocol.
    private static let noApplicationProtocol = 120

    /// A text with an upper-case letter at its beginning.
    static func capitalized(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }

    /// Whether both sides speak TLS but could not agree on a version or an algorithm.
    ///
    /// The alerts counted are handshake_failure, protocol_version, insufficient_security and inappropriate_fallback
    /// (RFC 8446 §6.2).
    package var isNegotiationFailure: Bool {
        switch fault {
        case .version, .cipher: true
        case .alertReceived(let number, _): [40, 70, 71, 86].contains(number)
        case .certificate, .clientCertificateMissing, .notTLS, .protocol, .configuration, .internal: false
        }
    }

    /// Whether the peer wants a client certificate, or refused ours: the alerts bad_certificate to
    /// certificate_unknown, unknown_ca, access_denied and certificate_required (RFC 8446 §6.2).
    package var isClientCertificateRefused: Bool {
        switch fault {
        case .clientCertificateMissing: true
        case .alertReceived(let number, _): (41...46).contains(number) || [48, 49, 116].contains(number)
        case .certificate, .notTLS, .protocol, .version, .cipher, .configuration, .internal: false
        }
    }

    static func configuration(_ sentence: String, operation: String = "configure") -> TLSError {
        TLSError(operation: operation, code: 0, text: sentence, fault: .configuration)
    }

    static func `internal`(_ operation: String, _ text: String) -> TLSError {
        TLSError(operation: operation, code: 0, text: text, fault: .internal)
    }
}
