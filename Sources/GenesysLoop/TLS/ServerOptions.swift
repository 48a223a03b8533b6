internal import COpenSSL

extension TLSContext {
    /// What only a server needs to change that is meant to be bad, or that asks for a client's certificate.
    package struct ServerOptions: Sendable {
        /// OpenSSL's security level.
        ///
        /// Below 2 a server may show a weak certificate, or speak a version before 1.2.
        package var securityLevel: Int = 2
        /// The newest version offered, as a number on the wire (0x0303 is TLS 1.2); nil for the newest there is.
        package var maximumVersion: Int?
        /// Whose certificates a client must show, in PEM; nil asks for none.
        package var clientTrust: [UInt8]?

        package init(securityLevel: Int = 2, maximumVersion: Int? = nil, clientTrust: [UInt8]? = nil) {
            self.securityLevel = securityLevel
            self.maximumVersion = maximumVersion
            self.clientTrust = clientTrust
        }

        func apply(to context: borrowing OwnedContext) throws(TLSError) {
            let newest = Int32(maximumVersion ?? 0)
            let oldest = newest == 0 ? TLS1_2_VERSION : min(newest, TLS1_2_VERSION)
            guard unsafe cossl_ctx_set_min_proto_version(context.pointer, oldest) == 1,
                unsafe cossl_ctx_set_max_proto_version(context.pointer, newest) == 1
            else { throw .draining("SSL_CTX_set_max_proto_version") }
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
