/// What was held for successors that failed while the old link had a backlog: it follows that backlog.
///
/// The loop polls between two looks: where nothing of a backlog is read meanwhile, there is none.
package struct DeferredRelease: Equatable, Sendable {
    package private(set) var links: [LinkID] = []
    /// When to look next; nil where nothing is left behind.
    package private(set) var deadline: Instant?
    private var isLastLook = false

    package init() {}

    package mutating func add(_ link: LinkID, now: Instant) {
        links.append(link)
        lookAgain(now: now)
    }

    /// The old link was read.
    ///
    /// What this read brought comes first, and a pause may keep some of it back.
    package mutating func backlogRead(isDrained: Bool, now: Instant) {
        guard isDrained else { return lookAgain(now: now) }
        deadline = now
        isLastLook = true
    }

    /// The old link may have more to read.
    package mutating func lookAgain(now: Instant) {
        guard !links.isEmpty else { return }
        deadline = now + Heartbeat.recheckDelay
        isLastLook = false
    }

    /// Whether the backlog is over.
    package mutating func deadlineReached(now: Instant) -> Bool {
        guard let deadline, now >= deadline else { return false }
        guard !isLastLook else { return true }
        self.deadline = now + Heartbeat.recheckDelay
        isLastLook = true
        return false
    }
}
