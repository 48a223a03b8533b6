package import GenesysLoop

/// A channel that was made over REST.
package struct MadeChannel: Hashable, Sendable {
    /// The life of a channel for which the service names none.
    static let usualLife: Duration = .seconds(86_400)
    /// How many channels an OAuth client may have; another one removes one.
    static let maxCount = 20

    package let id: SecretBytes
    package let uri: SecretBytes
    /// The token that made it: its calls go with this one, and it ends with it.
    package let token: Token
    /// From a confirmed subscription to its end.
    package let life: Duration
}

/// The way to one channel: quota, creation, topics.
///
///     counting ──▶ creating ──▶ subscribing ──▶ ready
///        ▲            │ ▲          │    ▲ └─ a combined topic was refused in part: the names singly
///        │   outcome  ▼ │ nothing  │ gone, once
///        │  unknown  looking       │
///        └─────────────────────────┘
///
/// The list of channels before the creation says how many there are, and which of them this token had: if the answer to
/// the creation is lost, the channel that is in the list afterwards, and was not before, is adopted. Without such a
/// list nothing is adopted, and what belongs to another channel of this account is not (`RESTReply.claimed`).
///
/// A channel that was made for an earlier move, to which the connection failed, is used if it is still in the list: it
/// gets its topics again, and none is created.
///
/// Source: platform sheet §2, traps 2, 7, 8, 19.
package struct Provisioning: Equatable, Sendable {
    package enum Step: Equatable, Sendable {
        case counting
        case creating
        /// The answer to the creation was lost.
        case looking
        /// Before the next creation.
        case pausing(until: Instant)
        case subscribing
    }

    /// What to do next.
    package enum Next: Equatable, Sendable {
        case call(RESTCall, Token?)
        case wait
        case ready(MadeChannel, TopicGrant)
        case failed(RESTFailure)
    }

    /// What the host is told.
    package enum News: Equatable, Sendable {
        /// `all` is nil if the service does not tell.
        case made(ours: Int, all: Int?)
        case gone
    }

    /// How far the life of a channel may differ from what its creation explains.
    static let lifeTolerance: Duration = .seconds(5)

    package private(set) var step = Step.counting
    /// The call under way; the parent sets it.
    package var call: CallID?
    package private(set) var channel: MadeChannel?
    /// What the host wants.
    private var wanted: [Topic]
    /// What is being asked for.
    private var topics: [Topic] = []
    private var grant: TopicGrant?
    /// Topics that the host removed while they were being asked for.
    private var forgotten: Set<Topic> = []
    /// When the last attempt of a call starts.
    package var limit: Instant?
    /// The channels of ours that exist, whatever token made them.
    private let own: Set<SecretBytes>
    /// A channel that was made for an earlier move.
    private var kept: MadeChannel?
    /// What the list before the creation had; nil without one.
    private var before: [ListedChannel]?
    private var createdAt: Instant?
    private var schedule = RetrySchedule()
    private var goneCount = 0
    /// Why a creation has no answer.
    private var loss: RESTFailure?

    package init(topics: [Topic], own: Set<SecretBytes>, limit: Instant?, kept: MadeChannel? = nil) {
        wanted = topics
        self.own = own
        self.limit = limit
        self.kept = kept
    }

    /// Whether the way leads, or may lead, to this channel.
    package func uses(_ made: MadeChannel) -> Bool { made == channel || made == kept }

    /// The host wants other topics; those that are being asked for stay.
    package mutating func topicsChanged(to topics: [Topic], removed: Set<Topic>) {
        wanted = topics
        guard step == .subscribing else { return }
        forgotten.formUnion(removed)
        grant?.forget(removed)
    }

    package mutating func begin() -> Next {
        step = .counting
        return .call(.listChannels, nil)
    }

    /// The pause before another creation is over.
    package mutating func pauseEnded(now: Instant) -> Next { create(now: now) }

    /// The call was answered.
    package mutating func answered(
        _ reply: RESTReply, now: Instant, random: inout SplitMix64
    ) -> (news: News?, next: Next) {
        switch step {
        case .counting: (nil, counted(reply, now: now))
        case .creating: created(reply, now: now)
        case .looking: looked(reply, now: now, random: &random)
        case .subscribing: subscribed(reply)
        case .pausing: (nil, .wait)
        }
    }

    // MARK: - Steps

    /// Without the list a channel can be made too.
    private mutating func counted(_ reply: RESTReply, now: Instant) -> Next {
        switch reply.result {
        case .success(.channels(let channels)):
            before = channels
            guard let kept, channels.contains(where: { $0.id == kept.id }) else { return create(now: now) }
            return subscribe(kept)
        case .success:
            return create(now: now)
        case .failure(let failure):
            // What prevents the token prevents the creation too.
            guard failure.failure.phase != .token else { return .failed(failure) }
            switch failure.cause {
            case .forbidden, .gone, .refused, .unusable, .serverError: return create(now: now)
            case .transport, .unauthorized, .throttled, .unavailable, .noToken: return .failed(failure)
            }
        }
    }

    private mutating func create(now: Instant) -> Next {
        step = .creating
        createdAt = now
        return .call(.createChannel, nil)
    }

    private mutating func created(_ reply: RESTReply, now: Instant) -> (News?, Next) {
        switch reply.result {
        case .success(.channel(let channel)):
            loss = nil
            let count = (before?.filter { $0.id != nil }.compactMap(\.id)).map { own.union($0).count } ?? own.count
            return adopt(
                channel, reply.token, ours: count + 1,
                all: before.map { min($0.count + 1, max($0.count, MadeChannel.maxCount)) })
        case .success:
            return (nil, .wait)
        case .failure(let failure):
            // The service's own failure is an answer, and no creation is repeated after it.
            guard failure.mayHaveActed, failure.cause != .serverError else { return (nil, .failed(failure)) }
            loss = failure
            step = .looking
            return (nil, .call(.listChannels, reply.token))
        }
    }

    private mutating func looked(
        _ reply: RESTReply, now: Instant, random: inout SplitMix64
    ) -> (News?, Next) {
        guard let loss else { return (nil, .wait) }
        switch reply.result {
        case .success(.channels(let channels)):
            guard let found = lost(in: channels, reply, now: now) else { break }
            let ours = own.union(channels.compactMap(\.id)).count
            return adopt(found, reply.token, ours: ours, all: channels.count)
        case .success:
            break
        case .failure(let failure):
            guard failure.isPassing else { return (nil, .failed(failure)) }
        }
        // The channel is the new one of the two; another creation is a call like another.
        switch schedule.next(after: loss, of: .listChannels, limit: limit, now: now, random: &random) {
        case .attempt(let time):
            step = .pausing(until: time)
            return (nil, .wait)
        case .giveUp:
            return (nil, .failed(loss))
        }
    }

    /// The channel that was made although the answer to its creation was lost.
    private func lost(in channels: [ListedChannel], _ reply: RESTReply, now: Instant) -> ListedChannel? {
        guard let before, let token = reply.token, let createdAt else { return nil }
        let known = own.union(before.compactMap(\.id)).union(reply.claimed)
        let unknown = channels.filter { channel in
            channel.uri != nil && channel.id.map { !known.contains($0) } ?? false
        }
        // A token that other programs have too makes channels for them: only one that fits the moment is ours.
        if !token.isExclusive {
            guard unknown.count == 1, let remaining = unknown[0].remaining else { return nil }
            let age = MadeChannel.usualLife - remaining
            guard age >= .zero - Provisioning.lifeTolerance, age <= now - createdAt + Provisioning.lifeTolerance else {
                return nil
            }
        }
        return unknown.max { ($0.remaining ?? .zero) < ($1.remaining ?? .zero) }
    }

    private mutating func adopt(
        _ listed: ListedChannel, _ token: Token?, ours: Int, all: Int?
    ) -> (News?, Next) {
        guard let id = listed.id, let uri = listed.uri, let token else { return (nil, .wait) }
        let life = listed.remaining.flatMap { $0 > .zero ? $0 : nil } ?? MadeChannel.usualLife
        // A channel of ours that is gone is in no list.
        let news = News.made(ours: all.map { min(ours, $0) } ?? ours, all: all)
        return (news, subscribe(MadeChannel(id: id, uri: uri, token: token, life: life)))
    }

    private mutating func subscribe(_ channel: MadeChannel) -> Next {
        self.channel = channel
        topics = wanted
        // A call for a channel that was found claims it.
        guard !topics.isEmpty || loss != nil else { return .ready(channel, TopicGrant()) }
        step = .subscribing
        forgotten = []
        return .call(.setTopics(topics, of: channel.id), channel.token)
    }

    private mutating func subscribed(_ reply: RESTReply) -> (News?, Next) {
        guard let channel else { return (nil, .wait) }
        switch reply.result {
        case .success(.topics(let verdicts)):
            if let grant { return (nil, .ready(channel, grant)) }
            var grant = TopicGrant(asked: topics, verdicts: verdicts)
            grant.forget(forgotten)
            self.grant = grant
            guard grant.isSplit else { return (nil, .ready(channel, grant)) }
            return (nil, .call(.setTopics(grant.permitted, of: channel.id), channel.token))
        case .success:
            return (nil, .wait)
        case .failure(let failure):
            // To another token than its own, a channel may not exist.
            let isGone = failure.cause == .gone || failure.cause == .forbidden && reply.token != channel.token
            guard isGone else { return (nil, .failed(failure)) }
            goneCount += 1
            self.channel = nil
            kept = nil
            grant = nil
            return (.gone, goneCount > 1 ? .failed(failure) : begin())
        }
    }
}
