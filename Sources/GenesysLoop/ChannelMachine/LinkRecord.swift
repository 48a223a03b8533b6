/// What the channel's machine knows of one physical connection.
package struct LinkRecord: Equatable, Sendable {
    package let id: LinkID
    package let endpoint: EndpointID
    /// When the upgrade was accepted.
    package var openedAt: ClockReading?
    /// When the subscription on it was confirmed.
    package var confirmedAt: ClockReading?
    package var heartbeat: Heartbeat
    /// When it was made.
    package let createdAt: ClockReading
    /// The last moment at which bytes arrived.
    package private(set) var lastHeard: ClockReading
    /// Of the moments at which all that had arrived was read: the start of the latest burst, and of the one before.
    private var burst: ClockReading
    private var previousBurst: ClockReading
    /// Nobody looked for a while: of what lies unread nobody knows when it arrived.
    package var holdsBacklog = false
    /// When it took over: copies of what the old one delivered then may be on their way.
    package var tookOverAt: Instant?
    /// Commands sent and not answered, oldest first.
    package var pending: [PendingCommand] = []
    /// The topics that the service was asked for on this link.
    package var subscribed: Set<Topic> = []
    /// When the service closes it at the latest, after its maintenance notice.
    package var closingDeadline: WallTime?
    /// The host was told of `closingDeadline`.
    package var isClosingAnnounced = false
    /// A takeover was counted for it; its Close frame is not a second one.
    package var isTakenOver = false
    /// How the last takeover was told.
    package var takeoverNotices: Set<SystemTopic> = []
    /// What must be repaired if the link outlives the successor that brought it about.
    package var lapse: SubscriptionLapse?
    /// Application pings that were not answered yet.
    package var unansweredPingCount = 0
    /// It was asked at the end of its time whether it still delivers, and answered: nothing sent before is missing.
    package var isProven = false
    /// The old link's Close frame waited to be read: nobody knows whether it came after this one's acceptance.
    package var isDoubtful = false
    /// The successor for which a Close frame proves nothing: it may have waited to be read.
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

    /// How long what the service sent may be under way, and the least time between two bursts.
    static let transit: Duration = .seconds(1)

    /// Bytes arrived, whatever they mean: the link lives.
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

    /// The earliest of the link's own deadlines once it is open; before that the driver's per-phase deadlines hold.
    package var deadline: Instant? {
        guard openedAt != nil else { return nil }
        return pending.reduce(heartbeat.deadline) { earliest, command in
            earliest.map { min($0, command.deadline) } ?? command.deadline
        }
    }

    /// Nobody reads the link from here on.
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

    /// The last moment up to which all that the service sent is known to have arrived.
    ///
    /// That something was read now tells nothing of what was sent now: it may be under way and lost with the link, and
    /// what a blocked host or a stalled path brought in one burst may be old. But what came before the burst was whole.
    package var heardUntil: ClockReading { previousBurst }

    /// Whether another client took its subscription, which it was not given back yet.
    var isDeprived: Bool {
        pending.contains { command in
            guard case .restore(let lapse) = command.purpose else { return false }
            return lapse.from != nil
        }
    }

    /// Whether all that was sent before it took over has come.
    package var isPastEcho: Bool {
        tookOverAt.map { heardUntil.instant >= $0 } ?? true
    }

    /// It was not read during `pause`, and perhaps ended before `next` was accepted.
    mutating func missed(_ next: LinkRecord, during pause: Pause) {
        if let openedAt = next.openedAt, openedAt.instant + ChannelMachine.handOverSlack <= pause.start { return }
        doubtedSuccessor = next.id
    }

    /// Whether it was read all the time that `next` took to be accepted: so it ended after that if it looks so.
    func wasRead(while next: LinkRecord) -> Bool { doubtedSuccessor != next.id }

    /// The last moment up to which it is known to have delivered all.
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

/// Why a confirmed subscription may not hold any longer, and since when nothing may have been delivered.
package struct SubscriptionLapse: Equatable, Sendable {
    /// The start of the gap; nil when nothing was missed.
    package var from: ClockReading?
    package var reason: FailureReason

    package init(from: ClockReading?, reason: FailureReason) {
        self.from = from
        self.reason = reason
    }
}

/// An interval in which the host had nothing read: it does not count against anyone.
package struct Pause: Equatable, Sendable {
    package let start: Instant
    package let end: Instant

    package init(from start: Instant, to end: Instant) {
        self.start = start
        self.end = end
    }

    /// The part of it that lies after `instant`.
    package func length(after instant: Instant) -> Duration {
        max(.zero, end - max(start, instant))
    }

    /// The deadline of something that may take `limit`, without the part of the pause that fell into it.
    package func postponed(_ deadline: Instant, limit: Duration) -> Instant {
        deadline + length(after: deadline + (.zero - limit))
    }
}

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
