internal import COpenSSL

/// What a client's TLS handshake found, for a diagnosis: also one that failed.
package struct HandshakeReport: Hashable, Sendable {
    /// Whether the server asked for a certificate, and what it got.
    package enum ClientCertificate: Hashable, Sendable {
        case notRequested
        /// None is configured, or none that suits the server's request.
        case missing
        case sent
    }

    /// What the client trusts.
    package var trust: TrustReport?
    /// Nil if the server has not chosen yet.
    package var negotiated: TLSSession.Summary?
    /// The certificates as the server sent them, its own first; empty if none arrived.
    package var chain: [CertificateSummary] = []
    package var clientCertificate = ClientCertificate.notRequested

    package init(trust: TrustReport?) {
        self.trust = trust
    }
}

/// The names and the dates of a certificate. What the peer wrote into it is printable and truncated.
package struct CertificateSummary: Hashable, Sendable {
    package var subject: String
    package var issuer: String
    /// Nil if unreadable, as `notAfter`.
    package var notBefore: WallTime?
    package var notAfter: WallTime?

    package init(subject: String, issuer: String, notBefore: WallTime?, notAfter: WallTime?) {
        self.subject = subject
        self.issuer = issuer
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// A peer may send any number of certificates.
    private static let maxCount = 16

    /// The certificates of a list, which is borrowed for the call; none for nil.
    static func all(of list: OpaquePointer?) -> [CertificateSummary] {
        let count = unsafe min(cossl_x509_count(list), Int32(maxCount))
        return (0..<count).map { unsafe CertificateDescription(cossl_x509_at(list, $0), depth: Int($0)).summary }
    }
}
