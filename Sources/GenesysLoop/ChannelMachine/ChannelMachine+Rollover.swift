/// Make before break: the second socket of a rollover.
///
/// Order per topic: messages that arrive on the new socket before the old one ends are held. After its confirmation the
/// new socket is not read until the old one ends, or for `drainTimeout`. `Deduplicator` removes copies.
extension ChannelMachine {
    /// The most by which the acceptance may arrive later than the old socket's orderly end.
    static let handOverSlack: Duration = .milliseconds(100)
    /// How long copies may still arrive after an overlap.
    static let overlapEcho: Duration = .seconds(5)

    mutating func startRollover(_ purpose: Purpose, to endpoint: EndpointID, now: ClockReading) -> [Action] {
        let link = makeLink(to: endpoint, now: now)
        candidate = link
        state = .rollingOver(purpose)
        rolloverDue = nil
        if leftBehind.deadline == nil { heldByteCount = 0 }
        overlapEnd = nil
        deduplicator.begin(with: link.id)
        return [.connect(link.id, endpoint)]
    }

    /// The new link failed; the old one continues.
    mutating func rolloverFailed(_ failure: ChannelFailure, purpose: Purpose, now: ClockReading) -> [Action] {
        let held = candidate.map { leaveBehind($0.id, now: now) } ?? []
        candidate = nil
        state = .live
        overlapEnd = now.instant + ChannelMachine.overlapEcho
        rolloverFailureCount += 1
        let told = held + [.tell(.didFailRollover(failure.asKind(.rollover)))]
        let repaired = told + repairSubscription(now: now) + synchronizeCurrent(now: now)
        return repaired + (startQueuedRollover(now: now) ?? maintenanceGoesOn(after: failure, purpose, now: now))
    }

    /// After a failed rollover the service's notice still applies.
    private mutating func maintenanceGoesOn(
        after failure: ChannelFailure, _ purpose: Purpose, now: ClockReading
    ) -> [Action] {
        guard let link = current, link.isClosingSoon else { return [] }
        guard link.isClosingAnnounced else { return announceMaintenance(now: now) }
        guard settings.rollover == .automatic else { return [] }
        switch (purpose, settings.reconnect) {
        case (.requested, _):
            // The host's own rollover failed: the automatic one starts now.
            rolloverDue = now.instant
        case (.maintenance, .backoff(let backoff)) where !failure.isFinalOnReconnect:
            let delay = backoff.delay(attempt: rolloverFailureCount - 1, random: &random)
            rolloverDue = now.instant + max(delay, failure.retryAfter ?? .zero)
        case (.maintenance, _):
            break
        }
        return []
    }

    /// Starts the rollover that was requested during another one.
    private mutating func startQueuedRollover(now: ClockReading) -> [Action]? {
        guard let queuedRollover else { return nil }
        self.queuedRollover = nil
        return startRollover(.requested, to: queuedRollover, now: now)
    }

    // MARK: - The old link ends first

    /// The old link ended while the new one was connecting.
    mutating func lostWhileRollingOver(_ end: LinkEnd, now: ClockReading) -> [Action] {
        guard let next = candidate, let link = current else { return [] }
        noteLoss(of: link, lossFailure(end, link))
        current = nil
        rolloverDue = nil
        overlapEnd = now.instant + ChannelMachine.overlapEcho
        let held = releaseLeftBehind() + releaseHeld(next.id)
        // Only a second socket to the same channel is a hand-over; another channel delivers from its confirmation on.
        guard end.isClean, next.endpoint == endpoint else { return held + continueAsAttempt(now: now) }
        candidate?.isDoubtful = !link.wasRead(while: next) || link.isDeprived
        state = .handedOver(since: now.instant)
        return held
    }

    /// The latest acceptance of the new socket that proves a hand-over without a break.
    ///
    /// The service accepts the new socket before it closes the old one, and both events take about the same time to
    /// arrive. Opening a connection takes at least three round trips. An acceptance that arrives later than a third of
    /// the time spent so far therefore happened after the old link's end.
    func handOverLimit(since end: Instant) -> Instant {
        guard let next = candidate else { return end }
        return end + min(ChannelMachine.handOverSlack, (end - next.createdAt.instant) / 3)
    }

    /// The rollover attempt becomes a reconnect attempt.
    mutating func continueAsAttempt(now: ClockReading) -> [Action] {
        guard let loss, let next = candidate else { return [] }
        if next.endpoint != endpoint {
            fallback = loss.failure.isFinalOnReconnect ? nil : endpoint
            endpoint = next.endpoint
        }
        _ = reconnect.lost(now: now.instant, random: &random)
        state = .attempting
        let attempt = ReconnectAttempt(number: max(1, reconnect.attemptCount), delay: .zero, failure: loss.failure)
        let told: [Action] = [.tell(.willReconnect(attempt))]
        guard let queuedRollover else { return told }
        self.queuedRollover = nil
        return told + rolloverRequested(to: queuedRollover, now: now)
    }

    /// The service closed the old socket in order, then the new one failed: this is a loss.
    mutating func handOverFailed(_ failure: ChannelFailure, now: ClockReading) -> [Action] {
        candidate = nil
        if let queuedRollover {
            self.queuedRollover = nil
            fallback = failure.isFinalOnReconnect ? nil : endpoint
            endpoint = queuedRollover
        } else if lifetime.state == .expiring {
            return finish(expiredFailure(failure))
        } else if failure.isFinalOnReconnect {
            return finish(failure.asKind(.reconnect))
        }
        let decision = reconnect.lost(retryAfter: failure.retryAfter, now: now.instant, random: &random)
        return act(on: decision, failure.asKind(.reconnect), now: now)
    }

    /// The old link ended while the new one was waiting for it.
    mutating func drained(_ link: LinkRecord, _ end: LinkEnd, now: ClockReading) -> [Action] {
        // A service that closes the old socket of a channel accepted the new one before; two channels are unrelated.
        let isHandedOver =
            candidate.map { end.isClean && $0.endpoint == link.endpoint && link.wasRead(while: $0) } ?? false
        let gap = isHandedOver && !link.isDeprived ? [] : drainedUnproven(end.failure.reason, now: now)
        current = nil
        return gap + promote(now: now)
    }

    /// Asks the old link, just before the new one takes over, whether it still delivers.
    ///
    /// Its silence may mean a dead path: then what the service sent before the new subscription is lost.
    mutating func probe(now: ClockReading) -> [Action] {
        guard let link = current else { return [] }
        current?.unansweredPingCount += 1
        current?.heartbeat.probed(now: now.instant)
        return [.send(link.id, .ping)]
    }

    /// The gap after an old link that neither answered nor sent a Close frame, or that had lost its subscription.
    ///
    /// On the same channel our own new socket takes the subscription over; another channel has no data of the old one.
    func drainedUnproven(_ reason: FailureReason, now: ClockReading) -> [Action] {
        guard let link = current else { return [] }
        let isTakenOver = link.isDeprived || link.lapse?.from != nil && link.endpoint != candidate?.endpoint
        guard !link.isProven || isTakenOver else { return [] }
        return gapAction(from: link.deliveredUntil, now: now, reason: reason)
    }

    // MARK: - The new link

    /// The confirmed, unread new link ended while the old one was being drained.
    mutating func successorLost(_ end: LinkEnd, now: ClockReading) -> [Action] {
        guard let next = candidate else { return [] }
        // The service may have accepted it long before the acceptance arrived.
        let from = next.createdAt
        let purpose: Purpose = next.endpoint == endpoint ? .maintenance : .requested
        // What the service sent only to the new socket is lost, and on the same channel it may continue to send there.
        guard next.endpoint == endpoint, !topics.isEmpty else {
            let gap = gapAction(from: from, now: now, reason: end.failure.reason)
            return rolloverFailed(end.failure, purpose: purpose, now: now) + gap
        }
        let start = current?.lapse?.from.map { $0.instant < from.instant ? $0 : from } ?? from
        current?.lapse = SubscriptionLapse(from: start, reason: end.failure.reason)
        return rolloverFailed(end.failure, purpose: purpose, now: now)
    }

    /// The new link takes over.
    mutating func promote(now: ClockReading) -> [Action] {
        guard let next = candidate else { return [] }
        var actions: [Action] = current.map { [.retire($0.id)] } ?? []
        current = next
        candidate = nil
        endpoint = next.endpoint
        asked = asked.filter { $0.key == next.endpoint }
        refreshDue = nil
        state = .live
        current?.tookOverAt = now.instant
        rolloverFailureCount = 0
        lifetime.renewed(now: next.confirmedAt ?? now)
        overlapEnd = now.instant + ChannelMachine.overlapEcho
        counts.rolloverCount += 1
        actions += releaseLeftBehind() + releaseHeld(next.id)
        actions.append(.tell(.didRecover(recovery(.rollover))))
        if !isPaused {
            current?.heartbeat.restart(now: now.instant)
            actions.append(.resumeReading(next.id))
        }
        if next.isClosingSoon { actions += announceMaintenance(now: now) }
        actions += repairSubscription(now: now) + synchronizeCurrent(now: now)
        return actions + (startQueuedRollover(now: now) ?? [])
    }

    func recovery(_ method: Recovery.Method, attemptCount: Int = 1) -> Recovery {
        var recovery = counts
        recovery.method = method
        recovery.attemptCount = attemptCount
        recovery.mergedRepeats = deduplicator.mergedCount
        return recovery
    }
}
