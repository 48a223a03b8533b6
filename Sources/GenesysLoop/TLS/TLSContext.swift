internal import COpenSSL

/// What many TLS sessions share: trust, versions, algorithms; for a server its certificate too.
///
/// Making one for the system's trust store reads files: make one per configuration and share it.
///
/// Decided once for all contexts: TLS 1.2 at least, security level 2 at least, no compression, no renegotiation, no
/// session cache. The client accepts any certificate of its trust store as the end of a chain
/// (`X509_V_FLAG_PARTIAL_CHAIN`, as curl, Go and Python do).
@safe package final class TLSContext {
    /// The `SSL_CTX`, owned; sessions hold references of their own.
    let pointer: OpaquePointer
    /// Which side the sessions of this context take.
    let isServer: Bool

    /// What only a server that is meant to be bad needs to change.
    package struct ServerOptions: Sendable {
        /// OpenSSL's security level.
        ///
        /// Below 2 a server may show a weak certificate, or speak a version before 1.2.
        package var securityLevel: Int = 2
        /// The newest version offered, as a number on the wire (0x0303 is TLS 1.2); nil for the newest there is.
        package var maximumVersion: Int?

        package init(securityLevel: Int = 2, maximumVersion: Int? = nil) {
            self.securityLevel = securityLevel
            self.maximumVersion = maximumVersion
        }
    }

    /// A context for clients.
    ///
    /// - Throws: `TLSError.Fault.configuration` when there is nobody to trust.
    package init(client configuration: TLSConfiguration) throws(TLSError) {
        unsafe pointer = try Self.make(TLS_client_method(), securityLevel: 2)
        isServer = false
        let oldest = Int32(configuration.minimumVersion.rawValue)
        // A stricter minimum of the system's openssl.cnf stays.
        if unsafe cossl_ctx_get_min_proto_version(pointer) < oldest,
            unsafe cossl_ctx_set_min_proto_version(pointer, oldest) != 1
        {
            throw .draining("SSL_CTX_set_min_proto_version")
        }
        unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_cert_verify_callback(pointer, verifyChainCallback, nil)
        guard let store = unsafe SSL_CTX_get_cert_store(pointer) else { throw .draining("SSL_CTX_get_cert_store") }
        unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        try unsafe TrustStore(store).add(configuration.trust)
    }

    /// A context for servers.
    ///
    /// - Parameters:
    ///   - certificateChainPEM: the server's certificate, then its issuers, without the root.
    ///   - keyPEM: its private key.
    ///   - options: for servers that are meant to be bad.
    /// - Throws: `TLSError.Fault.configuration` when certificate and key cannot be used.
    package init(
        server certificateChainPEM: [UInt8], keyPEM: [UInt8], options: ServerOptions = ServerOptions()
    ) throws(TLSError) {
        unsafe pointer = try Self.make(TLS_server_method(), securityLevel: options.securityLevel)
        isServer = true
        let newest = Int32(options.maximumVersion ?? 0)
        let oldest = newest == 0 ? TLS1_2_VERSION : min(newest, TLS1_2_VERSION)
        guard unsafe cossl_ctx_set_min_proto_version(pointer, oldest) == 1,
            unsafe cossl_ctx_set_max_proto_version(pointer, newest) == 1
        else { throw .draining("SSL_CTX_set_max_proto_version") }
        try useChain(certificateChainPEM)
        let key = try OwnedKey(pem: keyPEM)
        ErrorQueue.clear()
        guard unsafe SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1 else {
            throw .configuration("The private key does not fit the certificate: \(ErrorQueue.drain().text).")
        }
    }

    /// Adds the certificates of the given places to those trusted.
    func addSystemTrust(_ locations: SystemTrustLocations) throws(TLSError) {
        guard let store = unsafe SSL_CTX_get_cert_store(pointer) else { throw .draining("SSL_CTX_get_cert_store") }
        try unsafe TrustStore(store).addSystem(locations)
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
    }

    private static func make(_ method: OpaquePointer?, securityLevel: Int) throws(TLSError) -> OpaquePointer {
        ErrorQueue.clear()
        guard let context = unsafe SSL_CTX_new(method) else { throw .draining("SSL_CTX_new") }
        unsafe SSL_CTX_set_options(context, COSSL_OP_NO_COMPRESSION | COSSL_OP_NO_RENEGOTIATION)
        // A write that must wait for a message of the peer is repeated later from another address.
        unsafe cossl_ctx_set_mode(context, Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
        unsafe cossl_ctx_set_session_cache_off(context)
        let level = Int32(securityLevel)
        // A stricter level of the system's openssl.cnf stays, unless the level is lowered on purpose.
        if unsafe level < 2 || SSL_CTX_get_security_level(context) < level {
            unsafe SSL_CTX_set_security_level(context, level)
        }
        return unsafe context
    }

    private func useChain(_ pem: [UInt8]) throws(TLSError) {
        let origin = "the certificate chain"
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
                throw .configuration("A certificate of the chain cannot be used: \(ErrorQueue.drain().text).")
            }
            isFirst = false
        }
        if isFirst { throw .configuration("The certificate chain holds no PEM certificate.") }
    }
}
