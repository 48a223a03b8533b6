internal import COpenSSL

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A session of OpenSSL's that a later connection may resume, and what it stands for.
@safe final class ResumableSession {
    /// A reference of ours.
    let pointer: OpaquePointer
    /// When the chain of the server was verified in full, in seconds since 1970.
    let verifiedAt: Int

    /// Resuming verifies no chain: so often, at least, a full handshake does.
    static let maxVerificationAge = 24 * 3_600

    /// Takes over a reference.
    init(taking pointer: OpaquePointer, verifiedAt: Int) {
        unsafe self.pointer = unsafe pointer
        self.verifiedAt = verifiedAt
    }

    deinit {
        unsafe SSL_SESSION_free(pointer)
    }

    /// A ticket of TLS 1.3 is for one connection only: two with the same could be linked (RFC 8446 §C.4).
    var isSingleUse: Bool {
        unsafe SSL_SESSION_get_protocol_version(pointer) >= TLS1_3_VERSION
    }

    /// Whether it is worth offering: not invalidated by a fatal alert, not too old, and the certificate of its server
    /// has not expired meanwhile.
    func isUsable(now: Int) -> Bool {
        guard unsafe SSL_SESSION_is_resumable(pointer) == 1 else { return false }
        // A lifetime of zero is no statement (RFC 5077 §3.3).
        let stated = unsafe Int(SSL_SESSION_get_ticket_lifetime_hint(pointer))
        let lifetime = stated > 0 ? stated : unsafe SSL_SESSION_get_timeout(pointer)
        let age = unsafe now - SSL_SESSION_get_time(pointer)
        guard age >= 0, age < lifetime, now - verifiedAt < ResumableSession.maxVerificationAge, now >= verifiedAt else {
            return false
        }
        // Borrowed from the session; compared, not changed.
        guard let certificate = unsafe SSL_SESSION_get0_peer(pointer) else { return false }
        var now = now
        return unsafe X509_cmp_time(X509_get0_notAfter(certificate), &now) > 0
    }

    /// The wall clock, in seconds: what sessions and certificates are dated with.
    static var now: Int {
        time(nil)
    }
}
