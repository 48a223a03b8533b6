internal import COpenSSL

/// What many TLS sessions share: trust, versions, algorithms, sessions to resume; for a server its certificate too.
///
/// Making one for the system's trust store reads files: make one per configuration and share it.
///
/// Decided once for all contexts: TLS 1.2 at least, security level 2 at least, no compression, no renegotiation, no
/// early data. The client accepts any certificate of its trust store as the end of a chain
/// (`X509_V_FLAG_PARTIAL_CHAIN`, as curl, Go and Python do).
@safe package final class TLSContext {
    /// What a client wants; nil for a server.
    let configuration: TLSConfiguration?
    /// What a server lets its clients choose from by ALPN.
    private(set) var serverProtocols: [String] = []
    /// Replaced as a whole when files are read again; sessions in use hold references of their own.
    private var owned: OwnedContext
    /// Whom a client trusts, and where that was found; nil for a server.
    package private(set) var trust: TrustReport?
    /// What a client's later connections may resume.
    private var sessions = SessionCache()

    /// Alive until the next `commit`.
    var pointer: OpaquePointer { unsafe owned.pointer }
    /// Which side the sessions of this context take.
    var isServer: Bool { configuration == nil }

    /// A context for clients.
    ///
    /// - Throws: `TLSError.Fault.configuration` when there is nobody to trust, or a value cannot be used.
    package init(client configuration: TLSConfiguration) throws(TLSError) {
        let material = try ClientMaterial(configuration)
        self.configuration = configuration
        trust = material.trust
        owned = material.takeContext()
    }

    /// A context for servers.
    ///
    /// - Parameters:
    ///   - certificateChainPEM: the server's certificate, then its issuers, without the root.
    ///   - keyPEM: its private key.
    ///   - options: for servers that are meant to be bad, or ask for a client's certificate.
    /// - Throws: `TLSError.Fault.configuration` when certificate and key cannot be used.
    package init(
        server certificateChainPEM: [UInt8], keyPEM: [UInt8], options: ServerOptions = ServerOptions()
    ) throws(TLSError) {
        owned = try unsafe OwnedContext(TLS_server_method(), securityLevel: options.securityLevel)
        configuration = nil
        trust = nil
        serverProtocols = options.applicationProtocols ?? []
        try options.apply(to: owned)
        try owned.useChain(certificateChainPEM, origin: "the certificate chain")
        try owned.useKey(OwnedKey(pem: keyPEM), origin: "the private key")
    }

    /// Changes what a server does with the connections that it has not accepted yet.
    package func use(_ options: ServerOptions) throws(TLSError) {
        precondition(isServer, "options of a server on a client's context")
        serverProtocols = options.applicationProtocols ?? []
        try options.apply(to: owned)
    }

    /// Adds the certificates of the given places to those trusted.
    func addSystemTrust(_ locations: SystemTrustLocations) throws(TLSError) {
        trust = try owned.trustStore().addSystem(locations)
    }

    // MARK: - Reading again

    /// Reads what the configuration names once more; nothing changes before `commit`.
    ///
    /// - Returns: nil for a server.
    func reread() throws(TLSError) -> ClientMaterial? {
        guard let configuration else { return nil }
        return try ClientMaterial(configuration)
    }

    /// Uses what was read for all connections from now on; those that exist go on, and none resumes another's session.
    func commit(_ material: ClientMaterial) {
        trust = material.trust
        owned = material.takeContext()
        sessions.removeAll()
    }

    // MARK: - Resumption

    /// How many handshakes of this context's clients resumed a session (OpenSSL's own counters).
    package var resumptionCounts: (handshakes: Int, resumed: Int) {
        unsafe (cossl_ctx_sess_connect_good(pointer), cossl_ctx_sess_hits(pointer))
    }

    /// How many sessions are kept for a host.
    package func sessionCount(host: String, port: UInt16) -> Int {
        sessions.count(for: .init(host: host, port: port))
    }

    /// A session for the next connection to a host; nil where there is none.
    func takeSession(for key: SessionCache.Key) -> ResumableSession? {
        guard !sessions.isEmpty else { return nil }
        return sessions.take(for: key, now: ResumableSession.now)
    }

    /// Keeps a session of a connection whose server was verified.
    ///
    /// - Parameter maker: the context of the connection; one that was replaced since trusted others.
    /// - Returns: whether the reference was taken over.
    func keep(
        _ session: OpaquePointer, of maker: OpaquePointer?, for key: SessionCache.Key, verifiedAt: Int
    ) -> Bool {
        guard unsafe maker == pointer, configuration?.resumesSessions == true else { return false }
        sessions.keep(unsafe ResumableSession(taking: session, verifiedAt: verifiedAt), for: key)
        return true
    }

    /// Forgets the sessions of a host: a handshake that offered one has failed.
    func dropSessions(for key: SessionCache.Key) {
        sessions.removeAll(for: key)
    }
}
