/// The topics of a channel: what the host wants, what the service granted, and the commands under way.
///
///     wanted ──command──▶ pending ──accepted──▶ granted
///       ▲                  │  │  ▲ half of the deadline: sent again
///       │                  │  └──┘
///       └──added at run time, refused or unanswered: no longer wanted, the host is told
///
/// Topics belong to the channel and outlive its links, so each link's record says what was requested on it, and `asked`
/// what the channel behind an endpoint may still have from earlier ones. Answers are matched by `correlationId`.
///
/// Source: protocol sheet §3, §4.2.
package struct Subscriptions: Equatable, Sendable {
    /// A host may change topics faster than the service answers. Beyond this many pending commands, further changes
    /// wait and are sent as one difference.
    package static let maxPendingCount = 8
    /// The least time between two subscriptions that only refresh after a change by another client.
    package static let refreshInterval: Duration = .seconds(10)

    /// The wanted topics, in the order in which they were given.
    package private(set) var wanted: [Topic]
    /// The wanted topics that the service confirmed on some link: a new link without them is useless.
    private var granted: Set<Topic> = []
    /// The single topics that a confirmation did not name, although its command did.
    package private(set) var unconfirmed: Set<Topic> = []
    /// The topics that the channel behind an endpoint may still have from earlier links, which topics outlive.
    private var asked: [EndpointID: Set<Topic>] = [:]
    /// When the live link was last subscribed again, and when to do so next.
    private var refreshedAt: Instant?
    package private(set) var refreshDue: Instant?

    package init(wanted: [Topic]) {
        self.wanted = wanted
    }

    package mutating func want(_ topics: [Topic]) {
        wanted = topics
        granted.formIntersection(topics)
    }

    /// Whether `link` has every topic that was confirmed before.
    package func isComplete(on link: LinkRecord) -> Bool { granted.isSubset(of: link.subscribed) }

    /// The channel moved to `endpoint`.
    package mutating func moved(to endpoint: EndpointID) {
        asked = asked.filter { $0.key == endpoint }
        refreshDue = nil
    }

    // MARK: - Commands

    package mutating func command(
        _ purpose: PendingCommand.Purpose, _ topics: [Topic], on link: inout LinkRecord, timeout: Duration,
        now: Instant, random: inout SplitMix64
    ) -> OutgoingCommand {
        var pending = PendingCommand(
            purpose: purpose, topics: topics, correlationID: random.correlationID(), timeout: timeout, now: now)
        let names = Set(topics)
        if purpose == .remove {
            link.subscribed.subtract(names)
        } else {
            pending.firstAsked = names.subtracting(asked[link.endpoint] ?? [])
            asked[link.endpoint, default: []].include(names)
            link.subscribed.include(names)
        }
        link.pending.append(pending)
        return pending.command
    }

    /// A difference between the wanted topics and those of a link, in the order in which it is sent.
    package enum Change: Equatable {
        case add([Topic])
        case remove([Topic])
    }

    /// What to send so that the link has the wanted topics.
    ///
    /// If there is room, new topics are added before old ones are removed: a combined topic and a single one may cover
    /// the same notifications, which must not stop in between. Nothing is removed from a channel while a second socket
    /// to it is being opened (`isShared`), because the order in which the service handles the two sockets is unknown.
    /// The removals follow when that socket has taken over.
    package func difference(on link: LinkRecord, isShared: Bool) -> [Change] {
        guard link.pending.count < Subscriptions.maxPendingCount else { return [] }
        let added = wanted.filter { !link.subscribed.contains($0) }
        let isRoom = link.subscribed.count + added.count <= Topic.maxCount
        guard isRoom || !isShared else { return [] }
        let removed = isShared ? [] : leftovers(of: link).subtracting(wanted).sorted(by: Topic.precedes)
        let changes: [Change] = isRoom ? [.add(added), .remove(removed)] : [.remove(removed), .add(added)]
        return changes.filter { $0 != .add([]) && $0 != .remove([]) }
    }

    /// The topics that the channel may have and that no pending command removes.
    private func leftovers(of link: LinkRecord) -> Set<Topic> {
        let earlier = link.pending.reduce(asked[link.endpoint] ?? []) { left, command in
            command.purpose == .remove ? left.subtracting(command.topics) : left
        }
        return link.subscribed.union(earlier)
    }

    /// A command whose deadline may have passed.
    package enum Overdue: Equatable {
        case wait
        case resend(OutgoingCommand)
        case unanswered(PendingCommand)
    }

    package func overdue(_ correlationID: String, on link: inout LinkRecord, now: Instant) -> Overdue {
        // An earlier command of this pass may have ended it.
        guard let index = link.pending.firstIndex(where: { $0.correlationID == correlationID }) else { return .wait }
        switch link.pending[index].deadlineReached(now: now) {
        case .wait:
            return .wait
        case .resend:
            link.pending[index].revise(wanted.filter(link.subscribed.contains), subscribed: link.subscribed)
            let pending = link.pending[index]
            return pending.topics.isEmpty ? .wait : .resend(pending.command)
        case .unanswered:
            return .unanswered(link.pending.remove(at: index))
        }
    }

    // MARK: - Answers

    /// The single topics that the service did not name, each once.
    ///
    /// Nothing is rejected: it is unknown whether the service names every topic it subscribed. A reply that names no
    /// topic proves nothing.
    package mutating func unnamed(by reply: CommandReply, of pending: PendingCommand) -> [Topic] {
        guard pending.purpose != .remove, !pending.isRevised, let topics = reply.topics else { return [] }
        let named = Set(topics.flatMap(\.expanded))
        return pending.topics.flatMap(\.expanded).filter { topic in
            !named.contains(topic) && unconfirmed.insert(topic).inserted
        }
    }

    /// The service accepted a command.
    package mutating func accepted(_ pending: PendingCommand, on link: LinkRecord) {
        guard pending.purpose != .remove else {
            // Topics that were requested again in the meantime stay.
            asked[link.endpoint]?.subtract(Set(pending.topics).subtracting(link.subscribed))
            return
        }
        let names = Set(pending.topics).intersection(wanted)
        // Reuse the link's set if it is equal: topics are long names, and there may be a thousand.
        if granted.isEmpty, link.subscribed == names { granted = link.subscribed } else { granted.include(names) }
    }

    /// The service refused topics that were added at run time, or did not answer: drops them from the wanted ones,
    /// unless a later command requests them again.
    package mutating func rejected(_ pending: PendingCommand, isAnswered: Bool, on link: inout LinkRecord) {
        let later = link.pending.filter { $0.purpose == .add }.flatMap(\.topics)
        let refused = Set(pending.topics).subtracting(later)
        wanted.removeAll { refused.contains($0) }
        granted.subtract(refused)
        link.subscribed.subtract(refused)
        // A command that was not answered or was sent twice may have taken effect, and topics that were requested
        // earlier may be subscribed: the service must remove them.
        guard isAnswered, !pending.isResent else { return }
        asked[link.endpoint]?.subtract(refused.intersection(pending.firstAsked))
    }

    /// The service refused to remove topics: they stay. An unanswered removal is tried again with the next change.
    package mutating func removalRefused(_ pending: PendingCommand, isAnswered: Bool, on link: LinkRecord) {
        if isAnswered { asked[link.endpoint]?.subtract(pending.topics) }
    }

    // MARK: - Refresh

    /// Another client changed the subscriptions: whether to subscribe again now.
    ///
    /// If the service repeats the notice, refreshes are limited to one per interval; the next one is remembered.
    package mutating func mayRefresh(now: Instant) -> Bool {
        guard let refreshedAt, now - refreshedAt < Subscriptions.refreshInterval else { return true }
        refreshDue = refreshedAt + Subscriptions.refreshInterval
        return false
    }

    /// The live link is subscribed again.
    package mutating func refreshed(now: Instant) {
        refreshedAt = now
        refreshDue = nil
    }

    /// The remembered refresh is performed, or has become unnecessary.
    package mutating func takeRefresh() {
        refreshDue = nil
    }
}

extension Set {
    /// Adds the elements of another set; an empty set shares the other's storage.
    fileprivate mutating func include(_ other: Set) {
        if isEmpty { self = other } else { formUnion(other) }
    }
}
