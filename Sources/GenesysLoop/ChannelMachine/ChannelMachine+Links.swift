/// Inputs from links: they open, receive bytes, and end.
extension ChannelMachine {
    /// The upgrade on `link` was accepted.
    package mutating func linkOpened(_ link: LinkID, now: ClockReading) -> [Action] {
        switch state {
        case .attempting, .rollingOver, .handedOver:
            guard var record = candidate, record.id == link, record.openedAt == nil else { return [] }
            record.openedAt = now
            record.heard(now: now)
            if isPaused { record.suspend() }
            candidate = record
            return (isPaused ? [.pauseReading(link)] : []) + subscribe(record, now: now)
        case .idle, .waiting, .live, .draining, .closing, .ended:
            return []
        }
    }

    /// Bytes arrived on `link`.
    ///
    /// Once for each read, not for each message.
    ///
    /// - Parameter isDrained: whether the read left nothing that had arrived; a backlog has no known age.
    package mutating func bytesReceived(on link: LinkID, isDrained: Bool = true, now: ClockReading) {
        if current?.id == link {
            current?.heard(isDrained: isDrained, now: now)
            if leftBehind.deadline != nil { leftBehind.backlogRead(isDrained: isDrained, now: now.instant) }
        } else if candidate?.id == link {
            candidate?.heard(isDrained: isDrained, now: now)
        }
    }

    /// `link` ended and the driver released it.
    package mutating func linkEnded(_ link: LinkID, _ end: LinkEnd, now: ClockReading) -> [Action] {
        switch state {
        case .idle, .waiting, .ended:
            return []
        case .attempting:
            guard let record = candidate, record.id == link else { return [] }
            candidate = nil
            return attemptFailed(attemptFailure(end, record), now: now)
        case .live:
            guard current?.id == link else { return [] }
            return lost(end, now: now)
        case .rollingOver(let purpose):
            if let record = candidate, record.id == link {
                return rolloverFailed(attemptFailure(end, record), purpose: purpose, now: now)
            }
            return current?.id == link ? lostWhileRollingOver(end, now: now) : []
        case .handedOver:
            guard let record = candidate, record.id == link else { return [] }
            return handOverFailed(attemptFailure(end, record), now: now)
        case .draining:
            if candidate?.id == link { return successorLost(end, now: now) }
            guard let record = current, record.id == link else { return [] }
            return drained(record, end, now: now)
        case .closing:
            forget(link)
            guard current == nil, candidate == nil else { return [] }
            state = .ended
            return [.finish(.closed)]
        }
    }

    // MARK: - Attempts

    mutating func startAttempt(now: ClockReading) -> [Action] {
        let link = makeLink(to: endpoint, now: now)
        candidate = link
        state = .attempting
        return [.connect(link.id, endpoint)]
    }

    mutating func attemptFailed(_ failure: ChannelFailure, now: ClockReading) -> [Action] {
        guard isEverConfirmed else {
            let failure = failure.asKind(failure.initializationKind)
            return failure.isRetryable ? retry(after: failure, now: now) : finish(failure)
        }
        guard failure.isFinalOnReconnect else {
            // Without another channel to connect to, an expired channel is not tried again.
            guard lifetime.state == .expiring, fallback == nil else {
                return retry(after: failure.asKind(.reconnect), now: now)
            }
            return finish(expiredFailure(loss?.failure ?? failure))
        }
        guard let fallback else { return finish(failure.asKind(.reconnect)) }
        // The other channel, which the host chose, was refused; this says nothing about the lost one.
        let told: [Action] = [.tell(.didFailRollover(failure.asKind(.rollover)))]
        endpoint = fallback
        self.fallback = nil
        guard lifetime.state != .expiring else { return told + finish(expiredFailure(loss?.failure ?? failure)) }
        return told + retry(after: failure.asKind(.reconnect), now: now)
    }

    private mutating func retry(after failure: ChannelFailure, now: ClockReading) -> [Action] {
        let decision = reconnect.attemptFailed(retryAfter: failure.retryAfter, now: now.instant, random: &random)
        return act(on: decision, failure, now: now)
    }

    mutating func act(on decision: Reconnect.Decision, _ failure: ChannelFailure, now: ClockReading) -> [Action] {
        switch decision {
        case .giveUp:
            guard isEverConfirmed else { return finish(failure) }
            return finish(failure.asKind(settings.reconnect == .never ? .receive : .reconnect))
        case .attempt(let number, let delay):
            state = .waiting(until: now.instant + delay)
            return [.tell(.willReconnect(ReconnectAttempt(number: number, delay: delay, failure: failure)))]
        }
    }

    // MARK: - Losses

    /// The only confirmed link ended, and not at our request.
    mutating func lost(_ end: LinkEnd, now: ClockReading) -> [Action] {
        guard let link = current else { return [] }
        current = nil
        rolloverDue = nil
        let failure = lossFailure(end, link)
        if lifetime.state == .expiring { return finish(expiredFailure(end.failure)) }
        if isTakeover(end, link, now: now), takeover.lossCounted(now: now.instant) {
            return finish(takenOverFailure(end.failure))
        }
        guard !failure.isFinalOnReconnect else {
            return finish(failure.asKind(failure.phase == .subscribe ? .reconnect : .receive))
        }
        noteLoss(of: link, failure)
        return releaseLeftBehind() + act(on: reconnect.lost(now: now.instant, random: &random), failure, now: now)
    }

    /// Abandons a link that is dead without an end, then handles a loss.
    mutating func abandon(_ failure: ChannelFailure, now: ClockReading) -> [Action] {
        guard let link = current else { return [] }
        let end = LinkEnd(failure: failure)
        switch state {
        case .live:
            return [.drop(link.id)] + lost(end, now: now)
        case .rollingOver:
            return [.drop(link.id)] + lostWhileRollingOver(end, now: now)
        case .draining:
            return [.drop(link.id)] + drained(link, end, now: now)
        case .idle, .waiting, .attempting, .handedOver, .closing, .ended:
            return []
        }
    }

    mutating func noteLoss(of link: LinkRecord, _ failure: ChannelFailure) {
        // An outage that follows another without a confirmation in between belongs to the same gap.
        guard loss == nil else { return }
        loss = Loss(from: link.deliveredUntil, failure: failure)
    }

    // MARK: - The end

    mutating func finish(_ failure: ChannelFailure) -> [Action] {
        state = .ended
        current = nil
        candidate = nil
        return [.finish(.failed(failure))]
    }

    /// Ends the channel, closes every link in order, and delivers everything held.
    mutating func finishAll(_ failure: ChannelFailure) -> [Action] {
        let held = releaseLeftBehind() + (candidate.map { releaseHeld($0.id) } ?? [])
        let links = [current, candidate].compactMap(\.self)
        let retired: [Action] = links.map { $0.openedAt == nil ? .drop($0.id) : .retire($0.id) }
        return held + retired + finish(failure)
    }

    mutating func forget(_ link: LinkID) {
        if current?.id == link { current = nil }
        if candidate?.id == link { candidate = nil }
    }

    mutating func dropCandidate(now: ClockReading) -> [Action] {
        guard let link = candidate else { return [] }
        let held = leaveBehind(link.id, now: now)
        candidate = nil
        return held + [link.openedAt == nil ? .drop(link.id) : .retire(link.id)]
    }

    /// Messages held for an ended link must still be delivered: after the old link's data, if that is unread.
    mutating func leaveBehind(_ link: LinkID, now: ClockReading) -> [Action] {
        guard heldByteCount > 0, let current, isPaused || current.holdsBacklog else { return releaseHeld(link) }
        leftBehind.add(link, now: now.instant)
        return []
    }

    mutating func releaseLeftBehind() -> [Action] {
        guard leftBehind.deadline != nil else { return [] }
        defer { leftBehind = DeferredRelease() }
        return leftBehind.links.map { .releaseHeld($0) }
    }

    /// Delivers the messages held for an ended link now.
    mutating func releaseHeld(_ link: LinkID) -> [Action] {
        guard heldByteCount > 0 else { return [] }
        heldByteCount = 0
        return [.releaseHeld(link)]
    }
}
