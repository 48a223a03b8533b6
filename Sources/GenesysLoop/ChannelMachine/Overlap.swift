/// What two sockets deliver together while one takes over from the other: in order, nothing lost, nothing repeated.
///
///     alone ──begin──▶ overlap ──one socket is left──▶ echo ──its pong, or 5 s──▶ alone
///                       │  ▲ another successor          │
///                       │  └────────────────────────────┘
///                       └─one socket is left, and nothing can come twice──▶ alone
///
/// *Order.* Messages of the new socket are held until the old one ends: `hold`, then `takeHeld`. Messages held for a
/// successor that failed come after the old socket's backlog: `leaveBehind`.
///
/// *Copies.* The service sends a notification of an overlap to both sockets, or to the new one only. `Deduplicator`
/// delivers each as often as the socket that has it most often.
///
/// *Echo.* When one socket is left, copies of what the other one delivered may still be under way on it. It is asked:
/// what it delivers after the pong is new (`LinkEvidence`, E3). A service that does not answer is given `echoLimit`,
/// and longer while no burst proves that what was sent before has arrived (E2): a stalled path may hold copies.
///
/// Source: design of the overlap, protocol sheet §5.2, §5.3.
package struct Overlap: Equatable, Sendable {
    /// How long copies may arrive on a socket that does not answer.
    package static let echoLimit: Duration = .seconds(5)

    /// The echo of the last overlap.
    private struct Echo: Equatable {
        let start: Instant
        var deadline: Instant
    }

    // The machine looks at these two after each read.
    private var deferred = DeferredRelease()
    private var echo: Echo?
    package private(set) var deduplicator = Deduplicator()
    /// The bytes of the messages that were held for the new socket, and of those beyond the limit.
    ///
    /// What is held for a failed successor counts until the first overlap after its release.
    package private(set) var heldByteCount = 0
    /// The target of a `rollover(to:)` during a rollover that could no longer be stopped.
    private var queuedTarget: EndpointID?

    package init() {}

    /// A second socket is opened.
    package mutating func begin(with successor: LinkID) {
        if deferred.links.isEmpty { heldByteCount = 0 }
        echo = nil
        deduplicator.begin(with: successor)
    }

    // MARK: - Order

    /// A message arrived on the new socket.
    ///
    /// - Returns: whether to hold it. Beyond `limit` bytes nothing is lost, but the two sockets may interleave.
    package mutating func hold(_ byteCount: Int, limit: Int) -> Bool {
        heldByteCount += byteCount
        return heldByteCount <= limit
    }

    /// The messages held for `link` may be delivered now.
    ///
    /// - Returns: whether there are any.
    package mutating func takeHeld() -> Bool {
        defer { heldByteCount = 0 }
        return heldByteCount > 0
    }

    /// `link` failed; what is held for it follows the unread data of the old socket.
    package mutating func leaveBehind(_ link: LinkID, now: Instant) {
        deferred.add(link, now: now)
    }

    /// The failed successors whose messages may be delivered now, the oldest first.
    package mutating func takeDeferred() -> [LinkID] {
        defer { deferred = DeferredRelease() }
        return deferred.links
    }

    /// Whether messages held for `link`, a failed successor, still wait.
    package func isDeferred(_ link: LinkID) -> Bool { deferred.links.contains(link) }

    /// The old socket was read.
    package mutating func oldLinkRead(isDrained: Bool, now: Instant) {
        if deferred.deadline != nil { deferred.backlogRead(isDrained: isDrained, now: now) }
    }

    /// When to look whether the old socket's backlog is read; nil if nothing waits for it.
    package var releaseDeadline: Instant? { deferred.deadline }

    /// Whether that backlog is over.
    package mutating func releaseDeadlineReached(now: Instant) -> Bool { deferred.deadlineReached(now: now) }

    // MARK: - Copies

    /// Whether to deliver a message: false for a copy.
    ///
    /// - Parameter current: the link that outlives the other one.
    package mutating func admit(_ fingerprint: UInt64, from link: LinkID, keeping current: LinkID?) -> Bool {
        !deduplicator.isActive || deduplicator.admit(fingerprint, from: link, keeping: current)
    }

    // MARK: - Echo

    /// One socket is left: the echo begins, if something that was delivered or is held may come again on it.
    package mutating func onlyOneLeft(now: Instant) {
        guard deduplicator.isActive else { return }
        guard deduplicator.rememberedCount > 0 || heldByteCount > 0 || !deferred.links.isEmpty else {
            return deduplicator.end()
        }
        echo = Echo(start: now, deadline: now + Overlap.echoLimit)
    }

    /// The socket that is left answered (E3).
    package mutating func echoAnswered() {
        // What is held for a failed successor may repeat what the socket delivered before.
        if echo != nil, deferred.links.isEmpty { endEcho() }
    }

    /// When the echo ends, or is looked at again; nil without one.
    package var echoDeadline: Instant? { echo?.deadline }

    /// No answer came in time.
    ///
    /// - Parameter arrivedUntil: everything that was sent until then has arrived.
    package mutating func echoDeadlineReached(arrivedUntil: Instant, isProven: Bool, now: Instant) {
        guard let echo, now >= echo.deadline else { return }
        guard isProven || arrivedUntil >= echo.start, deferred.links.isEmpty else {
            self.echo?.deadline = now + Overlap.echoLimit
            return
        }
        endEcho()
    }

    private mutating func endEcho() {
        echo = nil
        deduplicator.end()
    }

    /// Nothing was read during `pause`.
    package mutating func resumed(after pause: Pause) {
        deferred.lookAgain(now: pause.end)
        if let echo { self.echo?.deadline = pause.postponed(echo.deadline, limit: Overlap.echoLimit) }
    }

    // MARK: - The next rollover

    /// A `rollover(to:)` has to wait until this overlap is over.
    package mutating func queueRollover(to endpoint: EndpointID) {
        queuedTarget = endpoint
    }

    package mutating func takeQueuedRollover() -> EndpointID? {
        defer { queuedTarget = nil }
        return queuedTarget
    }
}

/// Messages held for failed successors while the old link had a backlog: they follow that backlog.
///
/// The loop polls before each `deadlineReached`. If none of the backlog is read between two of them, all of it has been
/// read.
struct DeferredRelease: Equatable, Sendable {
    /// When to look next; nil if nothing waits.
    private(set) var deadline: Instant?
    private(set) var links: [LinkID] = []
    /// The last look found nothing to read.
    private var isDrained = false

    mutating func add(_ link: LinkID, now: Instant) {
        links.append(link)
        lookAgain(now: now)
    }

    /// The old link was read.
    ///
    /// Messages of this read come first, and a pause may delay some of them.
    mutating func backlogRead(isDrained: Bool, now: Instant) {
        deadline = now
        self.isDrained = isDrained
    }

    /// The old link may have more to read.
    mutating func lookAgain(now: Instant) {
        guard !links.isEmpty else { return }
        deadline = now
        isDrained = false
    }

    /// Whether the backlog is over.
    mutating func deadlineReached(now: Instant) -> Bool {
        guard let deadline, now >= deadline else { return false }
        guard !isDrained else { return true }
        self.deadline = now
        isDrained = true
        return false
    }
}
