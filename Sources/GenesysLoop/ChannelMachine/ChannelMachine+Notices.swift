/// Inputs from the service's notices: maintenance, takeover, revocation (protocol sheet §4.4).
extension ChannelMachine {
    /// This many notices in a row, each within a second of a confirmation, mean that the service is broken.
    static let maxPrematureNoticeCount = 30

    /// The least time between two subscriptions that only refresh after a change by another client.
    static let refreshInterval: Duration = .seconds(10)

    /// The maintenance notice arrived on `link`.
    package mutating func socketClosingReceived(on link: LinkID, now: ClockReading) -> [Action] {
        guard isDelivering, let record = record(link), !record.isClosingSoon else { return [] }
        let deadline = now.wall + settings.maintenanceNotice
        update(link) { $0.closingDeadline = deadline }
        // In other states a second socket is already being opened, or the notice is for an unconfirmed link.
        return state == .live ? announceMaintenance(now: now) : []
    }

    /// Notifies the host first: the rollover starts at the next turn of the loop, unless the host started one.
    mutating func announceMaintenance(now: ClockReading) -> [Action] {
        guard let deadline = current?.closingDeadline else { return [] }
        current?.isClosingAnnounced = true
        rolloverFailureCount = 0
        if settings.rollover == .automatic {
            rolloverDue = now.instant + rolloverDelay(now: now)
        }
        return [.tell(.willExpire(.maintenance(deadline: deadline)))]
    }

    /// Immediately, or after a jitter that spreads the channels of one process.
    ///
    /// If the service announces the end of each new socket as soon as it is confirmed, the delay grows, but stays
    /// within the minute that the service grants.
    private mutating func rolloverDelay(now: ClockReading) -> Duration {
        let confirmedAt = current?.confirmedAt?.instant ?? now.instant
        prematureNoticeCount = now.instant - confirmedAt <= .seconds(1) ? prematureNoticeCount + 1 : 0
        guard prematureNoticeCount > ChannelMachine.maxPrematureNoticeCount else {
            return random.duration(in: .zero...max(.zero, settings.rolloverJitter))
        }
        let delay = settings.reconnect.settings.delay(
            attempt: prematureNoticeCount - ChannelMachine.maxPrematureNoticeCount, random: &random)
        return min(delay, settings.maintenanceNotice / 2)
    }

    /// A system message other than the maintenance notice arrived on `link`.
    package mutating func systemMessageReceived(
        _ topic: SystemTopic, on link: LinkID, message: String?, now: ClockReading
    ) -> [Action] {
        guard isDelivering, record(link) != nil else { return [] }
        switch topic {
        case .tokenRevoked:
            return revoked(link, tokenRevokedFailure(message), now: now)
        case .noLongerSubscribed, .duplicateID:
            return takenOver(link, topic, message, now: now)
        case .subscriptionChanged:
            return lapsed(link, SubscriptionLapse(from: nil, reason: .ambiguous), now: now)
        case .unknown:
            return []
        }
    }

    private mutating func takenOver(
        _ link: LinkID, _ topic: SystemTopic, _ message: String?, now: ClockReading
    ) -> [Action] {
        if let next = candidate, next.id == link {
            // The confirmation in progress may precede this notice and then needs another one.
            candidate?.lapse = next.lapse ?? SubscriptionLapse(from: next.heardUntil, reason: .channelTakenOver)
        }
        guard let record = current, record.id == link else { return [] }
        let lapse = SubscriptionLapse(from: record.heardUntil, reason: .channelTakenOver)
        // During a rollover our own second socket causes this notice on the first one. One takeover may produce two
        // different messages, but not the same one twice.
        let isSettled = record.isRestoring(after: lapse) && !record.takeoverNotices.contains(topic)
        if state == .live { current?.takeoverNotices.insert(topic) }
        guard state == .live, !isSettled else { return lapsed(link, lapse, now: now) }
        current?.isTakenOver = true
        current?.takeoverNotices = [topic]
        guard !takeover.lossCounted(now: now.instant) else { return finishAll(takenOverFailure(nil, message: message)) }
        // The subscription in progress may precede this notice.
        return subscribeAgain(link, lapse, now: now)
    }

    /// The subscription on a confirmed link may no longer hold.
    ///
    /// While a successor is connecting, the machine does nothing about it unless that successor fails.
    private mutating func lapsed(_ link: LinkID, _ lapse: SubscriptionLapse, now: ClockReading) -> [Action] {
        switch state {
        case .live:
            guard lapse.from == nil, let refreshedAt, now.instant - refreshedAt < ChannelMachine.refreshInterval else {
                return restore(link, lapse, now: now)
            }
            // If the service repeats the notice, refreshes are limited to one per interval.
            refreshDue = refreshedAt + ChannelMachine.refreshInterval
            return []
        case .rollingOver, .draining:
            guard current?.id == link, current?.lapse?.from == nil else { return [] }
            current?.lapse = lapse
            return []
        case .idle, .waiting, .attempting, .handedOver, .closing, .ended:
            return []
        }
    }

    /// The old link outlived its successor: subscribe again to what the service took from it.
    mutating func repairSubscription(now: ClockReading) -> [Action] {
        guard let link = current, let lapse = link.lapse else { return [] }
        current?.lapse = nil
        current?.takeoverNotices = []
        return restore(link.id, lapse, now: now)
    }

    /// Subscribes again on a live link, unless a subscription is already in progress.
    private mutating func restore(_ link: LinkID, _ lapse: SubscriptionLapse, now: ClockReading) -> [Action] {
        guard let record = current, record.id == link, !record.isRestoring(after: lapse) else { return [] }
        return subscribeAgain(link, lapse, now: now)
    }

    private mutating func subscribeAgain(_ link: LinkID, _ lapse: SubscriptionLapse, now: ClockReading) -> [Action] {
        guard !topics.isEmpty else { return gapAction(from: lapse.from, now: now, reason: lapse.reason) }
        refreshedAt = now.instant
        refreshDue = nil
        return command(.restore(lapse), topics, on: link, now: now)
    }

    /// The delayed refresh is due: the subscriptions had changed again too soon after the last one.
    mutating func refreshOverdue(now: ClockReading) -> [Action] {
        guard state == .live, let refreshDue, now.instant >= refreshDue, let link = current?.id else { return [] }
        self.refreshDue = nil
        return restore(link, SubscriptionLapse(from: nil, reason: .ambiguous), now: now)
    }

    /// The tokens of the channel's user were revoked: final, unless a rollover to another channel, which may have a
    /// token of its own, is in progress.
    private mutating func revoked(_ link: LinkID, _ failure: ChannelFailure, now: ClockReading) -> [Action] {
        guard let next = candidate, next.endpoint != endpoint else { return finishAll(failure) }
        switch state {
        case .rollingOver(let purpose):
            let retired: [Action] = [.retire(link)]
            guard next.id == link else { return retired + lostWhileRollingOver(LinkEnd(failure: failure), now: now) }
            return retired + rolloverFailed(failure, purpose: purpose, now: now)
        case .draining:
            guard next.id == link else { return drainedUnproven(failure.reason, now: now) + promote(now: now) }
            return [.retire(link)] + successorLost(LinkEnd(failure: failure), now: now)
        case .idle, .waiting, .attempting, .live, .handedOver, .closing, .ended:
            return finishAll(failure)
        }
    }
}

extension LinkRecord {
    /// Whether a subscription in progress also settles `lapse`.
    func isRestoring(after lapse: SubscriptionLapse) -> Bool {
        pending.contains { command in
            guard case .restore(let other) = command.purpose else { return false }
            return other.from != nil || lapse.from == nil
        }
    }
}
