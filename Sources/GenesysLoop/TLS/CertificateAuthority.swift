/// Makes certificates for the simulator and for tests: good ones, and each kind of bad ones.
///
/// A value: it holds PEM, and can be kept in files.
package struct CertificateAuthority: Hashable, Sendable {
    /// Its own certificate and key.
    package let identity: CertificateIdentity
    /// Whether its own certificate belongs to the chain a server sends: true for intermediates.
    private let isIntermediate: Bool

    /// Makes a root.
    package init(commonName: String = "GenesysLoop Test Root") throws(TLSError) {
        try self.init(root: .authority(commonName))
    }

    /// Makes a root that says what the request says.
    package init(root request: CertificateRequest) throws(TLSError) {
        identity = try Self.selfSigned(request)
        isIntermediate = false
    }

    /// Lets the holder of any certificate sign others, whether it may or not.
    package init(intermediate identity: CertificateIdentity) {
        self.identity = identity
        isIntermediate = true
    }

    /// The authority's own certificate, in PEM: what a client must trust.
    package var certificatePEM: [UInt8] { identity.certificatePEM }

    /// Makes a key and a certificate signed by this authority.
    package func issue(_ request: CertificateRequest = CertificateRequest()) throws(TLSError) -> CertificateIdentity {
        let builder = try CertificateBuilder(request)
        let issuer = try OwnedCertificate(pem: identity.certificatePEM)
        let issuerKey = try OwnedKey(pem: identity.keyPEM)
        try builder.sign(issuer: issuer, key: issuerKey)
        return CertificateIdentity(
            certificatePEM: try builder.certificate.pem(),
            intermediatesPEM: isIntermediate ? identity.chainPEM : [], keyPEM: try builder.key.pem())
    }

    /// Makes an authority below this one.
    package func issueAuthority(_ request: CertificateRequest) throws(TLSError) -> CertificateAuthority {
        CertificateAuthority(intermediate: try issue(request))
    }

    /// Makes a certificate that is signed by its own key.
    package static func selfSigned(
        _ request: CertificateRequest = CertificateRequest()
    ) throws(TLSError) -> CertificateIdentity {
        let builder = try CertificateBuilder(request)
        try builder.signBySelf()
        return CertificateIdentity(
            certificatePEM: try builder.certificate.pem(), keyPEM: try builder.key.pem())
    }
}
