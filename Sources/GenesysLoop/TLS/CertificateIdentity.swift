/// A certificate with its key and its intermediate issuers.
package struct CertificateIdentity: Hashable, Sendable {
    /// The certificate alone, in PEM.
    package var certificatePEM: [UInt8]
    /// The intermediate issuers in PEM, nearest first, without the root; often none.
    package var intermediatesPEM: [UInt8]
    /// The private key in PEM.
    package var keyPEM: [UInt8]

    package init(certificatePEM: [UInt8], intermediatesPEM: [UInt8] = [], keyPEM: [UInt8]) {
        self.certificatePEM = certificatePEM
        self.intermediatesPEM = intermediatesPEM
        self.keyPEM = keyPEM
    }

    /// Whether the certificate has an address or a name in its subjectAltName.
    package func isValid(for host: String) -> Bool {
        (try? OwnedCertificate(pem: certificatePEM).isValid(for: host)) ?? false
    }

    /// The certificate and its intermediate issuers, as a server sends them.
    package var chainPEM: [UInt8] { certificatePEM + intermediatesPEM }
}
