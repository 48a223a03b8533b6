internal import COpenSSL
package import GenesysLoop

extension TLSContext {
    /// A context for servers.
    ///
    /// - Parameters:
    ///   - certificateChainPEM: the server's certificate, then its issuers, without the root.
    ///   - keyPEM: its private key.
    ///   - options: for invalid servers, and for servers that request a client's certificate.
    /// - Throws: `TLSError.Fault.configuration` when certificate and key cannot be used.
    package convenience init(
        server certificateChainPEM: [UInt8], keyPEM: [UInt8], options: ServerOptions = ServerOptions()
    ) throws(TLSError) {
        let context = try unsafe OwnedContext(TLS_server_method(), securityLevel: options.securityLevel)
        try options.apply(to: context)
        try context.useChain(certificateChainPEM, origin: "the certificate chain")
        try context.useKey(OwnedKey(pem: keyPEM), origin: "the private key")
        self.init(serving: context)
        serverProtocols = options.applicationProtocols ?? []
    }

    /// Changes the options for the connections that the server has not accepted yet.
    package func use(_ options: ServerOptions) throws(TLSError) {
        precondition(isServer, "options of a server on a client's context")
        serverProtocols = options.applicationProtocols ?? []
        try options.apply(to: owned)
    }

    /// The options of an invalid server, or of one that requests a client's certificate.
    package struct ServerOptions: Sendable {
        /// OpenSSL's security level.
        ///
        /// Below 2 a server may send a weak certificate, or speak a version before 1.2.
        package var securityLevel: Int = 2
        /// The newest version offered, as a number on the wire (0x0303 is TLS 1.2); nil for the newest one.
        package var maximumVersion: Int?
        /// The trusted authorities for a client's certificate, in PEM; nil requests no certificate.
        package var clientTrust: [UInt8]?
        /// The protocols that a client may choose from by ALPN, the preferred one first: a client that offers only
        /// others is refused with the alert no_application_protocol (RFC 7301 §3.2). Nil ignores ALPN.
        package var applicationProtocols: [String]?

        package init(
            securityLevel: Int = 2, maximumVersion: Int? = nil, clientTrust: [UInt8]? = nil,
            applicationProtocols: [String]? = nil
        ) {
            self.securityLevel = securityLevel
            self.maximumVersion = maximumVersion
            self.clientTrust = clientTrust
            self.applicationProtocols = applicationProtocols
        }

        func apply(to context: borrowing OwnedContext) throws(TLSError) {
            let newest = Int32(maximumVersion ?? 0)
            let oldest = newest == 0 ? TLS1_2_VERSION : min(newest, TLS1_2_VERSION)
            guard unsafe cossl_ctx_set_min_proto_version(context.pointer, oldest) == 1,
                unsafe cossl_ctx_set_max_proto_version(context.pointer, newest) == 1
            else { throw .draining("SSL_CTX_set_max_proto_version") }
            if applicationProtocols != nil {
                unsafe SSL_CTX_set_alpn_select_cb(context.pointer, selectProtocolCallback, nil)
            }
            guard let clientTrust else { return }
            unsafe SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
            _ = try context.trustStore().add(.pem(clientTrust))
            // Without a name for its sessions, a server that verifies clients refuses to resume one.
            let name = Array("genesys-loop".utf8)
            guard unsafe SSL_CTX_set_session_id_context(context.pointer, name, UInt32(name.count)) == 1 else {
                throw .draining("SSL_CTX_set_session_id_context")
            }
        }
    }
}

/// Chooses among the protocols that a client offers.
private func selectProtocolCallback(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offer: UnsafePointer<UInt8>?, _ offerCount: UInt32,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    let names = unsafe TLSContext.of(ssl)?.serverProtocols ?? []
    let wire = unsafe UnsafeBufferPointer(start: offer, count: Int(offerCount))
    for name in names {
        var index = 0
        while index < wire.count {
            // OpenSSL has checked that each name of the offer is whole.
            let count = unsafe wire[index]
            let start = index + 1
            index = start + Int(count)
            guard unsafe wire[start..<index].elementsEqual(name.utf8) else { continue }
            // A part of the client's offer, which OpenSSL keeps until it has copied the choice.
            unsafe chosen?.pointee = wire.baseAddress.map { unsafe $0 + start }
            unsafe chosenCount?.pointee = count
            return SSL_TLSEXT_ERR_OK
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
