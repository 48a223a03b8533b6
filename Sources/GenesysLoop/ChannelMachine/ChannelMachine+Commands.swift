/// Commands to the service and its replies, matched by `correlationId` (protocol sheet §3, §4.2).
extension ChannelMachine {
    /// A command reply arrived on `link`.
    package mutating func replyReceived(_ reply: CommandReply, on link: LinkID, now: ClockReading) -> [Action] {
        switch state {
        case .attempting, .live, .rollingOver, .handedOver, .draining:
            break
        case .idle, .waiting, .closing, .ended:
            return []
        }
        guard let pending = takePending(answeredBy: reply, on: link) else { return [] }
        guard !reply.isRefused else { return refused(pending, commandFailure(reply), on: link, now: now) }
        return warning(of: pending, confirmedBy: reply) + accepted(pending, on: link, now: now)
    }

    /// Warns about single topics that the service did not name, once for each topic.
    ///
    /// Nothing is rejected: it is unknown whether the service names every topic it subscribed. A reply that names no
    /// topic proves nothing.
    private mutating func warning(of pending: PendingCommand, confirmedBy reply: CommandReply) -> [Action] {
        guard pending.purpose != .remove, !pending.isRevised, let topics = reply.topics else { return [] }
        let named = Set(topics.flatMap(\.expanded))
        let missing = pending.topics.flatMap(\.expanded).filter { topic in
            !named.contains(topic) && unconfirmed.insert(topic).inserted
        }
        return missing.isEmpty ? [] : [.warn(unconfirmed: missing)]
    }

    mutating func command(
        _ purpose: PendingCommand.Purpose, _ topics: [Topic], on link: LinkID, now: ClockReading
    ) -> [Action] {
        var pending = PendingCommand(
            purpose: purpose, topics: topics, correlationID: random.correlationID(), timeout: settings.commandTimeout,
            now: now.instant)
        let names = Set(topics)
        if purpose != .remove, let endpoint = record(link)?.endpoint {
            pending.firstAsked = names.subtracting(asked[endpoint] ?? [])
            asked[endpoint, default: []].include(names)
        }
        update(link) { record in
            record.pending.append(pending)
            if purpose == .remove {
                record.subscribed.subtract(topics)
            } else {
                record.subscribed.include(names)
            }
        }
        return [.send(link, pending.command)]
    }

    /// A host may change topics faster than the service answers. Beyond this many pending commands, further changes
    /// wait and are sent as one difference.
    static let maxPendingCount = 8

    /// Sends the topic changes that waited for an answer.
    private mutating func catchUp(on link: LinkID, now: ClockReading) -> [Action] {
        guard let current, current.id == link, current.confirmedAt != nil else { return [] }
        return synchronizeTopics(of: current, now: now)
    }

    /// Sends the difference between the wanted topics and those of the link.
    ///
    /// If there is room, new topics are added before old ones are removed: a combined topic and a single one may cover
    /// the same notifications, which must not stop in between. Nothing is removed from a channel while a second socket
    /// to it is being opened, because the order in which the service handles the two sockets is unknown. The removals
    /// follow when that socket has taken over.
    mutating func synchronizeTopics(of link: LinkRecord, now: ClockReading) -> [Action] {
        guard link.pending.count < ChannelMachine.maxPendingCount else { return [] }
        let wanted = Set(topics)
        let added = topics.filter { !link.subscribed.contains($0) }
        let isRoom = link.subscribed.count + added.count <= Topic.maxCount
        let isShared = state != .live && current?.id == link.id && candidate?.endpoint == link.endpoint
        guard isRoom || !isShared else { return [] }
        let leftovers = isShared ? [] : leftovers(of: link)
        let removed = leftovers.subtracting(wanted).sorted(by: Topic.precedes)
        let adding = added.isEmpty ? [] : command(.add, added, on: link.id, now: now)
        let removing = removed.isEmpty ? [] : command(.remove, removed, on: link.id, now: now)
        return isRoom ? adding + removing : removing + adding
    }

    mutating func synchronizeCurrent(now: ClockReading) -> [Action] {
        current.map { synchronizeTopics(of: $0, now: now) } ?? []
    }

    /// The topics that the channel may have and that no pending command removes.
    private func leftovers(of link: LinkRecord) -> Set<Topic> {
        let earlier = link.pending.reduce(asked[link.endpoint] ?? []) { left, command in
            command.purpose == .remove ? left.subtracting(command.topics) : left
        }
        return link.subscribed.union(earlier)
    }

    /// The deadline of a command passed.
    mutating func commandsOverdue(on link: LinkID, now: ClockReading) -> [Action] {
        guard let record = record(link) else { return [] }
        var actions: [Action] = []
        for var pending in record.pending {
            let id = pending.correlationID
            // An earlier command of this loop may have ended the link and its commands.
            guard let current = self.record(link),
                let index = current.pending.firstIndex(where: { $0.correlationID == id })
            else { continue }
            switch pending.deadlineReached(now: now.instant) {
            case .wait:
                break
            case .resend:
                pending.revise(topics.filter(current.subscribed.contains), subscribed: current.subscribed)
                update(link) { $0.pending[index] = pending }
                if !pending.topics.isEmpty { actions.append(.send(link, pending.command)) }
            case .unanswered:
                update(link) { $0.pending.remove(at: index) }
                actions += refused(pending, unansweredFailure(), on: link, now: now)
            }
        }
        return actions
    }

    // MARK: - Verdicts

    private mutating func accepted(_ pending: PendingCommand, on link: LinkID, now: ClockReading) -> [Action] {
        if pending.purpose != .remove { grant(pending.topics, on: link) }
        switch pending.purpose {
        case .confirm:
            return confirmed(link, now: now)
        case .extend:
            lifetime.renewed(now: now)
            counts.extensionCount += 1
            return [.tell(.didRecover(recovery(.extension)))]
        case .restore(let lapse):
            lifetime.renewed(now: now)
            return gapAction(from: lapse.from, now: now, reason: lapse.reason)
        case .add:
            lifetime.renewed(now: now)
            return catchUp(on: link, now: now)
        case .remove:
            // Topics that were requested again in the meantime stay.
            guard let record = record(link) else { return [] }
            asked[record.endpoint]?.subtract(Set(pending.topics).subtracting(record.subscribed))
            return catchUp(on: link, now: now)
        }
    }

    /// The service confirmed topics; the ones that are still wanted are granted.
    private mutating func grant(_ confirmed: [Topic], on link: LinkID) {
        let names = Set(confirmed).intersection(topics)
        // Reuse the link's set if it is equal: topics are long names, and there may be a thousand.
        if granted.isEmpty, let subscribed = record(link)?.subscribed, subscribed == names {
            granted = subscribed
        } else {
            granted.include(names)
        }
    }

    private mutating func refused(
        _ pending: PendingCommand, _ failure: ChannelFailure, on link: LinkID, now: ClockReading
    ) -> [Action] {
        switch pending.purpose {
        case .confirm:
            return confirmationFailed(failure, on: link, now: now)
        case .extend:
            return act(on: lifetime.extensionFailed(), now: now)
        case .restore(let lapse):
            if let from = lapse.from, loss == nil { loss = Loss(from: from, failure: failure) }
            return lostAfterRefusal(LinkEnd(failure: failure), link, now: now)
        case .add:
            return rejected(pending, failure, on: link) + catchUp(on: link, now: now)
        case .remove:
            // A topic that the service refuses to remove stays; an unanswered removal is tried again with the next
            // change.
            if failure.reason != .subscriptionTimeout, let endpoint = record(link)?.endpoint {
                asked[endpoint]?.subtract(pending.topics)
            }
            return []
        }
    }

    /// The service did not restore the subscription: the link is useless.
    private mutating func lostAfterRefusal(_ end: LinkEnd, _ link: LinkID, now: ClockReading) -> [Action] {
        guard current?.id == link else { return [] }
        switch state {
        case .live:
            return [.retire(link)] + lost(end, now: now)
        case .rollingOver:
            return [.retire(link)] + lostWhileRollingOver(end, now: now)
        case .draining:
            let gap = gapAction(from: loss?.from, now: now, reason: end.failure.reason)
            loss = nil
            return gap + promote(now: now)
        case .idle, .waiting, .attempting, .handedOver, .closing, .ended:
            return []
        }
    }

    /// Drops added topics from the wanted ones, unless a later command requests them again.
    private mutating func rejected(_ pending: PendingCommand, _ failure: ChannelFailure, on link: LinkID) -> [Action] {
        let later = record(link)?.pending.filter { $0.purpose == .add }.flatMap(\.topics) ?? []
        let refused = Set(pending.topics).subtracting(later)
        topics.removeAll { refused.contains($0) }
        granted.subtract(refused)
        update(link) { $0.subscribed.subtract(refused) }
        // A command that was not answered or was sent twice may have taken effect, and topics that were requested
        // earlier may be subscribed: the service must remove them.
        if failure.reason != .subscriptionTimeout, !pending.isResent, let endpoint = record(link)?.endpoint {
            asked[endpoint]?.subtract(refused.intersection(pending.firstAsked))
        }
        let rejected = RejectedTopics(topics: pending.topics, status: failure.status ?? 0, message: failure.message)
        return [.tell(.didReject(rejected))]
    }

    /// Performs the verdict on the channel's life.
    mutating func act(on verdict: Lifetime.Verdict, now: ClockReading) -> [Action] {
        switch verdict {
        case .wait:
            return []
        case .extend:
            guard let link = current else { return [] }
            guard topics.isEmpty else { return command(.extend, topics, on: link.id, now: now) }
            let end = lifetime.end
            lifetime.extensionImpossible(now: now)
            return [.tell(.willExpire(.lifetime(deadline: end)))]
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

    /// The oldest command that the reply answers: by its id, or any command if a refusal names none.
    private mutating func takePending(answeredBy reply: CommandReply, on link: LinkID) -> PendingCommand? {
        guard let record = record(link) else { return nil }
        let index = record.pending.firstIndex { command in
            reply.correlationID?.isExactly(command.correlationID) ?? reply.isRefused
        }
        guard let index else { return nil }
        var taken: PendingCommand?
        update(link) { record in
            taken = record.pending.remove(at: index)
            if record.pending.isEmpty { record.pending = [] }
        }
        return taken
    }
}

extension Set {
    /// Adds the elements of another set; an empty set shares the other's storage.
    fileprivate mutating func include(_ other: Set) {
        if isEmpty { self = other } else { formUnion(other) }
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
