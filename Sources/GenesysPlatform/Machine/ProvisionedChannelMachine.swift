package import GenesysLoop

/// The life of one channel that is made over REST and kept, as a value: it takes facts and returns actions.
///
///     idle ──open()──▶ providing ◀──────delay over────── waiting
///                       │      ▲                          ▲   ▲
///                  ready│      └─ a move was under way ─┐ │   │gone
///                       ▼                               │ │   │
///                     opening ──gone, once──────────────┼─┘   │
///                       │                               │     │
///              confirmed▼                               │     │
///                      live ────────────────────────────┴─────┘
///
///     idle, providing, waiting ─close()─▶ ended      opening, live ─close()─▶ closing ─▶ ended
///     all ─final failure─▶ ended
///
/// In `live` it may move to a fresh channel, for which the open `NotificationChannel` rolls over:
///
///     at rest ──token renewed, life ends, host──▶ preparing ──ready──▶ rollingOver ──arrived──▶ at rest
///                                                  │   ▲  │             ▲  │
///                                            failed│   │  └──▶ ready ───┘  │failed
///                                                  ▼   │delay over         │
///                                                 postponed ◀──────────────┘
///
/// A *channel* here is one of the service, made over REST; the `NotificationChannel` is what the host receives from. It
/// lives through moves, and a new one is opened only when the channel was gone.
///
/// Topics are set over REST before a connection to a channel, and over the WebSocket afterwards. A channel's calls go
/// with the token that made it. Children decide: `Provisioning` about the way to a channel, `TopicGrant` what was
/// permitted, `Replacement` when to give up.
package struct ProvisionedChannelMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        case idle
        /// `provisioning` is making a channel; none is open.
        case providing
        /// Before the next one.
        case waiting(until: Instant)
        /// `channel` is open and not confirmed.
        case opening
        /// `channel` is confirmed.
        case live
        case closing
        case ended
    }

    /// A channel to which the open `NotificationChannel` moves.
    package struct Successor: Equatable, Sendable {
        package let channel: MadeChannel
        package internal(set) var grant: TopicGrant
    }

    /// The move to a fresh channel; only in `live`.
    package enum Move: Equatable, Sendable {
        /// `provisioning` is making it.
        case preparing
        /// After a failure. The channel that was made for it may be used for the next attempt.
        case postponed(until: Instant, kept: MadeChannel?)
        /// Another rollover of the open channel, such as one for maintenance, ends first.
        case ready(Successor)
        case rollingOver(Successor)
    }

    /// What was lost, until another channel is confirmed.
    struct Loss: Equatable, Sendable {
        /// The start of the gap; nil before the first confirmation.
        var from: WallTime?
        var reason: FailureReason
    }

    package internal(set) var state = State.idle
    package internal(set) var move: Move?
    package internal(set) var channel: MadeChannel?
    package internal(set) var provisioning: Provisioning?
    /// Successors that were given up, although the `NotificationChannel` may still arrive there, the latest last.
    var abandoned: [Successor] = []
    /// What the host wants.
    package internal(set) var wanted: [Topic]
    /// What the open `NotificationChannel` wants.
    var subscribed: [Topic] = []
    var grant = TopicGrant()
    /// Refused over the WebSocket since the last time the topics were set over REST.
    var refusedAtRunTime: Set<Topic> = []
    /// Refusals that the host knows: those of the last time, and those over the WebSocket since.
    var told: Set<Topic> = []
    package internal(set) var replacement: Replacement
    var loss: Loss?
    /// Why the open channel reconnects; nil while it is connected.
    var outage: FailureReason?
    /// The present token of the account.
    var token: Token?
    /// When the move begins because the channel's life ends.
    var moveDue: Instant?
    var failedMoves = 0
    var counts = Recovery(method: .reconnect)
    /// The counts of channels before the open one.
    var earlier = Recovery(method: .reconnect)
    private(set) var connectionState = ChannelState.idle
    var random: SplitMix64
    private var nextCall: UInt64
    private var actions: [Action] = []

    /// Creates a machine.
    ///
    /// - Parameters:
    ///   - topics: what the host wants.
    ///   - policy: that of the channel: its totals cover token, REST and connection.
    ///   - firstCall: the number of its first call; machines of one REST machine have ranges of their own.
    package init(topics: [Topic], policy: ReconnectPolicy, firstCall: UInt64 = 1, seed: UInt64) {
        wanted = topics
        replacement = Replacement(policy: policy)
        nextCall = firstCall
        random = SplitMix64(seed: seed)
    }

    // MARK: - Actions

    mutating func emit(_ action: Action) { actions.append(action) }

    mutating func takeActions() -> [Action] {
        guard !actions.isEmpty else { return [] }
        defer { actions = [] }
        return actions
    }

    /// An input that is late is legal: an answer to what was given up.
    func ignoreLate() {}

    /// Only a mistake in this machine leads here: found in debug builds, ignored in release builds.
    func brokenInvariant(_ rule: StaticString) { assertionFailure("\(rule)") }

    mutating func call(_ call: RESTCall, _ token: Token?, limit: Instant?) -> CallID {
        let id = CallID(rawValue: nextCall)
        nextCall &+= 1
        emit(.call(id, call, token, limit: limit))
        return id
    }

    // MARK: - What the host sees

    /// The channels where the open `NotificationChannel` may be, the likeliest first.
    package var places: [SecretBytes] {
        var successors = abandoned
        if case .rollingOver(let successor) = move { successors.append(successor) }
        return successors.reversed().map(\.channel.uri) + (channel.map { [$0.uri] } ?? [])
    }

    package var channelState: ChannelState {
        switch state {
        case .idle: .idle
        case .providing, .waiting, .opening: replacement.isConfirmed ? .recovering : .connecting
        case .live: connectionState
        case .closing: .closing
        case .ended: .ended
        }
    }

    /// The state of the open `NotificationChannel` changed. Its end is reported by another input.
    package mutating func channelChanged(to state: ChannelState) {
        if state != .ended { connectionState = state }
    }

    // MARK: - Inputs of the host

    package mutating func openRequested(now: Instant) -> [Action] {
        guard state == .idle else { return [] }
        replacement.opened(now: now)
        provide()
        return takeActions()
    }

    /// `close()`: only the terminal call follows.
    package mutating func closeRequested() -> [Action] {
        switch state {
        case .idle, .providing, .waiting:
            stopProvisioning()
            finish(.closed)
        case .opening, .live:
            stopProvisioning()
            move = nil
            state = .closing
            emit(.closeChannel)
        case .closing, .ended:
            break
        }
        return takeActions()
    }

    /// The host wants other topics: over the WebSocket if there is one.
    package mutating func topicsChanged(to topics: [Topic]) -> [Action] {
        let removed = Set(wanted).subtracting(topics)
        wanted = topics
        // A topic that is removed and added again is asked for again.
        forget(removed)
        refusedAtRunTime.subtract(removed.flatMap(\.expanded))
        told.subtract(removed.flatMap { $0.expanded + [$0] })
        provisioning?.topicsChanged(to: topics, removed: removed)
        if state == .live { synchronize() }
        return takeActions()
    }

    private mutating func forget(_ topics: Set<Topic>) {
        grant.forget(topics)
        for index in abandoned.indices { abandoned[index].grant.forget(topics) }
        switch move {
        case .ready(var successor):
            successor.grant.forget(topics)
            move = .ready(successor)
        case .rollingOver(var successor):
            successor.grant.forget(topics)
            move = .rollingOver(successor)
        case nil, .preparing, .postponed:
            break
        }
    }

    /// `move()`: the host wants a fresh channel.
    package mutating func moveRequested() -> [Action] {
        switch state {
        case .live: startMove()
        case .idle, .providing, .waiting, .opening, .closing, .ended: break
        }
        return takeActions()
    }

    // MARK: - Timers

    package var nextDeadline: Instant? {
        ProvisioningTimer.allCases.compactMap(deadline).min()
    }

    package mutating func deadlineReached(now: Instant) -> [Action] {
        for timer in ProvisioningTimer.allCases {
            guard let deadline = deadline(of: timer), deadline <= now else { continue }
            switch timer {
            case .replacement: provide()
            case .creation: continueProvisioning { $0.pauseEnded(now: now) }
            case .move, .life:
                moveDue = nil
                startMove()
            }
        }
        return takeActions()
    }

    private func deadline(of timer: ProvisioningTimer) -> Instant? {
        switch timer {
        case .replacement: if case .waiting(let until) = state { until } else { nil }
        case .creation: if case .pausing(let until) = provisioning?.step { until } else { nil }
        case .move: if case .postponed(let until, _) = move { until } else { nil }
        case .life: state == .live && move == nil ? moveDue : nil
        }
    }

    // MARK: - The end

    mutating func finish(_ end: End) {
        state = .ended
        move = nil
        emit(.finish(end))
    }

    mutating func fail(_ failure: ChannelFailure) {
        stopProvisioning()
        finish(.failed(replacement.isConfirmed ? failure.asRecovery : failure))
    }

    mutating func stopProvisioning() {
        if let call = provisioning?.call { emit(.cancel(call)) }
        provisioning = nil
    }
}

/// The timers of the machine, in the order in which they are handled when several are due.
private enum ProvisioningTimer: CaseIterable {
    /// The delay before a channel that is gone is replaced.
    case replacement
    /// The delay before another creation.
    case creation
    /// A failed move is tried again.
    case move
    /// The channel's life ends soon.
    case life
}

extension ChannelFailure {
    /// The failure of a channel that was confirmed before.
    var asRecovery: ChannelFailure {
        var failure = self
        switch kind {
        case .connection, .authorization, .subscription: failure.kind = .reconnect
        case .receive, .reconnect, .lifetimeExtension, .rollover: break
        }
        return failure
    }

    /// A failure of REST, with the kind of a first connection.
    init(_ rest: RESTFailure) {
        self = rest.failure
        switch reason {
        case .httpUnauthorized, .httpForbidden, .subscriptionRefused: kind = .authorization
        default: kind = .connection
        }
    }
}
