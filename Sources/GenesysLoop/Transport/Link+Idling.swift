/// The memory of a link that nothing comes from: OpenSSL's record buffers, some 33 KiB, and what reassembling and
/// decompressing need. An idle link holds none of it, a busy one does not allocate it anew for each read.
extension Link {
    /// How long a busy link keeps its buffers without input.
    static let idleDelay: Duration = .milliseconds(250)

    /// What a read of the socket brought is used up.
    func readDidEnd() {
        guard phase == .open else { return releaseIdleMemory() }
        let now = loop.now.instant
        defer { lastReadAt = now }
        // The first read for a while: most likely there is no other one soon.
        guard let lastReadAt, now - lastReadAt < Link.idleDelay else { return releaseIdleMemory() }
        guard deadline == nil else { return }
        enter(.open, for: Link.idleDelay)
    }

    /// It was busy a while ago.
    func considerIdle() {
        let silence = lastReadAt.map { loop.now.instant - $0 } ?? Link.idleDelay
        guard silence < Link.idleDelay else {
            deadline = nil
            return releaseIdleMemory()
        }
        enter(.open, for: Link.idleDelay - silence)
    }

    private func releaseIdleMemory() {
        tls?.releaseBuffers()
        stream.reader.releaseIdleState()
    }
}
