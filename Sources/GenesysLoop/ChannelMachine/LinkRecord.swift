/// What the channel's machine knows about one connection.
package struct LinkRecord: Equatable, Sendable {
    package let id: LinkID
    package let endpoint: EndpointID
    /// When the upgrade was accepted.
    package var openedAt: ClockReading?
    /// When the subscription on it was confirmed.
    package var confirmedAt: ClockReading?
    package var heartbeat: Heartbeat
    /// When the link was made.
    package let createdAt: ClockReading
    /// The last moment at which bytes arrived.
    package private(set) var lastHeard: ClockReading
    /// The starts of the last two bursts of reads that left nothing unread: the latest, then the one before.
    private var burst: ClockReading
    private var previousBurst: ClockReading
    /// Reading stalled: unread bytes have no known arrival time.
    package var holdsBacklog = false
    /// When it took over: copies of messages that the old link delivered may still be in transit.
    package var tookOverAt: Instant?
    /// Commands sent and not answered, oldest first.
    package var pending: [PendingCommand] = []
    /// The topics requested on this link.
    package var subscribed: Set<Topic> = []
    /// The latest time at which the service closes it, after its maintenance notice.
    package var closingDeadline: WallTime?
    /// The host was notified of `closingDeadline`.
    package var isClosingAnnounced = false
    /// A takeover was counted for this link; its Close frame does not count again.
    package var isTakenOver = false
    /// The notices that reported the last takeover.
    package var takeoverNotices: Set<SystemTopic> = []
    /// What to repair if the link outlives the successor that caused it.
    package var lapse: SubscriptionLapse?
    /// Application pings without an answer.
    package var unansweredPingCount = 0
    /// It answered a ping at the end of its time: everything sent before has arrived.
    package var isProven = false
    /// The old link's Close frame was read late: it may have come before or after this link's acceptance.
    package var isDoubtful = false
    /// The successor for which a Close frame proves nothing, because it may have waited to be read.
    private var doubtedSuccessor: LinkID?

    package init(id: LinkID, endpoint: EndpointID, settings: ChannelSettings, now: ClockReading) {
        self.id = id
        self.endpoint = endpoint
        heartbeat = Heartbeat(silence: settings.heartbeatSilence, grace: settings.heartbeatGrace, now: now.instant)
        createdAt = now
        lastHeard = now
        burst = now
        previousBurst = now
    }

    /// How long data of the service may be in transit, and the least time between two bursts.
    static let transit: Duration = .seconds(1)

    /// Bytes of any meaning arrived: the link is alive.
    package mutating func heard(isDrained: Bool = true, now: ClockReading) {
        lastHeard = now
        if isDrained { noteBurst(now: now) }
        heartbeat.heard(now: now.instant)
    }

    private mutating func noteBurst(now: ClockReading) {
        guard !holdsBacklog else { return holdsBacklog = false }
        guard now.instant - burst.instant >= LinkRecord.transit else { return }
        previousBurst = burst
        burst = now
    }

    /// The earliest of the link's own deadlines once it is open; before that the driver's phase deadlines apply.
    package var deadline: Instant? {
        guard openedAt != nil else { return nil }
        return pending.reduce(heartbeat.deadline) { earliest, command in
            earliest.map { min($0, command.deadline) } ?? command.deadline
        }
    }

    /// The link is not read from here on.
    package mutating func suspend() {
        heartbeat.suspend()
    }

    /// The link is read again after `pause`.
    package mutating func resume(after pause: Pause) {
        holdsBacklog = true
        heartbeat.restart(now: pause.end)
        for index in pending.indices { pending[index].postpone(by: pause) }
    }

    package var isClosingSoon: Bool { closingDeadline != nil }

    /// The latest time up to which everything the service sent is known to have arrived.
    ///
    /// A read does not prove that data sent just now arrived: it may be in transit and be lost with the link. What a
    /// blocked host or a stalled path received in one burst may be old. Everything before that burst arrived.
    package var heardUntil: ClockReading { previousBurst }

    /// Whether another client took its subscription and the service has not restored it yet.
    var isDeprived: Bool {
        pending.contains { command in
            guard case .restore(let lapse) = command.purpose else { return false }
            return lapse.from != nil
        }
    }

    /// Whether everything sent before it took over has arrived.
    package var isPastEcho: Bool {
        tookOverAt.map { heardUntil.instant >= $0 } ?? true
    }

    /// It was not read during `pause`, and may have ended before `next` was accepted.
    mutating func missed(_ next: LinkRecord, during pause: Pause) {
        if let openedAt = next.openedAt, openedAt.instant + ChannelMachine.handOverSlack <= pause.start { return }
        doubtedSuccessor = next.id
    }

    /// Whether it was read while `next` was being accepted, so that an end read after the acceptance happened after it.
    func wasRead(while next: LinkRecord) -> Bool { doubtedSuccessor != next.id }

    /// The latest time up to which it is known to have delivered everything.
    package var deliveredUntil: ClockReading {
        pending.reduce(earlier(heardUntil, lapse?.from)) { earliest, command in
            guard case .restore(let lapse) = command.purpose else { return earliest }
            return earlier(earliest, lapse.from)
        }
    }

    private func earlier(_ moment: ClockReading, _ other: ClockReading?) -> ClockReading {
        guard let other, other.instant < moment.instant else { return moment }
        return other
    }
}

/// Why a confirmed subscription may no longer hold, and since when notifications may be missing.
package struct SubscriptionLapse: Equatable, Sendable {
    /// The start of the gap; nil when nothing was missed.
    package var from: ClockReading?
    package var reason: FailureReason

    package init(from: ClockReading?, reason: FailureReason) {
        self.from = from
        self.reason = reason
    }
}

/// An interval in which the host stopped reading; it does not count as silence.
package struct Pause: Equatable, Sendable {
    package let start: Instant
    package let end: Instant

    package init(from start: Instant, to end: Instant) {
        self.start = start
        self.end = end
    }

    /// The part of the pause after `instant`.
    package func length(after instant: Instant) -> Duration {
        max(.zero, end - max(start, instant))
    }

    /// The deadline of an operation that may take `limit`, without the part of the pause that overlaps it.
    package func postponed(_ deadline: Instant, limit: Duration) -> Instant {
        deadline + length(after: deadline + (.zero - limit))
    }
}

/// Messages held for failed successors while the old link had a backlog: they follow that backlog.
///
/// The loop polls before each `deadlineReached`. If none of the backlog is read between two of them, all of it has been
/// read.
package struct DeferredRelease: Equatable, Sendable {
    package private(set) var links: [LinkID] = []
    /// When to look next; nil if nothing waits.
    package private(set) var deadline: Instant?
    /// The last look found nothing to read.
    private var isDrained = false

    package init() {}

    package mutating func add(_ link: LinkID, now: Instant) {
        links.append(link)
        lookAgain(now: now)
    }

    /// The old link was read.
    ///
    /// Messages of this read come first, and a pause may delay some of them.
    package mutating func backlogRead(isDrained: Bool, now: Instant) {
        deadline = now
        self.isDrained = isDrained
    }

    /// The old link may have more to read.
    package mutating func lookAgain(now: Instant) {
        guard !links.isEmpty else { return }
        deadline = now
        isDrained = false
    }

    /// Whether the backlog is over.
    package mutating func deadlineReached(now: Instant) -> Bool {
        guard let deadline, now >= deadline else { return false }
        guard !isDrained else { return true }
        self.deadline = now
        isDrained = true
        return false
    }
}
