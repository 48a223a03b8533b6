/// Commands to the service and its replies, matched by `correlationId` (protocol sheet §3, §4.2).
extension ChannelMachine {
    /// A command reply arrived on `link`.
    package mutating func replyReceived(_ reply: CommandReply, on link: LinkID, now: Moment) -> [Action] {
        switch state {
        case .attempting, .live, .rollingOver, .handedOver, .draining:
            break
        case .idle, .waiting, .closing, .ended:
            return []
        }
        guard let pending = takePending(answeredBy: reply, on: link) else { return [] }
        if reply.status == 200 { return accepted(pending, on: link, now: now) }
        return refused(pending, commandFailure(reply), on: link, now: now)
    }

    /// Sends the subscription on a link that just opened; without topics there is nothing to ask for.
    mutating func subscribe(_ link: LinkRecord, now: Moment) -> [Action] {
        guard !topics.isEmpty else { return confirmed(link.id, now: now) }
        return command(.confirm, topics, on: link.id, now: now)
    }

    mutating func command(
        _ purpose: PendingCommand.Purpose, _ topics: [Topic], on link: LinkID, now: Moment
    ) -> [Action] {
        let pending = PendingCommand(
            purpose: purpose, topics: topics, correlationID: random.correlationID(), timeout: settings.commandTimeout,
            now: now.instant)
        update(link) { record in
            record.pending.append(pending)
            if purpose == .remove {
                record.subscribed.subtract(topics)
            } else {
                record.subscribed.formUnion(topics)
            }
        }
        return [.send(link, pending.command)]
    }

    /// Sends what the wanted topics and those of the link differ by.
    mutating func synchronizeTopics(of link: LinkRecord, now: Moment) -> [Action] {
        let wanted = Set(topics)
        let added = topics.filter { !link.subscribed.contains($0) }
        let removed = link.subscribed.filter { !wanted.contains($0) }.sorted { $0.rawValue < $1.rawValue }
        var actions: [Action] = []
        if !removed.isEmpty { actions += command(.remove, removed, on: link.id, now: now) }
        if !added.isEmpty { actions += command(.add, added, on: link.id, now: now) }
        return actions
    }

    /// The deadline of a command passed.
    mutating func commandsOverdue(on link: LinkID, now: Moment) -> [Action] {
        guard let record = record(link) else { return [] }
        var actions: [Action] = []
        for id in record.pending.map(\.correlationID) {
            guard let index = self.record(link)?.pending.firstIndex(where: { $0.correlationID == id }) else { continue }
            var verdict = PendingCommand.Verdict.wait
            var pending = self.record(link)?.pending[index]
            verdict = pending?.deadlineReached(now: now.instant) ?? .wait
            guard let pending else { continue }
            switch verdict {
            case .wait:
                break
            case .resend:
                update(link) { $0.pending[index] = pending }
                actions.append(.send(link, pending.command))
            case .unanswered:
                update(link) { $0.pending.remove(at: index) }
                actions += refused(pending, unansweredFailure(), on: link, now: now)
            }
        }
        return actions
    }

    // MARK: - Verdicts

    private mutating func accepted(_ pending: PendingCommand, on link: LinkID, now: Moment) -> [Action] {
        switch pending.purpose {
        case .confirm:
            return confirmed(link, now: now)
        case .extend:
            lifetime.renewed(now: now)
            counts.extensionCount += 1
            return [.tell(.didRecover(recovery(.extension)))]
        case .restore(let gapFrom):
            lifetime.renewed(now: now)
            guard let gapFrom else { return [] }
            return [.tell(.didMiss(Gap(from: gapFrom, to: now.wall, reason: .channelTakenOver)))]
        case .add:
            lifetime.renewed(now: now)
            return []
        case .remove:
            return []
        }
    }

    private mutating func refused(
        _ pending: PendingCommand, _ failure: ChannelFailure, on link: LinkID, now: Moment
    ) -> [Action] {
        switch pending.purpose {
        case .confirm:
            return confirmationFailed(failure, on: link, now: now)
        case .extend:
            return act(on: lifetime.extensionFailed(), now: now)
        case .restore:
            return [.retire(link)] + lostInState(LinkEnd(failure: failure), link, now: now)
        case .add:
            topics.removeAll { pending.topics.contains($0) }
            update(link) { $0.subscribed.subtract(pending.topics) }
            let rejected = RejectedTopics(
                topics: pending.topics, status: failure.status ?? 0, message: failure.message)
            return [.tell(.didReject(rejected))]
        case .remove:
            return []
        }
    }

    private mutating func confirmationFailed(_ failure: ChannelFailure, on link: LinkID, now: Moment) -> [Action] {
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

    private mutating func lostInState(_ end: LinkEnd, _ link: LinkID, now: Moment) -> [Action] {
        guard current?.id == link else { return [] }
        if case .rollingOver = state { return lostWhileRollingOver(end, now: now) }
        return state == .live ? lost(end, now: now) : []
    }

    /// The subscription on `link` is confirmed, or there is none to confirm.
    private mutating func confirmed(_ link: LinkID, now: Moment) -> [Action] {
        guard var next = candidate, next.id == link else { return [] }
        next.confirmedAt = now
        candidate = next
        let attemptCount = max(1, reconnect.attemptCount)
        switch state {
        case .attempting:
            current = next
            candidate = nil
            state = .live
            lifetime.renewed(now: now)
            reconnect.recovered(now: now.instant)
            return firstWords(attemptCount, now: now)
                + (next.isClosingSoon ? announceMaintenance(now: now) : []) + synchronizeTopics(of: next, now: now)
        case .rollingOver:
            lifetime.renewed(now: now)
            state = .draining(until: now.instant + settings.drainTimeout)
            candidate?.suspend()
            return [.pauseReading(link)]
        case .handedOver(let since):
            lifetime.renewed(now: now)
            let slack = since.instant + ChannelMachine.handOverSlack
            let isSeamless = next.openedAt.map { $0.instant <= slack } ?? false
            let reason: FailureReason = current?.isClosingSoon == true ? .channelClosing : .connectionClosed
            let gap = isSeamless ? nil : gapAction(from: current?.lastHeard.wall, to: now.wall, reason: reason)
            current = nil
            return [gap].compactMap(\.self) + promote(now: now)
        case .idle, .waiting, .live, .draining, .closing, .ended:
            return []
        }
    }

    private mutating func firstWords(_ attemptCount: Int, now: Moment) -> [Action] {
        guard isEverConfirmed else {
            isEverConfirmed = true
            return [.tell(.didSubscribe(topics))]
        }
        counts.reconnectCount += 1
        var actions: [Action] = []
        if let loss { actions.append(.tell(.didMiss(Gap(from: loss.from, to: now.wall, reason: loss.reason)))) }
        loss = nil
        return actions + [.tell(.didRecover(recovery(.reconnect, attemptCount: attemptCount)))]
    }

    /// Does what the channel's life asks for.
    mutating func act(on verdict: Lifetime.Verdict, now: Moment) -> [Action] {
        switch verdict {
        case .wait:
            return []
        case .extend:
            guard let link = current, !topics.isEmpty else {
                lifetime.extensionImpossible()
                return [.tell(.willExpire(.lifetime(deadline: lifetime.end)))]
            }
            return command(.extend, topics, on: link.id, now: now)
        case .expire:
            return [.tell(.willExpire(.lifetime(deadline: lifetime.end)))]
        }
    }

    // MARK: - Records

    func record(_ link: LinkID) -> LinkRecord? {
        if current?.id == link { return current }
        return candidate?.id == link ? candidate : nil
    }

    mutating func update(_ link: LinkID, _ body: (inout LinkRecord) -> Void) {
        if current?.id == link {
            current.mutate(body)
        } else if candidate?.id == link {
            candidate.mutate(body)
        }
    }

    /// The oldest command that the reply answers: by its id, or any for a refusal that names none.
    private mutating func takePending(answeredBy reply: CommandReply, on link: LinkID) -> PendingCommand? {
        guard let record = record(link) else { return nil }
        let index = record.pending.firstIndex { command in
            reply.correlationID == command.correlationID || (reply.correlationID == nil && reply.status != 200)
        }
        guard let index else { return nil }
        var taken: PendingCommand?
        update(link) { taken = $0.pending.remove(at: index) }
        return taken
    }
}

extension Optional {
    /// Changes the wrapped value in place.
    fileprivate mutating func mutate(_ body: (inout Wrapped) -> Void) {
        guard var value = self else { return }
        body(&value)
        self = value
    }
}
