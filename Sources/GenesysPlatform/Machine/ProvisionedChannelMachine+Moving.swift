package import GenesysLoop

/// The move to a fresh channel, and the topics of the open one.
///
/// `startMove` → `Provisioning` → `rollOver(to:)` → `channelRecovered` at the new channel → `arrived`, which gives the
/// old one up. The `NotificationChannel` overlaps the two connections and loses nothing.
///
/// A failure does not say to which rollover it belongs: a maintenance rollover may have failed when the move had just
/// been asked for. So a successor is never taken out of use after a failure, and each recovery says where the
/// `NotificationChannel` is. It can be on its way to one of the last two at most, so older ones are left.
extension ProvisionedChannelMachine {
    /// How many successors that were given up are remembered.
    static let maxAbandonedCount = 3

    /// How long before its end a channel is left, if its life could not be extended: later than the extension would be.
    static func margin(_ life: Duration) -> Duration {
        min(max(life / 50, .seconds(30)), life / 2)
    }

    /// The token of the channel is not the present one: it ends, or has ended.
    mutating func moveToPresentToken() {
        guard let token, let channel, channel.token.id != token.id, move == nil else { return }
        startMove()
    }

    mutating func startMove() {
        var kept: MadeChannel?
        switch move {
        case nil: break
        case .postponed(_, let channel): if channel?.token.id == token?.id { kept = channel }
        case .preparing, .ready, .rollingOver: return
        }
        move = .preparing
        var provisioning = Provisioning(topics: wanted, own: own, limit: nil, kept: kept)
        start(&provisioning)
    }

    /// The move failed; the open channel goes on.
    ///
    /// - Parameter kept: what was made for it, and can be tried again.
    mutating func postponeMove(_ failure: ChannelFailure, keeping kept: MadeChannel? = nil, now: Instant) {
        var failure = failure
        failure.kind = .rollover
        emit(.tell(.didFailRollover(failure)))
        let upper = min(Duration.seconds(5) * (1 << min(failedMoves, 6)), .seconds(300))
        failedMoves += 1
        let delay = max(random.duration(in: upper / 2...upper), failure.retryAfter ?? .zero)
        move = .postponed(until: now + delay, kept: kept)
    }

    /// The successor is ready. What it was refused, the subscription over its WebSocket must not ask for.
    ///
    /// A rollover takes the place of one that is under way. That one may have reached the service, which then ends the
    /// old connection: a break. So it ends first.
    mutating func rollOver(to successor: Successor) {
        guard connectionState != .rollingOver else { return move = .ready(successor) }
        setTopics(successor.grant.topics(of: subscribed).filter { !successor.grant.refuses($0) })
        move = .rollingOver(successor)
        emit(.rollover(successor.channel.uri))
    }

    /// A rollover that was under way may have ended.
    mutating func rollOverIfReady() {
        if case .ready(let successor) = move { rollOver(to: successor) }
    }

    // MARK: - What the open channel reports

    /// A rollover failed: the move's, or another one of the channel's own.
    package mutating func channelFailedRollover(_ failure: ChannelFailure, now: Instant) -> [Action] {
        switch move {
        case .rollingOver(let successor):
            abandoned.append(successor)
            postponeMove(failure, keeping: failure.isOfChannel ? nil : successor.channel, now: now)
            while abandoned.count > ProvisionedChannelMachine.maxAbandonedCount {
                retire(abandoned.removeFirst().channel)
            }
        case nil, .preparing, .postponed, .ready:
            emit(.tell(.didFailRollover(failure)))
            rollOverIfReady()
        }
        return takeActions()
    }

    /// The open channel reports a gap. If it came back at another place after a loss, that was no move: the old channel
    /// is given up with a gap, and the other one takes its place.
    ///
    /// - Parameter place: the one of `places` to which it is connected now.
    package mutating func channelMissed(at place: SecretBytes?) -> [Action] {
        if state == .live, let outage, let place, place != channel?.uri { emit(.tell(.channelGone(outage))) }
        return takeActions()
    }

    /// The open channel recovered, moved or was extended.
    ///
    /// - Parameter place: the one of `places` to which it is connected now.
    package mutating func channelRecovered(
        _ recovery: Recovery, at place: SecretBytes?, now: Instant
    ) -> [Action] {
        guard state == .live else {
            ignoreLate()
            return []
        }
        outage = nil
        if recovery.method != .extension { replacement.confirmed(now: now) }
        let hasArrived = place != nil && place != channel?.uri
        if let place, hasArrived { arrived(at: place) }
        // Only a subscription renews the life: without topics there is none.
        if hasArrived || !subscribed.isEmpty { renewed(now: now) }
        counts = recovery
        let isReplaced = hasArrived && recovery.method == .reconnect
        report(isReplaced ? .replacement : recovery.method, attemptCount: recovery.attemptCount)
        rollOverIfReady()
        moveToPresentToken()
        return takeActions()
    }

    /// The channel's life, or this connection, ends soon.
    package mutating func channelWillExpire(_ expiry: Expiry) -> [Action] {
        emit(.tell(.willExpire(expiry)))
        switch expiry {
        case .lifetime: if state == .live { startMove() }
        case .maintenance: break
        }
        return takeActions()
    }

    /// The open channel is connected to a successor: the old channel is given up.
    ///
    /// The service has no call that deletes one. Without topics and connection it is the first that a new one removes.
    private mutating func arrived(at place: SecretBytes) {
        var others = abandoned
        switch move {
        case .ready(let successor), .rollingOver(let successor): others.append(successor)
        case nil, .preparing, .postponed: break
        }
        guard let successor = others.first(where: { $0.channel.uri == place }), let old = channel else {
            return brokenInvariant("the channel is at a place that it was not sent to")
        }
        var left = [old] + others.map(\.channel)
        if let started = provisioning?.channel, !left.contains(started) { left.append(started) }
        for channel in left where channel.uri != place { retire(channel) }
        abandoned = []
        stopProvisioning()
        move = nil
        failedMoves = 0
        channel = successor.channel
        grant = successor.grant
        refusedAtRunTime = []
        removeUnwanted()
        synchronize()
    }

    mutating func retire(_ channel: MadeChannel) {
        // Nothing depends on it: one attempt.
        _ = call(.removeTopics(of: channel.id), channel.token, limit: Instant(nanoseconds: .min))
    }

    /// The channel is new, or its subscription is confirmed again: its life begins.
    mutating func renewed(now: Instant) {
        guard let channel else { return }
        let margin = ProvisionedChannelMachine.margin(channel.life)
        moveDue = now + (channel.life - margin) + random.duration(in: .zero...margin / 10)
    }

    // MARK: - Topics over the WebSocket

    /// Gives the open channel what the host wants and what is not refused.
    mutating func synchronize() {
        setTopics(grant.topics(of: wanted).filter { !refusedAtRunTime.contains($0) })
    }

    private mutating func setTopics(_ topics: [Topic]) {
        guard topics != subscribed else { return }
        subscribed = topics
        emit(.setTopics(topics))
    }

    /// Removes what was set over REST and is not wanted anymore. The `NotificationChannel` removes only what it knows,
    /// so it gets these topics first.
    private mutating func removeUnwanted() {
        let known = Set(grant.topics(of: wanted))
        let unwanted = grant.permitted.filter { !known.contains($0) }
        guard !unwanted.isEmpty else { return }
        let kept = subscribed
        let room = max(0, Topic.maxCount - kept.count)
        setTopics(kept + unwanted.filter { !kept.contains($0) }.prefix(room))
        setTopics(kept)
    }
}
