/// One link: attempts, losses, the way back and the gap.
///
/// A loss: `linkEnded` → `lost` (the gap starts where `LinkEvidence` says, `Reconnect` decides the delay) →
/// `startAttempt` → `linkOpened` → `subscribe` → `confirmed` → `reconnected` (the gap is reported).
extension ChannelMachine {
    // MARK: - Inputs

    /// The upgrade on `link` was accepted.
    package mutating func linkOpened(_ link: LinkID, now: ClockReading) -> [Action] {
        switch state {
        case .attempting, .rollingOver, .handedOver:
            if let record = candidate, record.id == link, record.openedAt == nil {
                opened(record, now: now)
            } else {
                ignoreLate()
            }
        case .idle, .waiting, .live, .draining, .closing, .ended:
            ignoreLate()
        }
        return takeActions()
    }

    /// Bytes arrived on `link`.
    ///
    /// Once for each read, not for each message.
    ///
    /// - Parameter isDrained: whether the read left nothing that had arrived; a backlog has no known age.
    package mutating func bytesReceived(on link: LinkID, isDrained: Bool = true, now: ClockReading) {
        if current?.id == link {
            current?.heard(isDrained: isDrained, now: now)
            overlap.oldLinkRead(isDrained: isDrained, now: now.instant)
        } else if candidate?.id == link {
            candidate?.heard(isDrained: isDrained, now: now)
        }
    }

    /// `link` ended and the driver released it.
    package mutating func linkEnded(_ link: LinkID, _ end: LinkEnd, now: ClockReading) -> [Action] {
        guard let record = record(link) else {
            ignoreLate()
            return []
        }
        let isCandidate = candidate?.id == link
        switch state {
        case .attempting:
            candidate = nil
            attemptFailed(end.attemptFailure(of: record, isFirst: !isEverConfirmed), now: now)
        case .live:
            lost(record, end, now: now)
        case .rollingOver(let purpose) where isCandidate:
            rolloverFailed(end.attemptFailure(of: record, isFirst: false), purpose, now: now)
        case .rollingOver:
            lostWhileRollingOver(record, end, now: now)
        case .handedOver:
            handOverFailed(end.attemptFailure(of: record, isFirst: false), now: now)
        case .draining where isCandidate:
            successorLost(record, end, now: now)
        case .draining:
            drained(record, end, now: now)
        case .closing:
            forget(link)
            if current == nil, candidate == nil { finish(.closed) }
        case .idle, .waiting, .ended:
            brokenInvariant("a state without links has none that ends")
        }
        return takeActions()
    }

    // MARK: - Attempts

    mutating func startAttempt(now: ClockReading) {
        let link = makeLink(to: endpoint, now: now)
        candidate = link
        state = .attempting
        emit(.connect(link.id, endpoint))
    }

    private mutating func opened(_ record: LinkRecord, now: ClockReading) {
        var record = record
        record.opened(now: now)
        if isPaused {
            record.heartbeat.suspend()
            emit(.pauseReading(record.id))
        }
        candidate = record
        subscribe(record, now: now)
    }

    /// Requests the topics on a link that just opened; without topics there is nothing to request.
    mutating func subscribe(_ link: LinkRecord, now: ClockReading) {
        guard !subscriptions.wanted.isEmpty else { return confirmed(link.id, now: now) }
        send(.confirm, subscriptions.wanted, on: link.id, now: now)
    }

    mutating func attemptFailed(_ failure: ChannelFailure, now: ClockReading) {
        history.attemptFailed(failure)
        guard isEverConfirmed else {
            let failure = failure.asKind(failure.initializationKind)
            return failure.isRetryable ? retry(after: failure, now: now) : finish(failure)
        }
        guard failure.isFinalOnReconnect else {
            // Without another channel to connect to, an expired channel is not tried again.
            guard lifetime.state == .expiring, fallback == nil else {
                return retry(after: failure.asKind(.reconnect), now: now)
            }
            return finish(expired(loss?.failure ?? failure))
        }
        guard let fallback else { return finish(failure.asKind(.reconnect)) }
        // The other channel, which the host chose, was refused; this says nothing about the lost one.
        emit(.tell(.didFailRollover(failure.asKind(.rollover))))
        endpoint = fallback
        self.fallback = nil
        guard lifetime.state != .expiring else { return finish(expired(loss?.failure ?? failure)) }
        retry(after: failure.asKind(.reconnect), now: now)
    }

    private mutating func retry(after failure: ChannelFailure, now: ClockReading) {
        let decision = reconnect.attemptFailed(retryAfter: failure.retryAfter, now: now.instant, random: &random)
        act(on: decision, failure, now: now)
    }

    mutating func act(on decision: Reconnect.Decision, _ failure: ChannelFailure, now: ClockReading) {
        switch decision {
        case .giveUp:
            guard isEverConfirmed else { return finish(failure) }
            finish(failure.asKind(settings.reconnect == .never ? .receive : .reconnect))
        case .attempt(let number, let delay):
            state = .waiting(until: now.instant + delay)
            emit(.tell(.willReconnect(ReconnectAttempt(number: number, delay: delay, failure: failure))))
        }
    }

    // MARK: - Replies

    /// A command reply arrived on `link`.
    package mutating func replyReceived(_ reply: CommandReply, on link: LinkID, now: ClockReading) -> [Action] {
        guard isDelivering, var record = record(link),
            let pending = record.takePending(answeredBy: reply)
        else {
            ignoreLate()
            return []
        }
        store(record)
        if reply.isRefused {
            refused(pending, ChannelFailure(refusal: reply), on: record, now: now)
        } else {
            let unnamed = subscriptions.unnamed(by: reply, of: pending)
            if !unnamed.isEmpty { emit(.warn(unconfirmed: unnamed)) }
            accepted(pending, on: record, now: now)
        }
        return takeActions()
    }

    private mutating func accepted(_ pending: PendingCommand, on link: LinkRecord, now: ClockReading) {
        subscriptions.accepted(pending, on: link)
        switch pending.purpose {
        case .confirm:
            confirmed(link.id, now: now)
        case .extend:
            lifetime.renewed(now: now)
            counts.extensionCount += 1
            reportRecovery(.extension)
        case .restore(let lapse):
            lifetime.renewed(now: now)
            reportGap(from: lapse.from, lapse.reason, now: now)
        case .add:
            lifetime.renewed(now: now)
            catchUp(on: link, now: now)
        case .remove:
            catchUp(on: link, now: now)
        }
    }

    /// The service refused a command, or did not answer it.
    mutating func refused(
        _ pending: PendingCommand, _ failure: ChannelFailure, on link: LinkRecord, now: ClockReading
    ) {
        let isAnswered = failure.reason != .subscriptionTimeout
        switch pending.purpose {
        case .confirm:
            confirmationFailed(failure, on: link.id, now: now)
        case .extend:
            act(on: lifetime.extensionFailed(), now: now)
        case .restore(let lapse):
            notRestored(lapse, failure, on: link, now: now)
        case .add:
            var link = link
            subscriptions.rejected(pending, isAnswered: isAnswered, on: &link)
            store(link)
            let topics = RejectedTopics(
                topics: pending.topics, status: failure.status ?? 0, message: failure.message)
            emit(.tell(.didReject(topics)))
            catchUp(on: link, now: now)
        case .remove:
            subscriptions.removalRefused(pending, isAnswered: isAnswered, on: link)
            if isAnswered { catchUp(on: link, now: now) }
        }
    }

    mutating func send(_ purpose: PendingCommand.Purpose, _ topics: [Topic], on link: LinkID, now: ClockReading) {
        guard var record = record(link) else { return brokenInvariant("a command goes to a link in use") }
        let command = subscriptions.command(
            purpose, topics, on: &record, timeout: settings.commandTimeout, now: now.instant, random: &random)
        store(record)
        emit(.send(link, command))
    }

    // MARK: - Confirmation

    /// The subscription on `link` is confirmed, or no confirmation is needed.
    mutating func confirmed(_ link: LinkID, now: ClockReading) {
        guard var next = candidate, next.id == link else { return brokenInvariant("only a candidate is confirmed") }
        // Topics that were confirmed on the old link in the meantime must stay subscribed.
        guard subscriptions.isComplete(on: next) else {
            return send(.confirm, subscriptions.wanted, on: link, now: now)
        }
        next.confirmedAt = now
        candidate = next
        switch state {
        case .attempting:
            reconnected(next, now: now)
        case .rollingOver:
            startDraining(next, now: now)
        case .handedOver(let since, let isProven):
            handedOver(next, since: since, isProven: isProven, now: now)
        case .idle, .waiting, .live, .draining, .closing, .ended:
            brokenInvariant("these states have no candidate to confirm")
        }
    }

    /// The subscription on `link` was refused, or not answered.
    mutating func confirmationFailed(_ failure: ChannelFailure, on link: LinkID, now: ClockReading) {
        emit(.retire(link))
        switch state {
        case .attempting:
            candidate = nil
            attemptFailed(failure, now: now)
        case .rollingOver(let purpose):
            rolloverFailed(failure, purpose, now: now)
        case .handedOver:
            handOverFailed(failure, now: now)
        case .idle, .waiting, .live, .draining, .closing, .ended:
            brokenInvariant("these states have no candidate to confirm")
        }
    }

    /// The first confirmation, or the end of an outage.
    private mutating func reconnected(_ next: LinkRecord, now: ClockReading) {
        let isFirst = !isEverConfirmed
        let attemptCount = max(1, reconnect.attemptCount)
        current = next
        candidate = nil
        fallback = nil
        state = .live
        overlap.onlyOneLeft(now: now.instant)
        subscriptions.moved(to: next.endpoint)
        lifetime.renewed(now: now)
        reconnect.recovered(now: now.instant)
        if isFirst {
            emit(.tell(.didSubscribe(subscriptions.wanted)))
        } else {
            if let loss { history.reconnected(after: loss.failure) }
            counts.reconnectCount += 1
            reportLoss(now: now)
            reportRecovery(.reconnect, attemptCount: attemptCount)
        }
        announceMaintenance(now: now)
        repairSubscription(now: now)
        synchronizeCurrent(now: now)
        askForEcho(now: now)
    }

    /// The outage is over: its gap is from the loss until now.
    mutating func reportLoss(now: ClockReading) {
        guard let loss else { return brokenInvariant("an outage begins with a loss") }
        self.loss = nil
        reportGap(from: loss.from, loss.failure.reason, now: now)
    }

    // MARK: - Losses

    /// Everything that the service had for this channel until then has arrived; nil before the first confirmation.
    package var deliveredUntil: ClockReading? { loss?.from ?? current?.deliveredUntil ?? history.lastProof }

    /// The only confirmed link ended, and not at our request.
    mutating func lost(_ link: LinkRecord, _ end: LinkEnd, now: ClockReading) {
        current = nil
        history.lastProof = link.deliveredUntil
        maintenance.settled()
        let failure = end.lossFailure(of: link)
        history.lost(failure)
        if lifetime.state == .expiring { return finish(expired(end.failure)) }
        if end.isTakeover(of: link, now: now), takeover.lossCounted(settings.takeover, now: now.instant) {
            return finish(.takenOver(settings.takeover, end.failure))
        }
        guard !failure.isFinalOnReconnect else {
            return finish(failure.asKind(failure.phase == .subscribe ? .reconnect : .receive))
        }
        noteLoss(of: link, failure)
        releaseDeferred()
        act(on: reconnect.lost(now: now.instant, random: &random), failure, now: now)
    }

    /// The gap of an outage starts at the last moment at which everything is known to have arrived (`LinkEvidence`).
    mutating func noteLoss(of link: LinkRecord, _ failure: ChannelFailure) {
        // An outage that follows another without a confirmation in between belongs to the same gap.
        guard loss == nil else { return }
        loss = Loss(from: link.deliveredUntil, failure: failure)
    }

    /// Abandons the current link, which is useless although it has not ended, then handles a loss.
    ///
    /// - Parameter inOrder: whether to close it in order; a dead path would not answer.
    mutating func abandon(_ failure: ChannelFailure, inOrder: Bool, now: ClockReading) {
        guard let link = current else { return brokenInvariant("only a current link is abandoned") }
        let end = LinkEnd(failure: failure)
        emit(inOrder ? .retire(link.id) : .drop(link.id))
        switch state {
        case .live: lost(link, end, now: now)
        case .rollingOver: lostWhileRollingOver(link, end, now: now)
        case .draining: drained(link, end, now: now)
        case .idle, .waiting, .attempting, .handedOver, .closing, .ended:
            brokenInvariant("these states have no current link")
        }
    }

    /// Neither bytes nor a pong: pings, then gives the link up.
    mutating func currentIsSilent(now: ClockReading) {
        guard var link = current else { return brokenInvariant("a timer of the current link") }
        switch link.heartbeat.deadlineReached(now: now.instant) {
        case .wait:
            break
        case .ping:
            link.evidence.pinged()
            current = link
            emit(.send(link.id, .ping))
        case .lost:
            abandon(.heartbeatLost, inOrder: false, now: now)
        }
    }
}
