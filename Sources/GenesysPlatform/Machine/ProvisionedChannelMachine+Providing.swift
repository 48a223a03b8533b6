package import GenesysLoop

/// The way to a channel, and what the open one reports.
///
/// The first connection: `provide` → `callAnswered` … → `ready` → `channelSubscribed`. A channel that is gone:
/// `channelFailed` → `replace` → `provide` → … → `replaced`, which reports the gap.
extension ProvisionedChannelMachine {
    // MARK: - REST

    /// Another token is the present one.
    package mutating func tokenChanged(to token: Token) -> [Action] {
        self.token = token
        if state == .live { moveToPresentToken() }
        return takeActions()
    }

    /// A call was answered.
    package mutating func callAnswered(_ id: CallID, _ reply: RESTReply, now: Instant) -> [Action] {
        guard var provisioning, provisioning.call == id else {
            ignoreLate()
            return []
        }
        provisioning.call = nil
        let (news, next) = provisioning.answered(reply, now: now, random: &random)
        self.provisioning = provisioning
        switch news {
        case .made(let ours, let all): emit(.tell(.channelMade(ours: ours, all: all)))
        case .gone: emit(.tell(.channelGone(.httpNotFound)))
        case nil: break
        }
        proceed(next, now: now)
        return takeActions()
    }

    /// Begins to make a channel; none is open.
    mutating func provide() {
        state = .providing
        var provisioning = Provisioning(topics: wanted, own: own, limit: replacement.limit)
        start(&provisioning)
    }

    mutating func start(_ provisioning: inout Provisioning) {
        guard case .call(let call, let token) = provisioning.begin() else {
            return brokenInvariant("the way to a channel begins with a call")
        }
        provisioning.call = self.call(call, token, limit: provisioning.limit)
        self.provisioning = provisioning
    }

    mutating func continueProvisioning(_ step: (inout Provisioning) -> Provisioning.Next) {
        guard var provisioning else { return brokenInvariant("no way to a channel to continue") }
        let next = step(&provisioning)
        if case .call(let call, let token) = next {
            provisioning.call = self.call(call, token, limit: provisioning.limit)
        }
        self.provisioning = provisioning
    }

    private mutating func proceed(_ next: Provisioning.Next, now: Instant) {
        switch next {
        case .call(let call, let token):
            let id = self.call(call, token, limit: provisioning?.limit)
            provisioning?.call = id
        case .wait:
            break
        case .ready(let channel, let grant):
            provisioning = nil
            ready(Successor(channel: channel, grant: grant), now: now)
        case .failed(let failure):
            provisioning = nil
            if state == .live { return postponeMove(ChannelFailure(failure), now: now) }
            fail(ChannelFailure(failure))
        }
    }

    private mutating func ready(_ successor: Successor, now: Instant) {
        report(successor.grant)
        // Topics that are wanted since the request was sent were not refused: the WebSocket asks for them.
        let grant = successor.grant
        let isRefused = grant.permitted.isEmpty && !grant.refusals.isEmpty && grant.topics(of: wanted).isEmpty
        guard !isRefused else {
            if state == .live {
                retire(successor.channel)
                return postponeMove(.allRefused(successor.grant), now: now)
            }
            return fail(.allRefused(successor.grant))
        }
        abandoned.removeAll { $0.channel.id == successor.channel.id }
        if state == .live { return rollOver(to: successor) }
        channel = successor.channel
        self.grant = grant
        refusedAtRunTime = []
        subscribed = grant.permitted
        state = .opening
        let total = replacement.limit.map { max(.zero, $0 - now) }
        emit(.openChannel(successor.channel.uri, subscribed, total: total))
    }

    /// Reports each refused topic, unless it was refused the last time too.
    private mutating func report(_ grant: TopicGrant) {
        for refusal in grant.refusals where !told.isSuperset(of: refusal.map(\.topic)) {
            emit(.tell(.didReject(RejectedTopics(refusal))))
        }
        told = Set(grant.refusals.joined().map(\.topic))
    }

    /// The ids of the channels of ours that exist.
    var own: Set<SecretBytes> {
        var own = Set(abandoned.map(\.channel.id))
        if let channel { own.insert(channel.id) }
        return own
    }

    // MARK: - The open channel

    /// The service confirmed the first subscription of the open `NotificationChannel`.
    package mutating func channelSubscribed(now: ClockReading) -> [Action] {
        guard state == .opening else {
            ignoreLate()
            return []
        }
        state = .live
        channelChanged(to: .subscribed)
        let isFirst = !replacement.isConfirmed
        replacement.confirmed(now: now.instant)
        renewed(now: now.instant)
        if isFirst { emit(.tell(.didSubscribe(subscribed))) } else { replaced(now: now) }
        loss = nil
        synchronize()
        moveToPresentToken()
        return takeActions()
    }

    private mutating func replaced(now: ClockReading) {
        guard let loss, let from = loss.from else { return brokenInvariant("a channel is replaced after a loss") }
        emit(.tell(.didMiss(Gap(from: from, to: max(from, now.wall), reason: loss.reason))))
        earlier.reconnectCount += 1
        report(.replacement, attemptCount: replacement.count)
    }

    mutating func report(_ method: Recovery.Method, attemptCount: Int) {
        counts.method = method
        counts.attemptCount = attemptCount
        counts.reconnectCount += earlier.reconnectCount
        counts.rolloverCount += earlier.rolloverCount
        counts.extensionCount += earlier.extensionCount
        counts.mergedRepeats += earlier.mergedRepeats
        emit(.tell(.didRecover(counts)))
        counts.reconnectCount -= earlier.reconnectCount
        counts.rolloverCount -= earlier.rolloverCount
        counts.extensionCount -= earlier.extensionCount
        counts.mergedRepeats -= earlier.mergedRepeats
    }

    /// The open channel lost its connection, or an attempt failed.
    package mutating func channelWillReconnect(_ attempt: ReconnectAttempt, now: Instant) -> [Action] {
        if state == .live, outage == nil {
            outage = attempt.reason
            replacement.lossBegan(now: now)
        }
        emit(.tell(.willReconnect(attempt)))
        rollOverIfReady()
        return takeActions()
    }

    /// The service refused topics over the WebSocket.
    package mutating func channelRejected(_ topics: RejectedTopics) -> [Action] {
        let refused = Set(topics.topics)
        refusedAtRunTime.formUnion(refused)
        told.formUnion(refused)
        subscribed.removeAll { refused.contains($0) }
        emit(.tell(.didReject(topics)))
        return takeActions()
    }

    /// The open channel ended.
    ///
    /// - Parameter until: everything that the service had until then was delivered; nil if it was never confirmed.
    package mutating func channelFailed(
        _ failure: ChannelFailure, deliveredUntil until: WallTime?, now: Instant
    ) -> [Action] {
        switch state {
        case .opening: ended(failure, isFresh: true, until: until, now: now)
        case .live: ended(failure, isFresh: false, until: until, now: now)
        case .closing: finish(.closed)
        case .idle, .providing, .waiting, .ended: ignoreLate()
        }
        return takeActions()
    }

    /// The open channel is closed: by us, or because its delegate is gone.
    package mutating func channelClosed() -> [Action] {
        switch state {
        case .opening, .live, .closing:
            stopProvisioning()
            finish(.closed)
        case .idle, .providing, .waiting, .ended:
            ignoreLate()
        }
        return takeActions()
    }

    private mutating func ended(_ failure: ChannelFailure, isFresh: Bool, until: WallTime?, now: Instant) {
        let reason = outage ?? failure.reason
        outage = nil
        guard failure.isOfChannel else { return fail(failure) }
        if failure.isOfToken, let channel { emit(.discardToken(channel.token.id)) }
        if !isFresh { replacement.lossBegan(now: now) }
        if loss == nil { loss = Loss(from: until, reason: reason) }
        switch replacement.gone(isFresh: isFresh, now: now, random: &random) {
        case .giveUp:
            fail(.gone(failure, isFresh: isFresh))
        case .attempt(let number, let delay):
            replace(failure, number: number, delay: delay, now: now)
        }
    }

    /// The channel is gone: another one takes its place, one that is being made already if there is one.
    private mutating func replace(_ failure: ChannelFailure, number: Int, delay: Duration, now: Instant) {
        emit(.tell(.channelGone(failure.reason)))
        switch move {
        case .ready(let successor), .rollingOver(let successor): abandoned.append(successor)
        case nil, .preparing, .postponed: break
        }
        for successor in abandoned where provisioning?.uses(successor.channel) != true { retire(successor.channel) }
        abandoned = []
        channel = nil
        move = nil
        moveDue = nil
        failedMoves = 0
        earlier.add(counts)
        counts = Recovery(method: .reconnect)
        emit(.tell(.willReconnect(ReconnectAttempt(number: number, delay: delay, failure: failure))))
        guard provisioning != nil else {
            state = .waiting(until: now + delay)
            return
        }
        state = .providing
        provisioning?.limit = replacement.limit
        if let call = provisioning?.call { emit(.limit(call, replacement.limit)) }
    }
}

extension ChannelFailure {
    /// Whether another channel, or another token, may help.
    var isOfChannel: Bool {
        switch reason {
        case .httpUnauthorized, .httpForbidden, .httpNotFound, .channelExpired, .channelTakenOver, .tokenRevoked,
            .subscriptionRefused:
            true
        default: false
        }
    }

    /// Whether the token is not accepted anymore.
    var isOfToken: Bool { reason == .httpUnauthorized || reason == .tokenRevoked }

    /// The service refused all topics.
    static func allRefused(_ grant: TopicGrant) -> ChannelFailure {
        let first = grant.refusals.first?.first
        var failure = ChannelFailure(
            kind: .authorization, reason: .subscriptionRefused, phase: .provision,
            clause: "the service refused all topics",
            advice:
                "Give the OAuth client a role with the missing permissions, in the division of what the topics are about",
            isRetryable: false)
        failure.message = first.map { "\($0)" }
        return failure
    }

    /// A channel was gone, and no other one takes its place.
    static func gone(_ failure: ChannelFailure, isFresh: Bool) -> ChannelFailure {
        switch failure.reason {
        case .httpNotFound, .channelExpired, .channelTakenOver: break
        default: return failure
        }
        var ended = ChannelFailure(
            kind: failure.kind, reason: failure.reason, phase: .provision,
            clause: isFresh ? "a new channel was gone before it could be used" : "the channel is gone",
            advice: isFresh
                ? "Check whether other programs use the same OAuth client: each channel beyond 20 removes another"
                : "Open it again: another channel is made then",
            status: failure.status, isRetryable: false)
        ended.message = failure.message
        ended.correlationID = failure.correlationID
        return ended
    }
}

extension Recovery {
    fileprivate mutating func add(_ other: Recovery) {
        reconnectCount += other.reconnectCount
        rolloverCount += other.rolloverCount
        extensionCount += other.extensionCount
        mergedRepeats += other.mergedRepeats
    }
}
