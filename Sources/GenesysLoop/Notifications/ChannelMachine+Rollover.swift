/// Make before break: the second socket of a rollover.
///
/// Order per topic: what arrives on the new socket before the old one ended is held; after the confirmation the new one
/// is not read until the old one ended, or for `drainTimeout`. Repetition: `Deduplicator`.
extension ChannelMachine {
    /// How soon after an orderly end of the old socket the new one must have been accepted for the service to have
    /// handed over without a break: it accepts the new one before it closes the old one.
    static let handOverSlack: Duration = .milliseconds(100)
    /// How long after an overlap a copy may still arrive.
    static let overlapEcho: Duration = .seconds(5)

    mutating func startRollover(_ purpose: Purpose, to endpoint: EndpointID, now: Moment) -> [Action] {
        let previous = self.endpoint
        self.endpoint = endpoint
        let link = makeLink(now: now)
        self.endpoint = previous
        candidate = link
        state = .rollingOver(purpose)
        rolloverDue = nil
        heldByteCount = 0
        overlapEnd = nil
        deduplicator.begin()
        return [.connect(link.id, endpoint)]
    }

    mutating func rolloverFailed(_ failure: ChannelFailure, purpose: Purpose, now: Moment) -> [Action] {
        let held = candidate.map { releaseHeld($0.id) } ?? []
        candidate = nil
        state = .live
        overlapEnd = now.instant + ChannelMachine.overlapEcho
        rolloverFailureCount += 1
        if purpose == .maintenance, case .backoff(let backoff) = settings.reconnect, !failure.isFinalOnReconnect {
            let delay = backoff.delay(attempt: rolloverFailureCount, random: &random)
            rolloverDue = now.instant + max(delay, failure.retryAfter ?? .zero)
        }
        return held + [.tell(.didFailRollover(failure.asKind(.rollover)))]
    }

    /// The old link ended while the new one was under way.
    mutating func lostWhileRollingOver(_ end: LinkEnd, now: Moment) -> [Action] {
        guard let next = candidate else { return lost(end, now: now) }
        if end.isClean {
            state = .handedOver(since: now)
            return releaseHeld(next.id)
        }
        // The attempt to roll over becomes the attempt to come back.
        noteLoss(of: current, reason: end.failure.reason)
        current = nil
        rolloverDue = nil
        endpoint = next.endpoint
        _ = reconnect.lost(now: now.instant, random: &random)
        state = .attempting
        let attempt = ReconnectAttempt(
            number: max(1, reconnect.attemptCount), delay: .zero, failure: end.failure.asKind(.receive))
        return releaseHeld(next.id) + [.tell(.willReconnect(attempt))]
    }

    /// The service closed the old socket in order, then the new one failed: a loss after all.
    mutating func handOverFailed(_ failure: ChannelFailure, now: Moment) -> [Action] {
        let held = candidate.map { releaseHeld($0.id) } ?? []
        candidate = nil
        noteLoss(of: current, reason: current?.isClosingSoon == true ? .channelClosing : .connectionClosed)
        current = nil
        if lifetime.state == .expiring { return held + finish(expiredFailure(failure)) }
        guard !failure.isFinalOnReconnect else { return held + finish(failure.asKind(.reconnect)) }
        let decision = reconnect.lost(now: now.instant, random: &random)
        return held + act(on: decision, failure.asKind(.reconnect), now: now)
    }

    /// The confirmed, unread new link ended while the old one was being drained.
    mutating func successorLost(_ end: LinkEnd, now: Moment) -> [Action] {
        let from = candidate?.openedAt?.wall
        let purpose: Purpose = current?.isClosingSoon == true ? .maintenance : .requested
        let actions = rolloverFailed(end.failure, purpose: purpose, now: now)
        // What the service sent to the new socket only is gone with it.
        return actions + [gapAction(from: from, to: now.wall, reason: end.failure.reason)].compactMap(\.self)
    }

    /// The new link takes over.
    mutating func promote(now: Moment) -> [Action] {
        guard let next = candidate else { return [] }
        var actions: [Action] = current.map { [.retire($0.id)] } ?? []
        current = next
        candidate = nil
        endpoint = next.endpoint
        state = .live
        rolloverFailureCount = 0
        overlapEnd = now.instant + ChannelMachine.overlapEcho
        counts.rolloverCount += 1
        actions += releaseHeld(next.id)
        actions.append(.tell(.didRecover(recovery(.rollover))))
        if !isPaused {
            current?.heartbeat.restart(now: now.instant)
            actions.append(.resumeReading(next.id))
        }
        if next.isClosingSoon { actions += announceMaintenance(now: now) }
        return actions + synchronizeTopics(of: next, now: now)
    }

    /// The maintenance notice arrived on `link`.
    package mutating func socketClosingReceived(on link: LinkID, now: Moment) -> [Action] {
        switch state {
        case .live:
            guard current?.id == link, current?.isClosingSoon == false else { return [] }
            current?.isClosingSoon = true
            return announceMaintenance(now: now)
        case .rollingOver, .draining, .attempting, .handedOver:
            // A second socket is under way already, or the notice is for the one that just opened.
            if current?.id == link { current?.isClosingSoon = true }
            if candidate?.id == link { candidate?.isClosingSoon = true }
            return []
        case .idle, .waiting, .closing, .ended:
            return []
        }
    }

    /// The host is asked first: the rollover starts at the next turn of the loop, unless the host started one.
    mutating func announceMaintenance(now: Moment) -> [Action] {
        rolloverFailureCount = 0
        if settings.rollover == .automatic {
            rolloverDue = now.instant + random.duration(in: .zero...max(.zero, settings.rolloverJitter))
        }
        return [.tell(.willExpire(.maintenance(deadline: now.wall + settings.maintenanceNotice)))]
    }

    func recovery(_ method: Recovery.Method, attemptCount: Int = 1) -> Recovery {
        var recovery = counts
        recovery.method = method
        recovery.attemptCount = attemptCount
        recovery.mergedRepeats = deduplicator.mergedCount
        return recovery
    }
}
