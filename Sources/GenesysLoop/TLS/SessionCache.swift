internal import COpenSSL

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The resumable sessions of one client context, for later connections to the same host.
///
/// Resuming saves the public-key work of a handshake, and the memory of another copy of the server's chain; the chain
/// is not verified again. So the cache holds only sessions of verified connections, each under the verified name, and
/// any change of the trust settings empties it.
struct SessionCache {
    /// What a session is valid for: the verified name, and the port, since another port may be another server.
    struct Key: Hashable {
        var host: String
        var port: UInt16
    }

    /// As many as links connect at a time: each consumes one, and gets another.
    static let maxCountPerHost = 64
    /// A context talks to few hosts.
    static let maxHostCount = 16

    private var sessions: [Key: [ResumableSession]] = [:]

    /// Whether the cache is empty.
    var isEmpty: Bool { sessions.isEmpty }

    /// How many sessions the cache holds for a host.
    func count(for key: Key) -> Int { sessions[key]?.count ?? 0 }

    /// Keeps a session; removes the oldest ones if the cache is full.
    mutating func keep(_ session: ResumableSession, for key: Key) {
        guard session.isSingleUse else {
            // Before TLS 1.3 one session is enough for any number of connections.
            makeRoom(for: key)
            return sessions[key] = [session]
        }
        makeRoom(for: key)
        sessions[key, default: []].append(session)
        if count(for: key) > SessionCache.maxCountPerHost { sessions[key]?.removeFirst() }
    }

    /// With too many hosts, the sessions of the least recently used one are removed.
    private mutating func makeRoom(for key: Key) {
        guard sessions[key] == nil, sessions.count >= SessionCache.maxHostCount else { return }
        let oldest = sessions.min { ($0.value.last?.verifiedAt ?? 0) < ($1.value.last?.verifiedAt ?? 0) }
        if let oldest { sessions[oldest.key] = nil }
    }

    /// A session to offer, the newest one; removed if it is for single use.
    mutating func take(for key: Key, now: Int) -> ResumableSession? {
        guard var list = sessions.removeValue(forKey: key) else { return nil }
        while let session = list.popLast() {
            guard session.isUsable(now: now) else { continue }
            if !session.isSingleUse { list.append(session) }
            if !list.isEmpty { sessions[key] = list }
            return session
        }
        return nil
    }

    /// Removes all sessions of a host, after one of them failed.
    mutating func removeAll(for key: Key) {
        sessions[key] = nil
    }

    /// Removes all sessions.
    mutating func removeAll() {
        sessions = [:]
    }
}

/// An OpenSSL session that a later connection may resume, and what was verified for it.
@safe final class ResumableSession {
    /// Our own reference.
    let pointer: OpaquePointer
    /// When the chain of the server was verified in full, in seconds since 1970.
    let verifiedAt: Int

    /// Resuming skips the verification of the chain, so a full handshake is due at least this often.
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
    /// has not expired.
    func isUsable(now: Int) -> Bool {
        guard unsafe SSL_SESSION_is_resumable(pointer) == 1 else { return false }
        // A lifetime of zero means "unspecified" (RFC 5077 §3.3).
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

    /// The wall clock in seconds, the unit of the dates of sessions and certificates.
    static var now: Int {
        time(nil)
    }
}
