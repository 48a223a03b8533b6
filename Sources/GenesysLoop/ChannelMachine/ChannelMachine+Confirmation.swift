/// The subscription that makes a link a confirmed one.
extension ChannelMachine {
    /// Sends the subscription on a link that just opened; without topics there is nothing to request.
    mutating func subscribe(_ link: LinkRecord, now: ClockReading) -> [Action] {
        guard !topics.isEmpty else { return confirmed(link.id, now: now) }
        return command(.confirm, topics, on: link.id, now: now)
    }

    /// The subscription on `link` is confirmed, or no confirmation is needed.
    mutating func confirmed(_ link: LinkID, now: ClockReading) -> [Action] {
        guard var next = candidate, next.id == link else { return [] }
        // Topics that were confirmed on the old link in the meantime must stay subscribed.
        guard granted.isSubset(of: next.subscribed) else { return command(.confirm, topics, on: link, now: now) }
        next.confirmedAt = now
        candidate = next
        switch state {
        case .attempting:
            return reconnected(next, now: now)
        case .rollingOver:
            state = .draining(until: now.instant + settings.drainTimeout)
            candidate?.suspend()
            return [.pauseReading(link)] + probe(now: now) + synchronizeTopics(of: next, now: now)
        case .handedOver(let since):
            let isSoon = next.openedAt.map { $0.instant <= handOverLimit(since: since) } ?? false
            let isSeamless = isSoon && !next.isDoubtful
            let gap = isSeamless ? [] : lossGap(now: now)
            loss = nil
            return gap + promote(now: now)
        case .idle, .waiting, .live, .draining, .closing, .ended:
            return []
        }
    }

    /// The first confirmation, or the end of an outage.
    private mutating func reconnected(_ next: LinkRecord, now: ClockReading) -> [Action] {
        let attemptCount = max(1, reconnect.attemptCount)
        current = next
        candidate = nil
        fallback = nil
        asked = asked.filter { $0.key == next.endpoint }
        refreshDue = nil
        state = .live
        lifetime.renewed(now: now)
        reconnect.recovered(now: now.instant)
        let announced = announceConfirmation(attemptCount, now: now) + announceMaintenance(now: now)
        return announced + repairSubscription(now: now) + synchronizeCurrent(now: now)
    }

    private mutating func announceConfirmation(_ attemptCount: Int, now: ClockReading) -> [Action] {
        guard isEverConfirmed else {
            isEverConfirmed = true
            return [.tell(.didSubscribe(topics))]
        }
        counts.reconnectCount += 1
        let gap = lossGap(now: now)
        loss = nil
        return gap + [.tell(.didRecover(recovery(.reconnect, attemptCount: attemptCount)))]
    }

    private func lossGap(now: ClockReading) -> [Action] {
        gapAction(from: loss?.from, now: now, reason: loss?.failure.reason ?? .connectionClosed)
    }

    /// The subscription on `link` was refused, or not answered.
    mutating func confirmationFailed(_ failure: ChannelFailure, on link: LinkID, now: ClockReading) -> [Action] {
        switch state {
        case .attempting:
            candidate = nil
            return [.retire(link)] + attemptFailed(failure, now: now)
        case .rollingOver(let purpose):
            return [.retire(link)] + rolloverFailed(failure, purpose: purpose, now: now)
        case .handedOver:
            return [.retire(link)] + handOverFailed(failure, now: now)
        case .idle, .waiting, .live, .draining, .closing, .ended:
            return []
        }
    }
}
