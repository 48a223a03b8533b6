/// What the channel's machine knows about one connection.
package struct LinkRecord: Equatable, Sendable {
    package let id: LinkID
    package let endpoint: EndpointID
    package internal(set) var heartbeat: Heartbeat
    package internal(set) var evidence: LinkEvidence
    package let createdAt: ClockReading
    /// When the upgrade was accepted.
    package private(set) var openedAt: ClockReading?
    /// When the subscription on it was confirmed.
    package internal(set) var confirmedAt: ClockReading?
    /// Commands sent and not answered, oldest first.
    package internal(set) var pending: [PendingCommand] = []
    /// The topics requested on this link.
    package internal(set) var subscribed: Set<Topic> = []
    /// The latest time at which the service closes it, after its maintenance notice.
    package internal(set) var closingDeadline: WallTime?
    /// The host was notified of `closingDeadline`.
    package internal(set) var isClosingAnnounced = false
    /// A takeover was counted for this link; its Close frame does not count again.
    package internal(set) var isTakenOver = false
    /// The notices that reported the last takeover.
    package internal(set) var takeoverNotices: Set<SystemTopic> = []

    package init(id: LinkID, endpoint: EndpointID, settings: ChannelSettings, now: ClockReading) {
        self.id = id
        self.endpoint = endpoint
        heartbeat = Heartbeat(silence: settings.heartbeatSilence, grace: settings.heartbeatGrace, now: now.instant)
        createdAt = now
        evidence = LinkEvidence(now: now)
    }

    package var isClosingSoon: Bool { closingDeadline != nil }

    /// Its upgrade was accepted.
    mutating func opened(now: ClockReading) {
        openedAt = now
        heard(isDrained: true, now: now)
    }

    /// Bytes of any meaning arrived: the link is alive.
    mutating func heard(isDrained: Bool, now: ClockReading) {
        evidence.read(isDrained: isDrained, now: now)
        heartbeat.heard(now: now.instant)
    }

    /// The host was suspended: its silence proves nothing, nor does the next read.
    mutating func hostAwoke(now: Instant) {
        heartbeat.hostAwoke(now: now)
        evidence.readingStalled()
    }

    /// The link is read again after `pause`.
    mutating func resume(after pause: Pause) {
        evidence.readingStalled()
        heartbeat.restart(now: pause.end)
        for index in pending.indices { pending[index].postpone(by: pause) }
    }

    /// When the first of its commands is resent or fails; nil without one.
    var commandDeadline: Instant? {
        pending.first.map { first in pending.dropFirst().reduce(first.deadline) { min($0, $1.deadline) } }
    }

    /// The oldest command that the reply answers: by its id, or any command if a refusal names none.
    mutating func takePending(answeredBy reply: CommandReply) -> PendingCommand? {
        let index = pending.firstIndex { command in
            reply.correlationID?.isExactly(command.correlationID) ?? reply.isRefused
        }
        guard let index else { return nil }
        let taken = pending.remove(at: index)
        // Gives the storage back: most links wait for their next command for hours.
        if pending.isEmpty { pending = [] }
        return taken
    }

    // MARK: - Its subscription

    /// The restorations that the service has not confirmed yet.
    private var restorations: some Sequence<SubscriptionLapse> {
        pending.lazy.compactMap { command in
            guard case .restore(let lapse) = command.purpose else { return nil }
            return lapse
        }
    }

    /// Whether a restoration in progress also settles `lapse`.
    func isRestoring(after lapse: SubscriptionLapse) -> Bool {
        restorations.contains { $0.from != nil || lapse.from == nil }
    }

    /// Whether another client took its subscription and the service has not restored it yet.
    var isDeprived: Bool { restorations.contains { $0.from != nil } }

    /// Everything that the service had for this subscription until then has arrived: where a gap begins.
    package var deliveredUntil: ClockReading {
        restorations.reduce(evidence.deliveredUntil) { $0.earlier($1.from) }
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
