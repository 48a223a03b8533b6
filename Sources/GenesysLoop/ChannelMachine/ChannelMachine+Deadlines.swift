/// Time. The driver owns one timer and sets it to `nextDeadline` after each pass.
extension ChannelMachine {
    /// The least drift between the clocks that means the host was suspended or its clock was set.
    static let suspensionSlack: Duration = .seconds(5)

    /// The earliest instant at which something is due; nil when nothing is.
    package var nextDeadline: Instant? {
        switch state {
        case .idle, .ended:
            return nil
        case .waiting(let until), .closing(let until):
            return until
        case .attempting:
            return isPaused ? nil : candidate?.deadline
        case .live:
            // A rollover does not wait for the host: data on the new socket stays in it.
            let due = earliest(lifetime.deadline, rolloverDue)
            guard !isPaused else { return due }
            return earliest(earliest(due, refreshDue, leftBehind.deadline), current?.deadline, overlapEnd)
        case .rollingOver:
            guard !isPaused else { return lifetime.deadline }
            let due = earliest(lifetime.deadline, leftBehind.deadline)
            return earliest(current?.deadline, candidate?.deadline, due)
        case .handedOver(let since):
            guard candidate?.openedAt != nil else { return handOverLimit(since: since) }
            return isPaused ? nil : candidate?.deadline
        case .draining(let until):
            return isPaused ? nil : earliest(until, current?.deadline)
        }
    }

    /// Does everything that is due at `now`.
    ///
    /// The loop has polled since the deadline (see `DueTimers`), so bytes that arrived in time have been read. Calling
    /// it early does nothing.
    package mutating func deadlineReached(now: ClockReading) -> [Action] {
        noticeSuspension(now: now)
        switch state {
        case .idle, .ended:
            return []
        case .waiting(let until):
            return now.instant >= until ? startAttempt(now: now) : []
        case .attempting:
            return isPaused ? [] : candidateOverdue(now: now)
        case .live:
            return liveOverdue(now: now)
        case .rollingOver:
            let actions = lifeOverdue(now: now)
            guard !isPaused else { return actions }
            return actions + backlogOverdue(now: now) + candidateOverdue(now: now) + linkOverdue(current, now: now)
        case .handedOver(let since):
            return handOverOverdue(handOverLimit(since: since), now: now)
        case .draining(let until):
            guard !isPaused else { return [] }
            guard now.instant >= until else { return linkOverdue(current, now: now) }
            return drainedUnproven(.connectionClosed, now: now) + promote(now: now)
        case .closing(let until):
            return now.instant >= until ? closingOverdue() : []
        }
    }

    /// A new socket accepted this late after the end of the old one is a loss, not a hand-over.
    private mutating func handOverOverdue(_ limit: Instant, now: ClockReading) -> [Action] {
        guard candidate?.openedAt != nil else { return now.instant >= limit ? continueAsAttempt(now: now) : [] }
        return isPaused ? [] : candidateOverdue(now: now)
    }

    private mutating func liveOverdue(now: ClockReading) -> [Action] {
        var actions = lifeOverdue(now: now)
        if let rolloverDue, now.instant >= rolloverDue {
            actions += startRollover(.maintenance, to: endpoint, now: now)
        }
        guard !isPaused else { return actions }
        actions += backlogOverdue(now: now)
        if let overlapEnd, now.instant >= overlapEnd { echoOver(now: now) }
        return actions + refreshOverdue(now: now) + linkOverdue(current, now: now)
    }

    /// Copies may be stuck on a stalled path: the echo lasts until everything sent before the overlap ended has
    /// arrived.
    private mutating func echoOver(now: ClockReading) {
        let isHeard = current?.isPastEcho ?? true && leftBehind.deadline == nil
        overlapEnd = isHeard ? nil : now.instant + ChannelMachine.overlapEcho
        if isHeard { deduplicator.end() }
    }

    private mutating func backlogOverdue(now: ClockReading) -> [Action] {
        leftBehind.deadlineReached(now: now.instant) ? releaseLeftBehind() : []
    }

    private mutating func lifeOverdue(now: ClockReading) -> [Action] {
        act(on: lifetime.deadlineReached(now: now), now: now)
    }

    /// Checks the silence of a confirmed link, and its commands.
    private mutating func linkOverdue(_ link: LinkRecord?, now: ClockReading) -> [Action] {
        guard let link, var heartbeat = record(link.id)?.heartbeat else { return [] }
        let verdict = heartbeat.deadlineReached(now: now.instant)
        update(link.id) { $0.heartbeat = heartbeat }
        switch verdict {
        case .wait:
            return commandsOverdue(on: link.id, now: now)
        case .ping:
            update(link.id) { $0.unansweredPingCount += 1 }
            return [.send(link.id, .ping)] + commandsOverdue(on: link.id, now: now)
        case .lost:
            return abandon(heartbeatFailure(), now: now)
        }
    }

    /// The deadline of its subscription limits the silence of an unconfirmed link.
    private mutating func candidateOverdue(now: ClockReading) -> [Action] {
        guard let link = candidate, link.openedAt != nil else { return [] }
        if let deadline = link.heartbeat.deadline, now.instant >= deadline {
            update(link.id) { $0.heartbeat.restart(now: now.instant) }
        }
        return commandsOverdue(on: link.id, now: now)
    }

    private mutating func closingOverdue() -> [Action] {
        let dropped = [current, candidate].compactMap(\.self).map { Action.drop($0.id) }
        state = .ended
        current = nil
        candidate = nil
        return dropped + [.finish(.closed)]
    }

    /// A suspended host received nothing because it slept: silence counts from its wake-up.
    private mutating func noticeSuspension(now: ClockReading) {
        defer { clocks = now }
        guard let clocks else { return }
        let monotonic = now.instant - clocks.instant
        let civil = now.wall - clocks.wall
        guard civil - monotonic > ChannelMachine.suspensionSlack, !isPaused else { return }
        current?.heartbeat.hostAwoke(now: now.instant)
        candidate?.heartbeat.hostAwoke(now: now.instant)
        current?.holdsBacklog = true
        candidate?.holdsBacklog = true
    }

    /// The loop was blocked: unread bytes have no known arrival time.
    ///
    /// The driver calls it before it reads them, and `deadlineReached` afterwards.
    package mutating func loopWasLate(now: ClockReading) {
        current?.holdsBacklog = true
        candidate?.holdsBacklog = true
    }

    private func earliest(_ one: Instant?, _ other: Instant?, _ third: Instant? = nil) -> Instant? {
        // Called after every read: no array, however short.
        var first = one
        if let other { first = min(first ?? other, other) }
        if let third { first = min(first ?? third, third) }
        return first
    }
}
