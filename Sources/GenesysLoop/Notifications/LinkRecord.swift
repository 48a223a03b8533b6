/// What the channel's machine knows of one physical connection.
package struct LinkRecord: Equatable, Sendable {
    package let id: LinkID
    package let endpoint: EndpointID
    /// When the upgrade was accepted.
    package var openedAt: Moment?
    /// When the subscription on it was confirmed.
    package var confirmedAt: Moment?
    package var heartbeat: Heartbeat
    /// The last two moments at which bytes arrived.
    package private(set) var lastHeard: Moment
    package private(set) var previouslyHeard: Moment
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
    /// What must be repaired if the link outlives the successor that brought it about.
    package var lapse: Lapse?
    /// It was told to give up, and has not said yet that it did.
    package var isExpired = false

    package init(id: LinkID, endpoint: EndpointID, settings: ChannelSettings, now: Moment) {
        self.id = id
        self.endpoint = endpoint
        heartbeat = Heartbeat(silence: settings.heartbeatSilence, grace: settings.heartbeatGrace, now: now.instant)
        lastHeard = now
        previouslyHeard = now
    }

    /// Bytes arrived, whatever they mean: the link lives.
    package mutating func heard(now: Moment) {
        previouslyHeard = lastHeard
        lastHeard = now
        heartbeat.heard(now: now.instant)
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
        heartbeat.restart(now: pause.end)
        for index in pending.indices { pending[index].postpone(by: pause) }
    }

    package var isClosingSoon: Bool { closingDeadline != nil }

    /// The last moment up to which it is known to have delivered all.
    package var deliveredUntil: WallTime {
        pending.reduce(min(lastHeard.wall, lapse?.from ?? lastHeard.wall)) { earliest, command in
            guard case .restore(let lapse) = command.purpose, let from = lapse.from else { return earliest }
            return min(earliest, from)
        }
    }
}
