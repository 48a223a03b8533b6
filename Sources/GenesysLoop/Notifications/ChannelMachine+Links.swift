/// Inputs from links: they open, they are heard, they end.
extension ChannelMachine {
    /// The upgrade on `link` was accepted.
    package mutating func linkOpened(_ link: LinkID, now: Moment) -> [Action] {
        switch state {
        case .attempting, .rollingOver, .handedOver:
            guard var record = candidate, record.id == link, record.openedAt == nil else { return [] }
            record.openedAt = now
            record.heard(now: now)
            if isPaused { record.suspend() }
            candidate = record
            return subscribe(record, now: now) + (isPaused ? [.pauseReading(link)] : [])
        case .idle, .waiting, .live, .draining, .closing, .ended:
            return []
        }
    }

    /// Bytes arrived on `link`. Once for each read, not for each message.
    package mutating func bytesReceived(on link: LinkID, now: Moment) {
        if current?.id == link {
            current?.heard(now: now)
        } else if candidate?.id == link {
            candidate?.heard(now: now)
        }
    }

    /// `link` is gone; the driver has let go of it.
    package mutating func linkEnded(_ link: LinkID, _ end: LinkEnd, now: Moment) -> [Action] {
        switch state {
        case .idle, .waiting, .ended:
            return []
        case .attempting:
            guard candidate?.id == link else { return [] }
            candidate = nil
            return attemptFailed(end.failure, now: now)
        case .live:
            guard current?.id == link else { return [] }
            return lost(end, now: now)
        case .rollingOver(let purpose):
            if candidate?.id == link { return rolloverFailed(end.failure, purpose: purpose, now: now) }
            return current?.id == link ? lostWhileRollingOver(end, now: now) : []
        case .handedOver:
            guard candidate?.id == link else { return [] }
            return handOverFailed(end.failure, now: now)
        case .draining:
            if candidate?.id == link { return successorLost(end, now: now) }
            guard current?.id == link else { return [] }
            let gap =
                end.isClean ? [] : [gapAction(from: current?.lastHeard.wall, to: now.wall, reason: end.failure.reason)]
            current = nil
            return gap.compactMap(\.self) + promote(now: now)
        case .closing:
            forget(link)
            guard current == nil, candidate == nil else { return [] }
            state = .ended
            return [.finish(.closed)]
        }
    }

    // MARK: - Attempts

    mutating func startAttempt(now: Moment) -> [Action] {
        let link = makeLink(now: now)
        candidate = link
        state = .attempting
        return [.connect(link.id, endpoint)]
    }

    mutating func attemptFailed(_ failure: ChannelFailure, now: Moment) -> [Action] {
        guard isEverConfirmed ? !failure.isFinalOnReconnect : failure.isRetryable else {
            return finish(failure.asKind(isEverConfirmed ? .reconnect : failure.initializationKind))
        }
        let decision = reconnect.attemptFailed(retryAfter: failure.retryAfter, now: now.instant, random: &random)
        return act(on: decision, failure.asKind(isEverConfirmed ? .reconnect : failure.initializationKind), now: now)
    }

    mutating func act(on decision: Reconnect.Decision, _ failure: ChannelFailure, now: Moment) -> [Action] {
        switch decision {
        case .giveUp:
            return finish(failure)
        case .attempt(let number, let delay):
            state = .waiting(until: now.instant + delay)
            return [.tell(.willReconnect(ReconnectAttempt(number: number, delay: delay, failure: failure)))]
        }
    }

    // MARK: - Losses

    /// The only confirmed link ended without our doing.
    mutating func lost(_ end: LinkEnd, now: Moment) -> [Action] {
        let link = current
        current = nil
        rolloverDue = nil
        let failure = lossFailure(end, link)
        if lifetime.state == .expiring { return finish(expiredFailure(end.failure)) }
        if isTakeover(end, link, now: now), takeover.lossCounted(now: now.instant) {
            return finish(takenOverFailure(end.failure))
        }
        guard !failure.isFinalOnReconnect else { return finish(failure) }
        noteLoss(of: link, reason: failure.reason)
        let decision = reconnect.lost(now: now.instant, random: &random)
        if case .giveUp = decision, settings.reconnect != .never {
            return finish(failure.asKind(.reconnect))
        }
        return act(on: decision, failure, now: now)
    }

    /// The link is dead although nobody said so: abandoned at once, then a loss like any other.
    mutating func abandon(_ failure: ChannelFailure, now: Moment) -> [Action] {
        guard let link = current else { return [] }
        switch state {
        case .live:
            return [.drop(link.id)] + lost(LinkEnd(failure: failure), now: now)
        case .rollingOver:
            return [.drop(link.id)] + lostWhileRollingOver(LinkEnd(failure: failure), now: now)
        case .draining:
            let gap = gapAction(from: link.lastHeard.wall, to: now.wall, reason: failure.reason)
            current = nil
            return [.drop(link.id)] + [gap].compactMap(\.self) + promote(now: now)
        case .idle, .waiting, .attempting, .handedOver, .closing, .ended:
            return []
        }
    }

    mutating func noteLoss(of link: LinkRecord?, reason: FailureReason) {
        // An outage that follows an outage without a confirmation between them is one gap.
        guard loss == nil, let link else { return }
        loss = Loss(from: link.lastHeard.wall, reason: reason)
    }

    private func lossFailure(_ end: LinkEnd, _ link: LinkRecord?) -> ChannelFailure {
        var failure = end.failure.asKind(.receive)
        if link?.isClosingSoon == true, failure.reason == .connectionClosed { failure.reason = .channelClosing }
        return failure
    }

    /// A Close frame soon after a confirmation looks like another client on the same channel.
    private func isTakeover(_ end: LinkEnd, _ link: LinkRecord?, now: Moment) -> Bool {
        guard let link, let confirmedAt = link.confirmedAt, let code = end.closeCode else { return false }
        return code != 1012 && code != 1013 && !link.isClosingSoon && !link.isTakenOver
            && now.instant - confirmedAt.instant <= Takeover.suspicion
    }

    func gapAction(from: WallTime?, to: WallTime, reason: FailureReason) -> Action? {
        from.map { .tell(.didMiss(Gap(from: $0, to: to, reason: reason))) }
    }

    // MARK: - The end

    mutating func finish(_ failure: ChannelFailure) -> [Action] {
        state = .ended
        current = nil
        candidate = nil
        return [.finish(.failed(failure))]
    }

    mutating func forget(_ link: LinkID) {
        if current?.id == link { current = nil }
        if candidate?.id == link { candidate = nil }
    }

    mutating func dropCandidate() -> [Action] {
        guard let link = candidate else { return [] }
        let held = releaseHeld(link.id)
        candidate = nil
        return held + [link.openedAt == nil ? .drop(link.id) : .retire(link.id)]
    }

    /// What was held for a link that goes must still be delivered.
    mutating func releaseHeld(_ link: LinkID) -> [Action] {
        guard heldByteCount > 0 else { return [] }
        heldByteCount = 0
        return [.releaseHeld(link)]
    }
}
