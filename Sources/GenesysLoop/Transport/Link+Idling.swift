/// The memory of a link that nothing comes from: OpenSSL's record buffers, and what reassembling and
/// decompressing need. An idle link holds none of it, a busy one does not allocate it anew for each read.
extension Link {
    /// So many reads, each soon after the one before, make a link a busy one. The answers to the upgrade and to the
    /// subscription, and the tickets of TLS 1.3, are fewer.
    static let burstReadCount = 4

    /// How long a busy link keeps its buffers without input.
    static let idleDelay: Duration = .milliseconds(250)

    /// What a read of the socket brought is used up.
    func readDidEnd() {
        // While it is being made, too: many connections at a time wait for their servers.
        guard phase == .open else { return releaseIdleMemory() }
        let now = loop.now.instant
        let isSoon = lastReadAt.map { now - $0 < Link.idleDelay } ?? false
        lastReadAt = now
        quickReadCount = isSoon ? min(quickReadCount + 1, Link.burstReadCount) : 0
        // The first reads for a while: most likely there is no other one soon.
        guard quickReadCount == Link.burstReadCount else { return releaseIdleMemory() }
        guard deadline == nil else { return }
        enter(.open, for: Link.idleDelay)
    }

    /// It was busy a while ago.
    func checkIdle() {
        let silence = lastReadAt.map { loop.now.instant - $0 } ?? Link.idleDelay
        guard silence < Link.idleDelay else {
            deadline = nil
            return releaseIdleMemory()
        }
        enter(.open, for: Link.idleDelay - silence)
    }

    private func releaseIdleMemory() {
        tls?.releaseBuffers()
        tunnel?.releaseBuffers()
        stream.reader.releaseIdleState()
        if outbox.isEmpty { outbox = [] }
    }
}
