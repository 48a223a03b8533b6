internal import COpenSSL

/// What many TLS sessions share: trust, versions, algorithms, resumable sessions; for a server also its certificate.
///
/// Making one for the system's trust store reads files: make one per configuration and share it.
///
/// The same for all contexts: TLS 1.2 at least, security level 2 at least, no compression, no renegotiation, no early
/// data. The client accepts any certificate of its trust store as the end of a chain (`X509_V_FLAG_PARTIAL_CHAIN`, as
/// curl, Go and Python do).
@safe package final class TLSContext {
    /// The client's configuration; nil for a server.
    let configuration: TLSConfiguration?
    /// The protocols that a server accepts by ALPN.
    package var serverProtocols: [String] = []
    /// Replaced as a whole when files are read again; sessions in use hold their own references.
    package private(set) var owned: OwnedContext
    /// How many times files were read again: who keeps connections must not reuse those of an earlier generation.
    package private(set) var generation = 0
    /// What a client trusts, and where it was found; nil for a server.
    package private(set) var trust: TrustReport?
    /// The sessions that a client's later connections may resume.
    private var sessions = SessionCache()

    /// Alive until the next `commit`.
    var pointer: OpaquePointer { unsafe owned.pointer }
    /// The name that servers must prove in place of their host; nil for the host.
    package var serverName: String? { configuration?.serverName }
    /// Whether the sessions of this context are server sessions.
    package var isServer: Bool { configuration == nil }

    /// A context for clients.
    ///
    /// - Throws: `TLSError.Fault.configuration` when there is no trusted certificate, or a value cannot be used.
    package init(client configuration: TLSConfiguration) throws(TLSError) {
        let material = try ClientMaterial(configuration)
        self.configuration = configuration
        trust = material.trust
        owned = material.takeContext()
    }

    /// Takes over the context of a server, with certificate and key.
    package init(serving context: consuming OwnedContext) {
        owned = context
        configuration = nil
        trust = nil
    }

    /// The context of a session; nil while the session ends.
    package static func of(_ ssl: OpaquePointer?) -> TLSContext? {
        // The block belongs to the session, which keeps its context.
        unsafe SessionBIO.block(of: SSL_get_rbio(ssl))?.pointee.context
    }

    /// Adds the certificates of the given places to the trusted ones.
    func addSystemTrust(_ locations: SystemTrustLocations) throws(TLSError) {
        trust = try owned.trustStore().addSystem(locations)
    }

    // MARK: - Reading again

    /// Uses what was read for all connections from now on; existing ones go on, and no new connection resumes an old
    /// session.
    func commit(_ material: ClientMaterial) {
        trust = material.trust
        owned = material.takeContext()
        generation += 1
        sessions.removeAll()
    }

    // MARK: - Resumption

    /// How many handshakes of this context's clients resumed a session (from OpenSSL's counters).
    package var resumptionCounts: (handshakes: Int, resumed: Int) {
        unsafe (cossl_ctx_sess_connect_good(pointer), cossl_ctx_sess_hits(pointer))
    }

    /// How many sessions are kept for a host.
    package func sessionCount(host: String, port: UInt16) -> Int {
        sessions.count(for: .init(host: host, port: port))
    }

    /// A session for the next connection to a host; nil if there is none.
    func takeSession(for key: SessionCache.Key) -> ResumableSession? {
        guard !sessions.isEmpty else { return nil }
        return sessions.take(for: key, now: ResumableSession.now)
    }

    /// Keeps a session of a connection whose server was verified.
    ///
    /// - Parameter maker: the context of the connection; sessions of a context that was replaced since are refused.
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
