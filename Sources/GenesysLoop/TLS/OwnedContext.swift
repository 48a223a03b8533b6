internal import COpenSSL

/// An `SSL_CTX` that is freed with its owner; sessions made of it hold references of their own.
@safe struct OwnedContext: ~Copyable {
    /// Valid as long as `self`.
    let pointer: OpaquePointer

    /// A context with what is decided for all: security level 2 at least, no compression, no renegotiation, no expired
    /// issuer from the trust store.
    init(_ method: OpaquePointer?, securityLevel: Int) throws(TLSError) {
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
    func trustStore() throws(TLSError) -> TrustStore {
        guard let store = unsafe SSL_CTX_get_cert_store(pointer) else { throw .draining("SSL_CTX_get_cert_store") }
        return unsafe TrustStore(store)
    }

    /// Shows a certificate with its issuers.
    ///
    /// - Parameters:
    ///   - pem: the certificate, then its issuers, without the root.
    ///   - origin: what that is, for the sentence of the error, in lower case.
    func useChain(_ pem: [UInt8], origin: String) throws(TLSError) {
        var reader = try PEMReader(pem)
        var isFirst = true
        while let certificate = try reader.nextCertificate(of: origin) {
            ErrorQueue.clear()
            // Both calls take a reference of their own.
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

    /// Uses the key of the certificate.
    func useKey(_ key: borrowing OwnedKey, origin: String) throws(TLSError) {
        ErrorQueue.clear()
        // OpenSSL takes a reference of its own.
        guard unsafe SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1 else {
            throw .configuration(
                "\(TLSError.capitalized(origin)) does not fit the certificate: \(ErrorQueue.drain().text).")
        }
    }
}
