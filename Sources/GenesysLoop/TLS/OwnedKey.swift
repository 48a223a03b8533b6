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
        unsafe pointer = unsafe key
    }

    /// Reads a key in PEM.
    ///
    /// - Parameters:
    ///   - origin: what it is, for the sentence of the error; in lower case.
    ///   - passphrase: opens it if it is encrypted; nobody else is asked.
    init(
        pem: [UInt8], origin: String = "the private key", passphrase: PrivateKeyPassphrase? = nil
    ) throws(TLSError) {
        let source = try OwnedBIO.holding(pem)
        var question = PassphraseQuestion(passphrase: passphrase)
        ErrorQueue.clear()
        // The question lives, unmoved, during the call, which asks it.
        let key = unsafe withUnsafeMutablePointer(to: &question) { question in
            unsafe PEM_read_bio_PrivateKey(source.pointer, nil, passphraseCallback, question)
        }
        guard let key = unsafe key else {
            throw .configuration(
                "\(TLSError.capitalized(origin)) \(question.refusal ?? "is no readable PEM key"): "
                    + "\(ErrorQueue.drain().text).")
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

/// Who is asked for the passphrase of a key, and what came of it.
private struct PassphraseQuestion {
    let passphrase: PrivateKeyPassphrase?
    private var refusalSoFar: String?

    init(passphrase: PrivateKeyPassphrase?) {
        self.passphrase = passphrase
    }

    /// What is wrong with the key, if it was asked for.
    var refusal: String? { refusalSoFar }

    /// Writes the passphrase, and says how long it is; -1 for none.
    mutating func answer(_ target: UnsafeMutableRawBufferPointer) -> Int32 {
        guard let passphrase else {
            refusalSoFar = "is encrypted, and no passphrase is configured"
            return -1
        }
        guard let bytes = passphrase.answer() else {
            refusalSoFar = "is encrypted, and its passphrase was not given"
            return -1
        }
        refusalSoFar = "cannot be decrypted with the passphrase given"
        guard bytes.count <= target.count else { return -1 }
        // Copied, no further than the end of either.
        unsafe target.copyBytes(from: bytes)
        return Int32(bytes.count)
    }
}

/// OpenSSL's buffer and the question live during the call.
private func passphraseCallback(
    _ buffer: UnsafeMutablePointer<CChar>?, _ count: Int32, _ isWriting: Int32, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    guard let question = unsafe data?.assumingMemoryBound(to: PassphraseQuestion.self) else { return -1 }
    return unsafe question.pointee.answer(UnsafeMutableRawBufferPointer(start: buffer, count: Int(count)))
}
