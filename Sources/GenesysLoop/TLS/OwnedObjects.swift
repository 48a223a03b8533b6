internal import COpenSSL

/// An `SSL_CTX` that is freed with its owner; sessions made of it hold their own references.
@safe package struct OwnedContext: ~Copyable {
    /// Valid as long as `self`.
    package let pointer: OpaquePointer

    /// A context with the settings of all contexts: security level 2 at least, no compression, no renegotiation, no
    /// expired issuer from the trust store.
    package init(_ method: OpaquePointer?, securityLevel: Int) throws(TLSError) {
        ErrorQueue.clear()
        guard let context = unsafe SSL_CTX_new(method) else { throw .draining("SSL_CTX_new") }
        unsafe pointer = unsafe context
        unsafe SSL_CTX_set_options(context, COSSL_OP_NO_COMPRESSION | COSSL_OP_NO_RENEGOTIATION)
        // A write that must wait for a message of the peer is repeated later from another address.
        unsafe cossl_ctx_set_mode(context, Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
        unsafe cossl_ctx_set_session_cache_off(context)
        // The store belongs to the context.
        unsafe X509_STORE_set_get_issuer(SSL_CTX_get_cert_store(context), trustedIssuerCallback)
        let level = Int32(securityLevel)
        // A stricter level of the system's openssl.cnf stays, unless the level is lowered on purpose.
        if unsafe level < 2 || SSL_CTX_get_security_level(context) < level {
            unsafe SSL_CTX_set_security_level(context, level)
        }
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
    }

    /// The store of trusted certificates, which belongs to the context.
    package func trustStore() throws(TLSError) -> TrustStore {
        guard let store = unsafe SSL_CTX_get_cert_store(pointer) else { throw .draining("SSL_CTX_get_cert_store") }
        return unsafe TrustStore(store)
    }

    /// Sets the certificate that is sent, with its issuers.
    ///
    /// - Parameters:
    ///   - pem: the certificate, then its issuers without the root.
    ///   - origin: names the text in the sentence of an error, in lower case.
    package func useChain(_ pem: [UInt8], origin: String) throws(TLSError) {
        var reader = try PEMReader(pem)
        var isFirst = true
        while let certificate = try reader.nextCertificate(of: origin) {
            ErrorQueue.clear()
            // Both calls add their own reference.
            let result =
                if isFirst {
                    unsafe SSL_CTX_use_certificate(pointer, certificate.pointer)
                } else {
                    unsafe cossl_ctx_add1_chain_cert(pointer, certificate.pointer)
                }
            guard result == 1 else {
                throw .configuration("A certificate of \(origin) cannot be used: \(ErrorQueue.drain().text).")
            }
            isFirst = false
        }
        if isFirst { throw .configuration("\(TLSError.capitalized(origin)) holds no PEM certificate.") }
    }

    /// Sets the key of the certificate.
    package func useKey(_ key: borrowing OwnedKey, origin: String) throws(TLSError) {
        ErrorQueue.clear()
        // OpenSSL adds its own reference.
        guard unsafe SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1 else {
            throw .configuration(
                "\(TLSError.capitalized(origin)) does not fit the certificate: \(ErrorQueue.drain().text).")
        }
    }
}

/// A certificate that is freed with its owner.
@safe package struct OwnedCertificate: ~Copyable {
    /// Valid as long as `self`.
    package let pointer: OpaquePointer

    /// An empty certificate.
    package init() throws(TLSError) {
        guard let pointer = unsafe X509_new() else { throw .draining("X509_new") }
        unsafe self.pointer = unsafe pointer
    }

    /// Takes over a reference.
    package init(taking pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    /// Reads the first certificate of a PEM text.
    package init(pem: [UInt8]) throws(TLSError) {
        var reader = try PEMReader(pem)
        guard let certificate = try reader.nextCertificate(of: "the certificate") else {
            throw .configuration("The certificate is no readable PEM certificate.")
        }
        self = certificate
    }

    deinit {
        unsafe X509_free(pointer)
    }

    /// What OpenSSL names the first file of a trusted certificate: the hash of its subject and `.0`.
    package var hashedName: String { unsafe Self.hashedName(of: pointer) }

    /// The hashed name of a certificate that is borrowed for the call.
    package static func hashedName(of certificate: OpaquePointer) -> String {
        let digits = unsafe String(X509_subject_name_hash(certificate), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits + ".0"
    }

    /// Whether the subjectAltName has an address or a name.
    package func isValid(for host: String) -> Bool {
        // The text is a C string for each call.
        unsafe X509_check_ip_asc(pointer, host, 0) == 1
            || X509_check_host(pointer, host, host.utf8.count, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT), nil) == 1
    }

    /// The certificate in PEM.
    package func pem() throws(TLSError) -> [UInt8] {
        let target = try OwnedBIO()
        guard unsafe PEM_write_bio_X509(target.pointer, pointer) == 1 else { throw .draining("PEM_write_bio_X509") }
        return target.readAll(maxByteCount: .max - 1) ?? []
    }
}

/// A private key that is freed with its owner.
@safe package struct OwnedKey: ~Copyable {
    /// Valid as long as `self`.
    package let pointer: OpaquePointer

    /// Takes over a key.
    package init(taking key: OpaquePointer) {
        unsafe pointer = unsafe key
    }

    /// Reads a key in PEM.
    ///
    /// - Parameters:
    ///   - origin: names the text in the sentence of an error, in lower case.
    ///   - passphrase: decrypts an encrypted key; OpenSSL has no other way to ask for one.
    package init(
        pem: [UInt8], origin: String = "the private key", passphrase: PrivateKeyPassphrase? = nil
    ) throws(TLSError) {
        let source = try OwnedBIO.holding(pem)
        var question = PassphraseQuestion(passphrase: passphrase)
        ErrorQueue.clear()
        // The question lives, unmoved, during the call, which runs its callback.
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
    package func pem() throws(TLSError) -> [UInt8] {
        let target = try OwnedBIO()
        guard unsafe PEM_write_bio_PrivateKey(target.pointer, pointer, nil, nil, 0, nil, nil) == 1 else {
            throw .draining("PEM_write_bio_PrivateKey")
        }
        return target.readAll(maxByteCount: .max - 1) ?? []
    }
}

/// The source of a key's passphrase, and the result of asking it.
private struct PassphraseQuestion {
    let passphrase: PrivateKeyPassphrase?
    private var refusalSoFar: String?

    init(passphrase: PrivateKeyPassphrase?) {
        self.passphrase = passphrase
    }

    /// Why no usable passphrase came, if one was asked for.
    var refusal: String? { refusalSoFar }

    /// Writes the passphrase and returns its length; -1 for none.
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
        // Copied within the bounds of both.
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

/// An OpenSSL byte stream that is freed with its owner.
@safe package struct OwnedBIO: ~Copyable {
    /// Valid as long as `self`.
    package let pointer: OpaquePointer

    /// A stream that collects what is written to it.
    package init() throws(TLSError) {
        guard let pointer = unsafe BIO_new(BIO_s_mem()) else { throw .draining("BIO_new") }
        unsafe self.pointer = unsafe pointer
    }

    /// A stream for reading that holds a copy of `bytes`.
    package static func holding(_ bytes: [UInt8]) throws(TLSError) -> OwnedBIO {
        let stream = try OwnedBIO()
        // BIO_write copies; the array lives during the call.
        let written = unsafe bytes.withUnsafeBytes { unsafe BIO_write(stream.pointer, $0.baseAddress, Int32($0.count)) }
        guard bytes.isEmpty || written == Int32(bytes.count) else { throw .draining("BIO_write") }
        return stream
    }

    /// A file stream for reading.
    package init?(path: String) {
        guard let pointer = unsafe BIO_new_file(path, "rb") else { return nil }
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe BIO_free_all(pointer)
    }

    /// Reads to the end, or to `maxByteCount`; nil if reading failed, with the reason in the error queue.
    package func readAll(maxByteCount: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count <= maxByteCount {
            var count: Int32 = 0
            let chunk = unsafe [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, initialized in
                // BIO_read writes at most `buffer.count` bytes into the new array's storage.
                count = unsafe BIO_read(pointer, buffer.baseAddress, Int32(buffer.count))
                initialized = max(0, Int(count))
            }
            bytes += chunk
            // An empty memory stream returns -1 and "retry", a file at its end 0.
            let isAtEnd = unsafe count == 0 || BIO_test_flags(pointer, BIO_FLAGS_SHOULD_RETRY) != 0
            if count <= 0 { return isAtEnd ? bytes : nil }
        }
        return bytes
    }
}
