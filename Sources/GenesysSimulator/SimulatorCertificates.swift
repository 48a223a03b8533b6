internal import GenesysLoop
internal import ServerKit

/// The certificate authority, the server certificate and its key with which a simulator speaks TLS.
///
/// The server certificate is for `localhost`, `127.0.0.1`, `::1`, the machine's own name, and the given address. No
/// client trusts the authority by default: it must be configured to (`TLSConfiguration.Trust.pem` or `.file`,
/// `--ca-file`).
public struct SimulatorCertificates: Hashable, Sendable {
    /// The authority's certificate in PEM, for clients to trust.
    public let caCertificatePEM: [UInt8]
    /// The file that holds it; nil when it is in memory only.
    public let caFile: String?

    let chainPEM: [UInt8]
    let keyPEM: [UInt8]

    /// Makes an authority and a certificate, valid for 30 days, that exist in memory only.
    ///
    /// - Parameter host: a numeric address that the certificate also names.
    /// - Throws: `SimulatorError` of kind `certificates` when OpenSSL fails.
    public static func inMemory(host: String? = nil) throws(SimulatorError) -> SimulatorCertificates {
        try make(validity: .seconds(30 * 86_400), caFile: nil, host: host)
    }

    /// Uses `ca.pem`, `server.pem` and `server-key.pem` of a folder, or makes them there if none of them exists.
    ///
    /// A missing folder is made, for its owner only (mode 0700); the key is for its owner only (0600). Certificates
    /// made here are valid for 825 days. Existing files are never changed.
    ///
    /// - Parameters:
    ///   - path: the folder, absolute or relative to the current one.
    ///   - host: a numeric address that a certificate made here also names.
    /// - Throws: `SimulatorError` of kind `certificates` when the files cannot be read, made or used, or when only some
    ///   of them exist.
    public static func folder(_ path: String, host: String? = nil) throws(SimulatorError) -> SimulatorCertificates {
        let folder = try CertificateFolder(path)
        let present = folder.present
        if present.isEmpty { return try make(in: folder, host: host) }
        guard present.count == 3 else {
            throw SimulatorError(
                .certificates,
                "The folder \(path) holds \(present.joined(separator: " and ")) only: the simulator needs ca.pem, "
                    + "server.pem and server-key.pem, or none of them to make all three.")
        }
        let certificates = SimulatorCertificates(
            caCertificatePEM: try folder.read(CertificateFolder.caName),
            caFile: folder.file(CertificateFolder.caName),
            chainPEM: try folder.read(CertificateFolder.chainName),
            keyPEM: try folder.read(CertificateFolder.keyName))
        do throws(TLSError) {
            _ = try certificates.serverContext()
            _ = try TLSContext(client: TLSConfiguration(trust: .pem(certificates.caCertificatePEM)))
        } catch {
            throw SimulatorError(.certificates, "The certificates in \(path) cannot be used: \(error)")
        }
        return certificates
    }

    func serverContext(_ options: TLSContext.ServerOptions = .init()) throws(TLSError) -> TLSContext {
        try TLSContext(server: chainPEM, keyPEM: keyPEM, options: options)
    }

    /// Whether the server certificate names a host: a name, or an address without regard to its interface.
    public func isValid(for host: String) -> Bool {
        CertificateIdentity(certificatePEM: chainPEM, keyPEM: keyPEM)
            .isValid(for: String(host.prefix { $0 != "%" }))
    }

    private static func make(
        in folder: CertificateFolder, host: String?
    ) throws(SimulatorError) -> SimulatorCertificates {
        let made = try make(validity: .seconds(825 * 86_400), caFile: folder.file(CertificateFolder.caName), host: host)
        try folder.make()
        var written: [String] = []
        do throws(SimulatorError) {
            try folder.write(made.keyPEM, to: CertificateFolder.keyName, mode: 0o600)
            written.append(CertificateFolder.keyName)
            try folder.write(made.chainPEM, to: CertificateFolder.chainName, mode: 0o644)
            written.append(CertificateFolder.chainName)
            try folder.write(made.caCertificatePEM, to: CertificateFolder.caName, mode: 0o644)
        } catch {
            // All or nothing: the next attempt must not find only some of them.
            for name in written { folder.remove(name) }
            throw error
        }
        return made
    }

    private static func make(
        validity: Duration, caFile: String?, host: String?
    ) throws(SimulatorError) -> SimulatorCertificates {
        do throws(TLSError) {
            var root = CertificateRequest.authority("GenesysLoop Simulator")
            root.notAfter = validity
            let authority = try CertificateAuthority(root: root)
            var leaf = CertificateRequest()
            leaf.notAfter = validity
            // A certificate does not name the interface of an address.
            if let address = host?.prefix(while: { $0 != "%" }) { leaf.names.append(.ip(String(address))) }
            if let name = MachineName.current { leaf.names.append(.dns(name)) }
            let identity = try authority.issue(leaf)
            return SimulatorCertificates(
                caCertificatePEM: authority.certificatePEM, caFile: caFile, chainPEM: identity.chainPEM,
                keyPEM: identity.keyPEM)
        } catch {
            throw SimulatorError(.certificates, "The simulator's certificates cannot be made: \(error)")
        }
    }
}
