internal import COpenSSL

/// Builds one certificate (RFC 5280) from a request.
@safe struct CertificateBuilder: ~Copyable {
    let certificate: OwnedCertificate
    let key: OwnedKey
    private let request: CertificateRequest

    /// Makes the key, and everything of the certificate that does not need the issuer.
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
        // All setters copy, or take references of their own.
        let isSerialMade = unsafe withUnsafeMutableBytes(of: &serial) { unsafe RAND_bytes($0.baseAddress, 8) == 1 }
        let isFilled =
            unsafe isSerialMade
            && X509_set_version(pointer, 2) == 1  // 2 stands for version 3
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
