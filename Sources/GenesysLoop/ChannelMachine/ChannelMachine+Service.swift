/// Messages of the service: notifications, replies, notices. `notificationReceived` is on the hot path: no array, no
/// time, no copy.
extension ChannelMachine {
    /// Whether the driver must pass fingerprints: only during an overlap and its echo.
    package var wantsFingerprints: Bool { overlap.deduplicator.isActive }

    /// Whether messages other than notifications are still reported.
    package var isDelivering: Bool {
        switch state {
        case .attempting, .live, .rollingOver, .handedOver, .draining: true
        case .idle, .waiting, .closing, .ended: false
        }
    }

    /// Whether messages on `link` must wait for the end of the old socket.
    package func isHolding(_ link: LinkID) -> Bool {
        guard !overlap.isDeferred(link) else { return true }
        return switch state {
        case .rollingOver, .draining: candidate?.id == link
        case .idle, .waiting, .attempting, .live, .handedOver, .closing, .ended: false
        }
    }

    /// Whether every notification on `link` is delivered immediately, until the machine gets another input.
    package func deliversDirectly(on link: LinkID) -> Bool {
        switch state {
        case .live: current?.id == link && !wantsFingerprints
        case .idle, .waiting, .attempting, .rollingOver, .handedOver, .draining, .closing, .ended: false
        }
    }

    /// A notification arrived on `link`.
    ///
    /// - Parameters:
    ///   - fingerprint: of its bytes, where `wantsFingerprints`; otherwise any number.
    ///   - byteCount: of the message.
    package mutating func notificationReceived(on link: LinkID, fingerprint: UInt64, byteCount: Int) -> Verdict {
        switch state {
        case .live:
            return current?.id == link ? admitted(fingerprint, from: link) : .ignore
        case .attempting:
            // Topics may have been set over REST, so notifications before the confirmation are delivered.
            guard candidate?.id == link, candidate?.openedAt != nil else { return .ignore }
            return admitted(fingerprint, from: link)
        case .rollingOver, .draining:
            if current?.id == link { return admitted(fingerprint, from: link) }
            guard candidate?.id == link else { return .ignore }
            return overlap.hold(byteCount, limit: settings.maxHeldByteCount)
                ? .hold : admitted(fingerprint, from: link)
        case .handedOver:
            return candidate?.id == link ? admitted(fingerprint, from: link) : .ignore
        case .idle, .waiting, .closing, .ended:
            return .ignore
        }
    }

    /// A notification that was held for `link` is about to be delivered.
    ///
    /// The link itself may have ended, and a failed channel still delivers what it held.
    package mutating func heldNotificationReleased(from link: LinkID, fingerprint: UInt64) -> Verdict {
        switch state {
        case .waiting, .attempting, .live, .rollingOver, .handedOver, .draining:
            admitted(fingerprint, from: link)
        case .ended:
            isSilent ? .ignore : admitted(fingerprint, from: link)
        case .idle, .closing:
            .ignore
        }
    }

    private mutating func admitted(_ fingerprint: UInt64, from link: LinkID) -> Verdict {
        overlap.admit(fingerprint, from: link, keeping: current?.id) ? .deliver : .ignore
    }

    /// A message other than a notification arrived on `link`.
    ///
    /// - Parameters:
    ///   - kind: the class of `message`.
    ///   - envelope: the result of scanning it.
    /// - Returns: the actions; nil if the message means nothing to a channel, which is reported to the host.
    package mutating func controlMessageReceived(
        _ kind: MessageClass, _ envelope: Envelope, in message: Span<UInt8>, on link: LinkID, now: ClockReading
    ) -> [Action]? {
        switch kind {
        case .notification, .unrecognized, .system(.unknown):
            return nil
        case .heartbeat:
            return []
        case .pong:
            pongReceived(on: link, now: now)
            return []
        case .socketClosing:
            return socketClosingReceived(on: link, now: now)
        case .reply(let reply):
            return replyReceived(reply, on: link, now: now)
        case .system(let topic):
            let text = envelope.members(of: envelope.eventBody, in: message).message?.string(in: message)
            return systemMessageReceived(topic, on: link, message: text, now: now)
        }
    }

    /// A pong answered the application ping on `link`.
    package mutating func pongReceived(on link: LinkID, now: ClockReading) {
        guard var record = current, record.id == link else { return ignoreLate() }
        if let roundTrip = record.heartbeat.pongReceived(now: now.instant) {
            history.pingAnswered(after: roundTrip)
        }
        let isProof = record.evidence.answered()
        current = record
        if isProof, state == .live { overlap.echoAnswered() }
    }

    // MARK: - Commands

    /// The service did not restore the subscription: the link is useless.
    mutating func notRestored(
        _ lapse: SubscriptionLapse, _ failure: ChannelFailure, on link: LinkRecord, now: ClockReading
    ) {
        guard current?.id == link.id else { return ignoreLate() }
        guard case .draining = state else {
            if lapse.from != nil { current?.evidence.overtaken(lapse) }
            return abandon(failure, inOrder: true, now: now)
        }
        if let from = lapse.from {
            reportGap(from: from, failure.reason, now: now)
        } else {
            // A refresh restores nothing: the link has delivered until it is given up here.
            reportUnproven(failure.reason, now: now)
        }
        promote(now: now)
    }

    /// The deadline of a command passed.
    mutating func commandsOverdue(on link: LinkID, now: ClockReading) {
        for id in record(link)?.pending.map(\.correlationID) ?? [] {
            // An earlier command of this loop may have ended the link.
            guard var record = record(link) else { return }
            let overdue = subscriptions.overdue(id, on: &record, now: now.instant)
            store(record)
            switch overdue {
            case .wait: break
            case .resend(let command): emit(.send(link, command))
            case .unanswered(let pending): refused(pending, .unansweredCommand, on: record, now: now)
            }
        }
    }

    /// Sends the topic changes that waited for an answer.
    mutating func catchUp(on link: LinkRecord, now: ClockReading) {
        if current?.id == link.id { synchronizeCurrent(now: now) }
    }

    mutating func synchronizeCurrent(now: ClockReading) {
        if let current { synchronizeTopics(of: current, now: now) }
    }

    /// Sends the difference between the wanted topics and those of the link.
    mutating func synchronizeTopics(of link: LinkRecord, now: ClockReading) {
        let isShared = state != .live && current?.id == link.id && candidate?.endpoint == link.endpoint
        for change in subscriptions.difference(on: link, isShared: isShared) {
            switch change {
            case .add(let topics): send(.add, topics, on: link.id, now: now)
            case .remove(let topics): send(.remove, topics, on: link.id, now: now)
            }
        }
    }

    /// Performs the verdict on the channel's life.
    mutating func act(on verdict: Lifetime.Verdict, now: ClockReading) {
        switch verdict {
        case .wait:
            break
        case .extend where subscriptions.wanted.isEmpty:
            emit(.tell(.willExpire(.lifetime(deadline: lifetime.end))))
            lifetime.extensionImpossible(now: now)
        case .extend:
            guard let current else { return brokenInvariant("a channel's life is extended on its link") }
            send(.extend, subscriptions.wanted, on: current.id, now: now)
        case .expire:
            emit(.tell(.willExpire(.lifetime(deadline: lifetime.end))))
        }
    }

    /// The channel's life ended, and with it the link or the attempt that failed.
    func expired(_ cause: ChannelFailure) -> ChannelFailure {
        ChannelFailure(
            kind: settings.extendsLifetime ? .lifetimeExtension : .receive, reason: .channelExpired, phase: .open,
            message: cause.message, underlying: cause.underlying, causeText: cause.causeText)
    }
}

/// Notices of the service: maintenance, takeover, revocation (protocol sheet §4.4).
extension ChannelMachine {
    /// The maintenance notice arrived on `link`.
    package mutating func socketClosingReceived(on link: LinkID, now: ClockReading) -> [Action] {
        guard isDelivering, var record = record(link), !record.isClosingSoon else {
            ignoreLate()
            return []
        }
        record.closingDeadline = now.wall + settings.maintenanceNotice
        store(record)
        // In other states a second socket is already being opened, or the notice is for an unconfirmed link.
        if state == .live { announceMaintenance(now: now) }
        return takeActions()
    }

    mutating func announceMaintenance(now: ClockReading) {
        guard let link = current, let deadline = link.closingDeadline else { return }
        current?.isClosingAnnounced = true
        maintenance.announced(
            confirmedAt: link.confirmedAt?.instant ?? now.instant, settings, now: now.instant, random: &random)
        emit(.tell(.willExpire(.maintenance(deadline: deadline))))
    }

    /// A system message other than the maintenance notice arrived on `link`.
    package mutating func systemMessageReceived(
        _ topic: SystemTopic, on link: LinkID, message: String?, now: ClockReading
    ) -> [Action] {
        guard isDelivering, let record = record(link) else {
            ignoreLate()
            return []
        }
        switch topic {
        case .tokenRevoked:
            revoked(record, message, now: now)
        case .noLongerSubscribed, .duplicateID:
            takenOver(record, topic, message, now: now)
        case .subscriptionChanged:
            lapsed(record, SubscriptionLapse(from: nil, reason: .ambiguous), now: now)
        case .unknown:
            break
        }
        return takeActions()
    }

    private mutating func takenOver(
        _ link: LinkRecord, _ topic: SystemTopic, _ message: String?, now: ClockReading
    ) {
        let lapse = SubscriptionLapse(from: link.evidence.arrivedUntil, reason: .channelTakenOver)
        guard current?.id == link.id else {
            // The confirmation in progress may precede this notice and then needs another one.
            if link.evidence.lapse == nil { candidate?.evidence.overtaken(lapse) }
            return
        }
        // During a rollover our own second socket causes this notice on the first one. One takeover may produce two
        // different messages, but not the same one twice.
        let isSettled = link.isRestoring(after: lapse) && !link.takeoverNotices.contains(topic)
        if state == .live { current?.takeoverNotices.insert(topic) }
        guard state == .live, !isSettled else { return lapsed(link, lapse, now: now) }
        current?.isTakenOver = true
        current?.takeoverNotices = [topic]
        guard !takeover.lossCounted(settings.takeover, now: now.instant) else {
            return finishAll(.takenOver(settings.takeover, nil, message: message))
        }
        // The subscription in progress may precede this notice.
        subscribeAgain(link, lapse, now: now)
    }

    /// The subscription on a confirmed link may no longer hold.
    ///
    /// While a successor is connecting, the machine does nothing about it unless that successor fails.
    private mutating func lapsed(_ link: LinkRecord, _ lapse: SubscriptionLapse, now: ClockReading) {
        switch state {
        case .live:
            if lapse.from != nil || subscriptions.mayRefresh(now: now.instant) { restore(link, lapse, now: now) }
        case .rollingOver, .draining:
            guard current?.id == link.id, link.evidence.lapse?.from == nil else { return ignoreLate() }
            current?.evidence.overtaken(lapse)
        case .idle, .waiting, .attempting, .handedOver, .closing, .ended:
            // The confirmation in progress subscribes anyway.
            ignoreLate()
        }
    }

    /// The old link outlived its successor: subscribe again to what the service took from it.
    mutating func repairSubscription(now: ClockReading) {
        guard var link = current, let lapse = link.evidence.lapse else { return }
        link.evidence.repairing()
        link.takeoverNotices = []
        current = link
        restore(link, lapse, now: now)
    }

    /// The delayed refresh is due: the subscriptions had changed again too soon after the last one.
    mutating func refresh(now: ClockReading) {
        guard let link = current else { return brokenInvariant("a refresh without a link") }
        subscriptions.takeRefresh()
        restore(link, SubscriptionLapse(from: nil, reason: .ambiguous), now: now)
    }

    /// Subscribes again on the live link, unless a subscription in progress settles the lapse.
    private mutating func restore(_ link: LinkRecord, _ lapse: SubscriptionLapse, now: ClockReading) {
        if !link.isRestoring(after: lapse) { subscribeAgain(link, lapse, now: now) }
    }

    private mutating func subscribeAgain(_ link: LinkRecord, _ lapse: SubscriptionLapse, now: ClockReading) {
        guard !subscriptions.wanted.isEmpty else { return reportGap(from: lapse.from, lapse.reason, now: now) }
        subscriptions.refreshed(now: now.instant)
        send(.restore(lapse), subscriptions.wanted, on: link.id, now: now)
    }

    /// The tokens of the channel's user were revoked: final, unless a rollover to another channel, which may have a
    /// token of its own, is in progress.
    private mutating func revoked(_ link: LinkRecord, _ message: String?, now: ClockReading) {
        let failure = revocation(message)
        guard let next = candidate, next.endpoint != endpoint else { return finishAll(failure) }
        let isCandidate = next.id == link.id
        switch state {
        case .rollingOver(let purpose):
            emit(.retire(link.id))
            if isCandidate {
                rolloverFailed(failure, purpose, now: now)
            } else {
                lostWhileRollingOver(link, LinkEnd(failure: failure), now: now)
            }
        case .draining where isCandidate:
            emit(.retire(link.id))
            successorLost(link, LinkEnd(failure: failure), now: now)
        case .draining:
            reportUnproven(failure.reason, now: now)
            promote(now: now)
        case .idle, .waiting, .attempting, .live, .handedOver, .closing, .ended:
            finishAll(failure)
        }
    }

    private func revocation(_ message: String?) -> ChannelFailure {
        let kind: ChannelFailure.Kind = isEverConfirmed ? current == nil ? .reconnect : .receive : .authorization
        return ChannelFailure(
            kind: kind, reason: .tokenRevoked, phase: current == nil ? .subscribe : .open,
            message: message.map { String($0.prefix(500)) })
    }
}
