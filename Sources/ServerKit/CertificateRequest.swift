/// The contents of a certificate made for the simulator or a test.
///
/// The defaults make a valid server certificate.
package struct CertificateRequest: Hashable, Sendable {
    /// The kind of key.
    package enum Key: Hashable, Sendable {
        /// The elliptic curve P-256.
        case p256
        /// Ed25519 (RFC 8410).
        case ed25519
        /// RSA, with this many bits.
        case rsa(bits: Int)
    }

    /// The digest of the issuer's signature.
    package enum Digest: Hashable, Sendable {
        /// SHA-1, too weak for security level 2.
        case sha1
        /// SHA-256.
        case sha256
    }

    /// What the certificate may be used for (extended key usage).
    package enum Purpose: Hashable, Sendable {
        /// Servers only.
        case server
        /// Clients only.
        case client
        /// Both.
        case serverAndClient
        /// No extension: any purpose.
        case any
    }

    /// An entry of the subjectAltName.
    package enum Name: Hashable, Sendable {
        /// A DNS name or wildcard, taken as it is.
        case dns(String)
        /// An IPv4 or IPv6 address.
        case ip(String)
    }

    /// The common name of the subject, at most 64 bytes.
    package var commonName: String
    /// The entries of the subjectAltName; empty omits the extension.
    package var names: [Name]
    /// The start of the validity, from now; may be negative.
    package var notBefore: Duration = .seconds(-3_600)
    /// The end of the validity, from now; may be negative.
    package var notAfter: Duration = .seconds(30 * 86_400)
    /// How many authorities may follow below this one; nil for any number.
    package var pathLength: Int?
    /// The DNS names, with their subdomains, that an authority may certify; empty for any.
    package var permittedNames: [String] = []
    /// The kind of key made for it.
    package var key: Key = .p256
    /// The digest of the issuer's signature.
    package var digest: Digest = .sha256
    /// What it may be used for.
    package var purpose: Purpose = .server
    /// Whether the basic constraints say that it is a certificate authority.
    package var isAuthority = false
    /// Whether the key usage permits signing certificates; nil to follow `isAuthority`.
    ///
    /// True without `isAuthority` makes the certificate of an issuer that lacks basic constraints.
    package var maySignCertificates: Bool?

    /// Creates a request.
    package init(commonName: String = "localhost", names: [Name] = [.dns("localhost"), .ip("127.0.0.1"), .ip("::1")]) {
        self.commonName = commonName
        self.names = names
    }

    /// A request for an authority: no names, any purpose.
    package static func authority(_ commonName: String) -> CertificateRequest {
        var request = CertificateRequest(commonName: commonName, names: [])
        request.purpose = .any
        request.isAuthority = true
        return request
    }
}
