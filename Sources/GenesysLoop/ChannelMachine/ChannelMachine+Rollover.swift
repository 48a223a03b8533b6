/// Two links: what happens while rolling over.
///
///     startRollover ──▶ rollingOver ──confirmed──▶ draining ──old link ended, answered, or given up──▶ promote
///                        │  │                       │ └─new link ended──▶ successorLost ──▶ live
///                        │  └─new link failed──▶ rolloverFailed ──▶ live
///                        └─old link ended──▶ lostWhileRollingOver ──▶ handedOver ──confirmed──▶ promote
///                                               └─not a hand-over──▶ continueAsAttempt ──▶ attempting
///
/// Make before break: messages that arrive on the new socket before the old one ends are held (`Overlap`). After its
/// confirmation the new socket is not read until the old one ends, or for `drainTimeout`.
extension ChannelMachine {
    /// The most by which the acceptance may arrive later than the old socket's orderly end.
    static let handOverSlack: Duration = .milliseconds(100)

    mutating func startRollover(_ purpose: Purpose, to endpoint: EndpointID, now: ClockReading) {
        let link = makeLink(to: endpoint, now: now)
        candidate = link
        state = .rollingOver(purpose)
        maintenance.settled()
        overlap.begin(with: link.id)
        emit(.connect(link.id, endpoint))
    }

    /// The new link failed; the old one continues.
    mutating func rolloverFailed(_ failure: ChannelFailure, _ purpose: Purpose, now: ClockReading) {
        overlap.onlyOneLeft(now: now.instant)
        if let candidate { leaveBehind(candidate.id, now: now) }
        candidate = nil
        state = .live
        maintenance.rolloverFailed()
        history.failedRolloverCount += 1
        emit(.tell(.didFailRollover(failure.asKind(.rollover))))
        repairSubscription(now: now)
        synchronizeCurrent(now: now)
        guard !startQueuedRollover(now: now) else { return }
        askForEcho(now: now)
        guard let link = current, link.isClosingSoon else { return }
        // The service's notice still applies.
        guard link.isClosingAnnounced else { return announceMaintenance(now: now) }
        maintenance.scheduleRetry(after: failure, purpose, settings, now: now.instant, random: &random)
    }

    /// Starts the rollover that was requested during another one.
    private mutating func startQueuedRollover(now: ClockReading) -> Bool {
        guard let endpoint = overlap.takeQueuedRollover() else { return false }
        startRollover(.requested, to: endpoint, now: now)
        return true
    }

    mutating func dropCandidate(now: ClockReading) {
        guard let link = candidate else { return }
        leaveBehind(link.id, now: now)
        candidate = nil
        emit(link.openedAt == nil ? .drop(link.id) : .retire(link.id))
    }

    // MARK: - The old link ends first

    /// The old link ended while the new one was connecting.
    mutating func lostWhileRollingOver(_ link: LinkRecord, _ end: LinkEnd, now: ClockReading) {
        guard let next = candidate else { return brokenInvariant("rolling over without a new link") }
        noteLoss(of: link, end.lossFailure(of: link))
        current = nil
        maintenance.settled()
        releaseDeferred()
        releaseHeld(next.id)
        // Only a second socket to the same channel is a hand-over; another channel delivers from its confirmation on.
        guard end.isClean, next.endpoint == endpoint else { return continueAsAttempt(now: now) }
        let isProven = link.evidence.provesHandOver(to: next.id) && !link.isDeprived
        state = .handedOver(since: now.instant, isProven: isProven)
    }

    /// When the acceptance of the new socket comes too late for a hand-over; nil unless it is awaited.
    var handOverLimit: Instant? {
        guard case .handedOver(let since, _) = state, let candidate, candidate.openedAt == nil else { return nil }
        return handOverLimit(of: candidate, since: since)
    }

    /// The latest acceptance of the new socket that proves a hand-over without a break.
    ///
    /// The service accepts the new socket before it closes the old one, and both events take about the same time to
    /// arrive. Opening a connection takes at least three round trips. An acceptance that arrives later than a third of
    /// the time spent so far therefore happened after the old link's end.
    private func handOverLimit(of next: LinkRecord, since end: Instant) -> Instant {
        end + min(ChannelMachine.handOverSlack, (end - next.createdAt.instant) / 3)
    }

    /// The new link is confirmed after the orderly end of the old one.
    mutating func handedOver(_ next: LinkRecord, since: Instant, isProven: Bool, now: ClockReading) {
        let isSoon = next.openedAt.map { $0.instant <= handOverLimit(of: next, since: since) } ?? false
        if isSoon, isProven { loss = nil } else { reportLoss(now: now) }
        promote(now: now)
    }

    /// The rollover attempt becomes a reconnect attempt: its end of the gap is the confirmation.
    mutating func continueAsAttempt(now: ClockReading) {
        guard let loss, let next = candidate else { return brokenInvariant("a new link without a loss") }
        history.lost(loss.failure)
        if next.endpoint != endpoint {
            fallback = loss.failure.isFinalOnReconnect ? nil : endpoint
            endpoint = next.endpoint
        }
        _ = reconnect.lost(now: now.instant, random: &random)
        state = .attempting
        let attempt = ReconnectAttempt(number: max(1, reconnect.attemptCount), delay: .zero, failure: loss.failure)
        emit(.tell(.willReconnect(attempt)))
        if let target = overlap.takeQueuedRollover() { redirectAttempt(to: target, now: now) }
    }

    /// The service closed the old socket in order, then the new one failed: this is a loss.
    mutating func handOverFailed(_ failure: ChannelFailure, now: ClockReading) {
        candidate = nil
        if let loss { history.lost(loss.failure) }
        history.attemptFailed(failure)
        if let target = overlap.takeQueuedRollover() {
            fallback = failure.isFinalOnReconnect ? nil : endpoint
            endpoint = target
        } else if lifetime.state == .expiring {
            return finish(expired(failure))
        } else if failure.isFinalOnReconnect {
            return finish(failure.asKind(.reconnect))
        }
        let decision = reconnect.lost(retryAfter: failure.retryAfter, now: now.instant, random: &random)
        act(on: decision, failure.asKind(.reconnect), now: now)
    }

    // MARK: - The new link is confirmed first

    /// The new link waits, unread, until the old one is read to its end.
    mutating func startDraining(_ next: LinkRecord, now: ClockReading) {
        state = .draining(until: now.instant + settings.drainTimeout)
        candidate?.heartbeat.suspend()
        candidate?.evidence.readingStalled()
        emit(.pauseReading(next.id))
        // Silence may mean a dead path: then what the service sent before the new subscription is lost (E3).
        ask(now: now)
        synchronizeTopics(of: next, now: now)
    }

    /// Asks the current link for the proof that everything sent until now has arrived.
    private mutating func ask(now: ClockReading) {
        guard let link = current else { return brokenInvariant("no link to ask") }
        current?.evidence.pinged(isQuestion: true)
        current?.heartbeat.probed(now: now.instant)
        emit(.send(link.id, .ping))
    }

    /// The old link ended while the new one was waiting for it.
    mutating func drained(_ link: LinkRecord, _ end: LinkEnd, now: ClockReading) {
        guard let next = candidate else { return brokenInvariant("draining without a new link") }
        // A service that closes the old socket of a channel accepted the new one before (E4); two channels are
        // unrelated.
        let isHandedOver =
            end.isClean && next.endpoint == link.endpoint && link.evidence.provesHandOver(to: next.id)
            && !link.isDeprived
        if !isHandedOver { reportUnproven(end.failure.reason, now: now) }
        current = nil
        promote(now: now)
    }

    mutating func drainTimedOut(now: ClockReading) {
        reportUnproven(.connectionClosed, now: now)
        promote(now: now)
    }

    /// The gap after an old link that neither answered (E3) nor sent a Close frame (E4), or that had lost its
    /// subscription (E5).
    ///
    /// On the same channel our own new socket takes the subscription over; another channel has no data of the old one.
    mutating func reportUnproven(_ reason: FailureReason, now: ClockReading) {
        guard let link = current else { return brokenInvariant("draining without an old link") }
        let isOvertaken = link.evidence.lapse?.from != nil && link.endpoint != candidate?.endpoint
        guard !link.evidence.isProven || link.isDeprived || isOvertaken else { return }
        reportGap(from: link.deliveredUntil, reason, now: now)
    }

    /// The confirmed, unread new link ended while the old one was being drained.
    mutating func successorLost(_ next: LinkRecord, _ end: LinkEnd, now: ClockReading) {
        // What the service sent only to the new socket is lost, and on the same channel it may continue to send there.
        // The service may have accepted it long before the acceptance arrived.
        let from = next.createdAt
        let isSameChannel = next.endpoint == endpoint
        let isRepaired = isSameChannel && !subscriptions.wanted.isEmpty
        if isRepaired {
            let start = from.earlier(current?.evidence.lapse?.from)
            current?.evidence.overtaken(SubscriptionLapse(from: start, reason: end.failure.reason))
        }
        rolloverFailed(end.failure, isSameChannel ? .maintenance : .requested, now: now)
        if !isRepaired { reportGap(from: from, end.failure.reason, now: now) }
    }

    /// The new link takes over.
    mutating func promote(now: ClockReading) {
        guard let next = candidate else { return brokenInvariant("no new link takes over") }
        if let current { emit(.retire(current.id)) }
        current = next
        candidate = nil
        endpoint = next.endpoint
        state = .live
        subscriptions.moved(to: next.endpoint)
        lifetime.renewed(now: next.confirmedAt ?? now)
        counts.rolloverCount += 1
        overlap.onlyOneLeft(now: now.instant)
        releaseDeferred()
        releaseHeld(next.id)
        reportRecovery(.rollover)
        if !isPaused {
            current?.heartbeat.restart(now: now.instant)
            emit(.resumeReading(next.id))
        }
        if next.isClosingSoon { announceMaintenance(now: now) }
        repairSubscription(now: now)
        synchronizeCurrent(now: now)
        if !startQueuedRollover(now: now) { askForEcho(now: now) }
    }

    // MARK: - The echo

    /// The only link left is asked: what it delivers after its pong is new (E3).
    mutating func askForEcho(now: ClockReading) {
        if overlap.echoDeadline != nil { ask(now: now) }
    }

    mutating func echoTimedOut(now: ClockReading) {
        guard let link = current else { return brokenInvariant("an echo without a link") }
        overlap.echoDeadlineReached(
            arrivedUntil: link.evidence.arrivedUntil.instant, isProven: link.evidence.isProven, now: now.instant)
    }

    // MARK: - Held messages

    /// Messages held for an ended link must still be delivered: after the old link's data, if that is unread.
    private mutating func leaveBehind(_ link: LinkID, now: ClockReading) {
        if overlap.heldByteCount > 0, let current, isPaused || current.evidence.hasBacklog {
            overlap.leaveBehind(link, now: now.instant)
        } else {
            releaseHeld(link)
        }
    }

    mutating func releaseDeferred() {
        for link in overlap.takeDeferred() { emit(.releaseHeld(link)) }
    }

    /// Delivers the messages held for a link now.
    private mutating func releaseHeld(_ link: LinkID) {
        if overlap.takeHeld() { emit(.releaseHeld(link)) }
    }

    /// Whatever ends the channel, everything held is delivered first.
    mutating func releaseEverything() {
        releaseDeferred()
        if let candidate { releaseHeld(candidate.id) }
    }
}
