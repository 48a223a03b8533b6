internal import COpenSSL

/// The result of reading a client's configuration, with every file that it names.
@safe final class ClientMaterial {
    let configuration: TLSConfiguration
    /// The trusted certificates and their places.
    let trust: TrustReport
    private var context: OwnedContext?

    /// - Throws: `TLSError.Fault.configuration` for an unusable value or file.
    init(_ configuration: TLSConfiguration) throws(TLSError) {
        self.configuration = configuration
        let context = try unsafe OwnedContext(TLS_client_method(), securityLevel: 2)
        let oldest = Int32(configuration.minimumVersion.rawValue)
        // A stricter minimum of the system's openssl.cnf stays.
        if unsafe cossl_ctx_get_min_proto_version(context.pointer) < oldest,
            unsafe cossl_ctx_set_min_proto_version(context.pointer, oldest) != 1
        {
            throw .draining("SSL_CTX_set_min_proto_version")
        }
        // The context is alive: this function owns it.
        try unsafe Self.setAlgorithms(configuration, of: context.pointer)
        try unsafe Self.setProtocols(configuration.applicationProtocols, of: context.pointer)
        if let name = configuration.serverName { _ = try HostName(name) }
        unsafe SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_cert_verify_callback(context.pointer, verifyChainCallback, nil)
        unsafe SSL_CTX_set_client_cert_cb(context.pointer, certificateWantedCallback)
        if configuration.resumesSessions {
            unsafe cossl_ctx_set_session_cache_external(context.pointer)
            unsafe SSL_CTX_sess_set_new_cb(context.pointer, newSessionCallback)
        }
        let store = try context.trustStore()
        store.acceptPartialChains()
        trust = try store.add(configuration.trust)
        try configuration.identity?.apply(to: context)
        self.context = consume context
    }

    /// The context; can be taken once.
    func takeContext() -> OwnedContext {
        guard let context = context.take() else { preconditionFailure("a client's context is taken twice") }
        return context
    }

    /// Sets the configured ciphers and groups of an `SSL_CTX`, which is alive during the call.
    static func setAlgorithms(_ configuration: TLSConfiguration, of context: OpaquePointer) throws(TLSError) {
        ErrorQueue.clear()
        // OpenSSL copies each list.
        if let list = configuration.cipherSuites, unsafe SSL_CTX_set_ciphersuites(context, list) != 1 {
            throw refused(list, "the cipher suites of TLS 1.3")
        }
        if let list = configuration.ciphers, unsafe SSL_CTX_set_cipher_list(context, list) != 1 {
            throw refused(list, "the ciphers of TLS 1.2")
        }
        if let list = configuration.groups, unsafe cossl_ctx_set1_groups_list(context, list) != 1 {
            throw refused(list, "the groups")
        }
        // The list is part of the cipher string in OpenSSL, and so is the level.
        if configuration.ciphers != nil, unsafe SSL_CTX_get_security_level(context) < 2 {
            unsafe SSL_CTX_set_security_level(context, 2)
        }
    }

    private static func refused(_ list: String, _ what: String) -> TLSError {
        let text = ErrorQueue.drain().text
        return .configuration("OpenSSL does not take “\(list.prefix(128))” as \(what): \(text).")
    }

    /// Sets what an `SSL_CTX` offers by ALPN (RFC 7301 §3.1): each name with its length before it.
    static func setProtocols(_ names: [String], of context: OpaquePointer) throws(TLSError) {
        guard !names.isEmpty else { return }
        var wire: [UInt8] = []
        for name in names {
            guard (1...255).contains(name.utf8.count) else {
                throw .configuration("An application protocol has 1 to 255 bytes; “\(name.prefix(64))” has not.")
            }
            wire.append(UInt8(name.utf8.count))
            wire += name.utf8
        }
        // OpenSSL copies the list; 0 is success.
        guard unsafe SSL_CTX_set_alpn_protos(context, wire, UInt32(wire.count)) == 0 else {
            throw .draining("SSL_CTX_set_alpn_protos")
        }
    }
}

/// The server wants a certificate and none is configured: the failure that follows has its own name.
private func certificateWantedCallback(
    _ ssl: OpaquePointer?, _ certificate: UnsafeMutablePointer<OpaquePointer?>?,
    _ key: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    // The block belongs to the session that is being made.
    unsafe SessionBIO.block(of: SSL_get_rbio(ssl))?.pointee.isCertificateMissing = true
    return 0
}

/// OpenSSL lends a reference; 1 takes it over.
private func newSessionCallback(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
    // The block belongs to the session that reads this ticket.
    guard let session = unsafe session, let block = unsafe SessionBIO.block(of: SSL_get_rbio(ssl)) else { return 0 }
    guard let peer = unsafe block.pointee.peer, unsafe SSL_get_verify_result(ssl) == Int(X509_V_OK) else { return 0 }
    let isKept = unsafe block.pointee.context.keep(
        session, of: SSL_get_SSL_CTX(ssl), for: peer, verifiedAt: block.pointee.verifiedAt)
    return isKept ? 1 : 0
}
