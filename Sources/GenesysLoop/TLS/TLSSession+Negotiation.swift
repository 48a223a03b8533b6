internal import COpenSSL

/// What a client offers and requests, and the result.
extension TLSSession {
    /// What was negotiated.
    package struct Summary: Hashable, Sendable {
        /// "TLSv1.3".
        package var version: String
        /// "TLS_AES_256_GCM_SHA384".
        package var cipher: String
        /// The protocol that the server chose by ALPN, if any.
        package var applicationProtocol: String?
        /// Whether an earlier session was resumed.
        package var isResumed: Bool

        package init(version: String, cipher: String, applicationProtocol: String?, isResumed: Bool) {
            self.version = version
            self.cipher = cipher
            self.applicationProtocol = applicationProtocol
            self.isResumed = isResumed
        }
    }

    /// Offers to resume an earlier session, whose peer was verified with the same settings and the same name.
    func offer(_ session: ResumableSession) {
        ErrorQueue.clear()
        // OpenSSL adds its own reference. Without the session, the handshake is a full one.
        guard unsafe SSL_set_session(ssl, session.pointer) == 1 else { return ErrorQueue.clear() }
        unsafe block.pointee.hasOffered = true
        unsafe block.pointee.verifiedAt = session.verifiedAt
    }

    /// Sets the name that the certificate must hold, and the name that is sent to the server (SNI, names only).
    func expect(_ host: HostName) throws(TLSError) {
        // The parameters belong to the SSL, which copies the name.
        try unsafe host.require(in: SSL_get0_param(ssl))
        guard case .name(let name) = host else { return }
        guard unsafe cossl_set_tlsext_host_name(ssl, name) == 1 else { throw .draining("SSL_set_tlsext_host_name") }
    }

    /// The protocol that the server chose by ALPN, if any.
    var applicationProtocol: String? { unsafe TLSSession.applicationProtocol(of: ssl) }

    /// The protocol that the server of any `SSL`, alive during the call, chose by ALPN.
    static func applicationProtocol(of ssl: OpaquePointer) -> String? {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        // The name belongs to the SSL and is copied at once.
        unsafe SSL_get0_alpn_selected(ssl, &start, &count)
        guard count > 0 else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    /// What the handshake has found so far.
    var report: HandshakeReport {
        var report = HandshakeReport(trust: unsafe block.pointee.context.trust)
        // Version and cipher are known from the server's first message on.
        if unsafe cipher != nil { report.negotiated = summary }
        report.chain =
            unsafe block.pointee.finding?.value.chain ?? CertificateSummary.all(of: SSL_get_peer_cert_chain(ssl))
        var algorithm: Int32 = 0
        if unsafe block.pointee.isCertificateMissing {
            report.clientCertificate = .missing
        } else if unsafe SSL_get_signature_type_nid(ssl, &algorithm) == 1 {
            // Only who has shown a certificate has signed.
            report.clientCertificate = .sent
        }
        return report
    }

    /// The cipher that the server chose; before TLS 1.3 it comes into use at the end of the handshake. An OpenSSL
    /// constant.
    private var cipher: OpaquePointer? { unsafe SSL_get_current_cipher(ssl) ?? SSL_get_pending_cipher(ssl) }

    /// What was negotiated.
    package var summary: Summary {
        // Both strings are OpenSSL constants.
        let version = unsafe SSL_get_version(ssl).map { unsafe String(cString: $0) }
        let cipher = unsafe SSL_CIPHER_get_name(self.cipher).map { unsafe String(cString: $0) }
        return Summary(
            version: version ?? "", cipher: cipher ?? "", applicationProtocol: applicationProtocol,
            isResumed: unsafe SSL_session_reused(ssl) == 1)
    }
}
