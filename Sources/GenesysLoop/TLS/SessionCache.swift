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
