internal import COpenSSL

/// A private key that is freed with its owner.
@safe struct OwnedKey: ~Copyable {
    /// Valid as long as `self`.
    let pointer: OpaquePointer

    /// Makes a key.
    init(generating kind: CertificateRequest.Key) throws(TLSError) {
        let type =
            switch kind {
            case .p256: EVP_PKEY_EC
            case .rsa: EVP_PKEY_RSA
            }
        guard let context = unsafe EVP_PKEY_CTX_new_id(type, nil) else { throw .draining("EVP_PKEY_CTX_new_id") }
        // The context lives to the end of this initializer.
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var isReady = unsafe EVP_PKEY_keygen_init(context) == 1
        switch kind {
        case .p256:
            isReady = unsafe isReady && EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1
        case .rsa(let bits):
            isReady = unsafe isReady && EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) == 1
        }
        var key: OpaquePointer?
        guard isReady, unsafe EVP_PKEY_keygen(context, &key) == 1, let key = unsafe key else {
            throw .draining("EVP_PKEY_keygen")
        }
        unsafe pointer = unsafe key
    }

    /// Reads a key in PEM; one protected by a password is refused, nobody is asked for it.
    init(pem: [UInt8]) throws(TLSError) {
        let source = try OwnedBIO.holding(pem)
        ErrorQueue.clear()
        guard let key = unsafe PEM_read_bio_PrivateKey(source.pointer, nil, noPasswordCallback, nil) else {
            throw .configuration("The private key is no readable PEM key: \(ErrorQueue.drain().text).")
        }
        unsafe pointer = unsafe key
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// The key in PEM (PKCS #8), not encrypted.
    func pem() throws(TLSError) -> [UInt8] {
        let target = try OwnedBIO()
        guard unsafe PEM_write_bio_PrivateKey(target.pointer, pointer, nil, nil, 0, nil, nil) == 1 else {
            throw .draining("PEM_write_bio_PrivateKey")
        }
        return target.readAll(maxByteCount: .max - 1) ?? []
    }
}
