internal import COpenSSL

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The sessions of one client's context, to be resumed by its later connections to the same host.
///
/// Resuming saves the public-key work of a handshake, and the memory of another copy of the server's chain; the chain
/// is not verified again. So only sessions of verified connections come in, each under the name that was verified, and
/// whatever changes whom the context trusts empties the cache.
struct SessionCache {
    /// Whom a session is good for: the name that was verified, and the port, behind which may be another server.
    struct Key: Hashable {
        var host: String
        var port: UInt16
    }

    /// As many as links connect at a time: each uses one up, and gets another.
    static let maxCountPerHost = 64
    /// A context talks to few hosts.
    static let maxHostCount = 16

    private var sessions: [Key: [ResumableSession]] = [:]

    /// Whether it holds nothing.
    var isEmpty: Bool { sessions.isEmpty }

    /// How many sessions it holds for a host.
    func count(for key: Key) -> Int { sessions[key]?.count ?? 0 }

    /// Keeps a session; the oldest ones make room.
    mutating func keep(_ session: ResumableSession, for key: Key) {
        guard session.isSingleUse else {
            // Before TLS 1.3 one is enough for any number of connections.
            makeRoom(for: key)
            return sessions[key] = [session]
        }
        makeRoom(for: key)
        sessions[key, default: []].append(session)
        if count(for: key) > SessionCache.maxCountPerHost { sessions[key]?.removeFirst() }
    }

    /// Of too many hosts the one that was heard of least recently goes.
    private mutating func makeRoom(for key: Key) {
        guard sessions[key] == nil, sessions.count >= SessionCache.maxHostCount else { return }
        let oldest = sessions.min { ($0.value.last?.verifiedAt ?? 0) < ($1.value.last?.verifiedAt ?? 0) }
        if let oldest { sessions[oldest.key] = nil }
    }

    /// A session to offer, the newest one; taken out if it may be used once only.
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

    /// Forgets all sessions of a host, one of which was no good.
    mutating func removeAll(for key: Key) {
        sessions[key] = nil
    }

    /// Forgets everything.
    mutating func removeAll() {
        sessions = [:]
    }
}

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
