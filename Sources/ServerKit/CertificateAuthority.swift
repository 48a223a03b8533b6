internal import COpenSSL
package import GenesysLoop

/// Makes certificates for the simulator and for tests: valid ones, and each kind of invalid ones.
///
/// A value: it holds PEM, which files can keep.
package struct CertificateAuthority: Hashable, Sendable {
    /// The authority's own certificate and key.
    package let identity: CertificateIdentity
    /// Whether its own certificate belongs to the chain that a server sends: true for intermediates.
    private let isIntermediate: Bool

    /// Makes a root.
    package init(commonName: String = "GenesysLoop Test Root") throws(TLSError) {
        try self.init(root: .authority(commonName))
    }

    /// Makes a root with the contents of a request.
    package init(root request: CertificateRequest) throws(TLSError) {
        identity = try Self.selfSigned(request)
        isIntermediate = false
    }

    /// Lets the holder of any certificate sign others, even if the certificate does not permit it.
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

/// A certificate with its key and its intermediate issuers.
package struct CertificateIdentity: Hashable, Sendable {
    /// The certificate alone, in PEM.
    package var certificatePEM: [UInt8]
    /// The intermediate issuers in PEM, nearest first, without the root; often empty.
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

/// Builds one certificate (RFC 5280) from a request.
@safe struct CertificateBuilder: ~Copyable {
    let certificate: OwnedCertificate
    let key: OwnedKey
    private let request: CertificateRequest

    /// Makes the key, and all parts of the certificate that do not need the issuer.
    init(_ request: CertificateRequest) throws(TLSError) {
        ErrorQueue.clear()
        let key = try OwnedKey(generating: request.key)
        let certificate = try OwnedCertificate()
        try unsafe Self.fill(certificate.pointer, key, request)
        self.request = request
        self.key = key
        self.certificate = certificate
    }

    private static func fill(
        _ pointer: OpaquePointer, _ key: borrowing OwnedKey, _ request: CertificateRequest
    ) throws(TLSError) {
        var serial: UInt64 = 0
        // All setters copy, or keep their own references.
        let isSerialMade = unsafe withUnsafeMutableBytes(of: &serial) { unsafe RAND_bytes($0.baseAddress, 8) == 1 }
        let isFilled =
            unsafe isSerialMade
            && X509_set_version(pointer, 2) == 1  // 2 means version 3
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(pointer), serial >> 1 | 1) == 1
            && X509_gmtime_adj(X509_getm_notBefore(pointer), Int(request.notBefore.components.seconds)) != nil
            && X509_gmtime_adj(X509_getm_notAfter(pointer), Int(request.notAfter.components.seconds)) != nil
            && X509_set_pubkey(pointer, key.pointer) == 1
            && X509_NAME_add_entry_by_NID(
                X509_get_subject_name(pointer), NID_commonName, V_ASN1_UTF8STRING, Array(request.commonName.utf8),
                Int32(request.commonName.utf8.count), -1, 0) == 1
        guard isFilled else { throw .draining("X509_set") }
    }

    /// Signs with the certificate's own key.
    func signBySelf() throws(TLSError) {
        try sign(issuer: certificate, key: key)
    }

    /// Names the issuer, adds the extensions and signs.
    func sign(issuer: borrowing OwnedCertificate, key issuerKey: borrowing OwnedKey) throws(TLSError) {
        ErrorQueue.clear()
        let pointer = unsafe certificate.pointer
        guard unsafe X509_set_issuer_name(pointer, X509_get_subject_name(issuer.pointer)) == 1 else {
            throw .draining("X509_set_issuer_name")
        }
        for (kind, value) in extensions {
            try unsafe add(kind, value, to: pointer, issuer: issuer.pointer)
        }
        let digest =
            switch request.digest {
            case _ where unsafe EVP_PKEY_get_id(issuerKey.pointer) == EVP_PKEY_ED25519: unsafe nil as OpaquePointer?
            case .sha1: unsafe EVP_sha1()
            case .sha256: unsafe EVP_sha256()
            }
        guard unsafe X509_sign(pointer, issuerKey.pointer, digest) > 0 else { throw .draining("X509_sign") }
    }

    /// The extensions in OpenSSL's configuration syntax.
    private var extensions: [(Int32, String)] {
        var list: [(Int32, String)] = [
            (
                NID_basic_constraints,
                request.isAuthority
                    ? "critical,CA:TRUE" + (request.pathLength.map { ",pathlen:\($0)" } ?? "") : "critical,CA:FALSE"
            ),
            (
                NID_key_usage,
                request.maySignCertificates ?? request.isAuthority
                    ? "critical,digitalSignature,keyCertSign,cRLSign" : "critical,digitalSignature,keyEncipherment"
            ),
            (NID_subject_key_identifier, "hash"),
            (NID_authority_key_identifier, "keyid"),
        ]
        if request.maySignCertificates == true && !request.isAuthority { list.removeFirst() }
        switch request.purpose {
        case .server: list.append((NID_ext_key_usage, "serverAuth"))
        case .client: list.append((NID_ext_key_usage, "clientAuth"))
        case .serverAndClient: list.append((NID_ext_key_usage, "serverAuth,clientAuth"))
        case .any: break
        }
        if !request.permittedNames.isEmpty {
            let names = request.permittedNames.map { "permitted;DNS:\($0)" }
            list.append((NID_name_constraints, "critical," + names.joined(separator: ",")))
        }
        if !request.names.isEmpty {
            let names = request.names.map { name in
                switch name {
                case .dns(let name): "DNS:\(name)"
                case .ip(let address): "IP:\(address)"
                }
            }
            list.append((NID_subject_alt_name, names.joined(separator: ",")))
        }
        return list
    }

    private func add(
        _ kind: Int32, _ value: String, to pointer: OpaquePointer, issuer: OpaquePointer
    ) throws(TLSError) {
        var context = unsafe X509V3_CTX()
        // The context borrows both certificates during the two calls; X509_add_ext copies the extension.
        unsafe X509V3_set_ctx(&context, issuer, pointer, nil, nil, 0)
        guard let made = unsafe X509V3_EXT_conf_nid(nil, &context, kind, value) else {
            throw .draining("X509V3_EXT_conf_nid")
        }
        defer { unsafe X509_EXTENSION_free(made) }
        guard unsafe X509_add_ext(pointer, made, -1) == 1 else { throw .draining("X509_add_ext") }
    }
}

extension OwnedKey {
    /// Makes a key.
    init(generating kind: CertificateRequest.Key) throws(TLSError) {
        let type =
            switch kind {
            case .p256: EVP_PKEY_EC
            case .rsa: EVP_PKEY_RSA
            case .ed25519: EVP_PKEY_ED25519
            }
        guard let context = unsafe EVP_PKEY_CTX_new_id(type, nil) else { throw .draining("EVP_PKEY_CTX_new_id") }
        // The context lives to the end of this initializer.
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var isReady = unsafe EVP_PKEY_keygen_init(context) == 1
        switch kind {
        case .p256:
            isReady = unsafe isReady && EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1
        case .ed25519:
            break
        case .rsa(let bits):
            isReady = unsafe isReady && EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) == 1
        }
        var key: OpaquePointer?
        guard isReady, unsafe EVP_PKEY_keygen(context, &key) == 1, let key = unsafe key else {
            throw .draining("EVP_PKEY_keygen")
        }
        unsafe self.init(taking: key)
    }
}
