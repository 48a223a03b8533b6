import GenesysLoop

@testable import GenesysPlatform

/// The machine of a provisioned channel in virtual time: actions as words.
struct ProvisionedStage {
    var machine: ProvisionedChannelMachine
    var now = ClockReading(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(seconds: 1_800_000_000))
    /// The calls that were not answered, oldest first.
    private(set) var open: [(id: CallID, call: RESTCall)] = []
    private(set) var openedTopics: [Topic] = []
    private(set) var channelTopics: [Topic] = []
    private(set) var total: Duration?
    private(set) var limits: [Instant?] = []
    private(set) var recoveries: [Recovery] = []
    private(set) var gaps: [Gap] = []
    private(set) var rejections: [RejectedTopics] = []
    private(set) var failure: ChannelFailure?
    private var channelCount = 0
    var token = ProvisionedStage.token(1)

    static let topics: [Topic] = ["v2.users.1.presence", "v2.users.2?presence&routingStatus"]

    init(
        topics: [Topic] = ProvisionedStage.topics, policy: ReconnectPolicy = .backoff(.init()), seed: UInt64 = 1
    ) {
        machine = ProvisionedChannelMachine(topics: topics, policy: policy, seed: seed)
    }

    static func token(_ number: UInt32, isExclusive: Bool = true) -> Token {
        Token(
            id: TokenID(rawValue: number), value: SecretBytes("token \(number)"), obtainedAt: Instant(nanoseconds: 0),
            lifetime: .seconds(86_400), isExclusive: isExclusive)
    }

    static func listed(_ name: String, remaining: Duration? = .seconds(86_400)) -> ListedChannel {
        ListedChannel(id: SecretBytes(name), uri: uri(name), remaining: remaining)
    }

    static func uri(_ name: String) -> SecretBytes { SecretBytes("wss://x/channels/\(name)") }

    /// The name of the channel made last.
    var latest: String { "c\(channelCount)" }
    var seconds: Double { Double(now.instant.nanoseconds) / 1e9 - 1 }

    // MARK: - Inputs

    mutating func pass(_ seconds: Double) {
        now = now + .nanoseconds(Int64(seconds * 1e9))
    }

    /// Lets time pass, and fires timers on the way.
    mutating func run(_ seconds: Double) -> [String] {
        let end = now + .nanoseconds(Int64(seconds * 1e9))
        var words: [String] = []
        while let deadline = machine.nextDeadline, deadline <= end.instant {
            if deadline > now.instant { now = now + (deadline - now.instant) }
            words += note(machine.deadlineReached(now: now.instant))
        }
        now = end
        return words
    }

    mutating func start() -> [String] { note(machine.openRequested(now: now.instant)) }
    mutating func close() -> [String] { note(machine.closeRequested()) }
    mutating func want(_ topics: [Topic]) -> [String] { note(machine.topicsChanged(to: topics)) }
    mutating func moveNow() -> [String] { note(machine.moveRequested()) }
    mutating func renewToken() -> [String] {
        token = ProvisionedStage.token(token.id.rawValue + 1)
        return note(machine.tokenChanged(to: token))
    }

    /// Answers the oldest call as a service does that permits everything.
    mutating func answer(_ value: RESTValue? = nil) -> [String] {
        guard let first = open.first else { return ["no call"] }
        let usual: RESTValue
        switch first.call {
        case .createChannel:
            channelCount += 1
            usual = .channel(ProvisionedStage.listed(latest))
        case .setTopics(let topics, _): usual = .topics(topics.map { TopicVerdict($0, isPermitted: true) })
        case .listChannels: usual = .channels([])
        default: usual = .done
        }
        return reply(.success(value ?? usual))
    }

    /// Answers the oldest call with a failure.
    ///
    /// - Parameter call: what failed; nil for the call itself, else a token for it.
    mutating func fail(_ status: Int, of call: RESTCall? = nil, mayHaveActed: Bool? = nil) -> [String] {
        guard let first = open.first else { return ["no call"] }
        let answer = RESTAnswer(status: status, body: SecretBytes(""))
        guard case .failure(var failure) = (call ?? first.call).outcome(of: answer, hiding: []) else {
            return ["no failure"]
        }
        failure.mayHaveActed = mayHaveActed ?? failure.mayHaveActed
        return reply(.failure(failure))
    }

    mutating func fail(_ failure: RESTFailure) -> [String] { reply(.failure(failure)) }

    mutating func reply(
        _ result: Result<RESTValue, RESTFailure>, token: Token? = nil, claimed: [SecretBytes] = []
    ) -> [String] {
        guard let first = open.first else { return ["no call"] }
        open.removeFirst()
        let reply = RESTReply(result, token: token ?? self.token, claimed: claimed)
        return note(machine.callAnswered(first.id, reply, now: now.instant))
    }

    mutating func changed(to state: ChannelState) { machine.channelChanged(to: state) }

    mutating func subscribed() -> [String] { note(machine.channelSubscribed(now: now)) }

    /// The open channel fails; it had delivered everything until `before` ago.
    mutating func failed(_ reason: FailureReason, after before: Double? = nil) -> [String] {
        let until = before.map { now.wall + .nanoseconds(-Int64($0 * 1e9)) }
        let failure = ChannelFailure(kind: .reconnect, reason: reason, phase: .upgrade)
        return note(machine.channelFailed(failure, deliveredUntil: until, now: now.instant))
    }

    mutating func recovered(_ method: Recovery.Method, at name: String? = nil) -> [String] {
        let place = name.map(ProvisionedStage.uri)
        return note(machine.channelRecovered(Recovery(method: method), at: place, now: now.instant))
    }

    /// The open channel reports a gap, being connected to `name`.
    mutating func missed(at name: String) -> [String] {
        note(machine.channelMissed(at: ProvisionedStage.uri(name)))
    }

    mutating func failedRollover(_ reason: FailureReason = .connect) -> [String] {
        let failure = ChannelFailure(kind: .rollover, reason: reason, phase: .connect)
        return note(machine.channelFailedRollover(failure, now: now.instant))
    }

    mutating func willReconnect(_ reason: FailureReason = .connectionClosed) -> [String] {
        let failure = ChannelFailure(reason: reason, phase: .open)
        let attempt = ReconnectAttempt(number: 1, delay: .zero, failure: failure)
        return note(machine.channelWillReconnect(attempt, now: now.instant))
    }

    mutating func willExpire(_ expiry: Expiry) -> [String] { note(machine.channelWillExpire(expiry)) }
    mutating func rejected(_ topics: [Topic]) -> [String] {
        note(machine.channelRejected(RejectedTopics(topics: topics)))
    }
    mutating func closed() -> [String] { note(machine.channelClosed()) }
    mutating func lateAnswer() -> [String] {
        note(machine.callAnswered(CallID(rawValue: 999), RESTReply(.success(.done)), now: now.instant))
    }

    mutating func note(_ actions: [ProvisionedChannelMachine.Action]) -> [String] {
        for action in actions {
            switch action {
            case .call(let id, let call, _, let limit):
                // Nothing depends on a clean-up.
                if !call.isCleanUp { open.append((id, call)) }
                limits.append(limit)
            case .cancel(let id): open.removeAll { $0.id == id }
            case .openChannel(_, let topics, let total):
                openedTopics = topics
                channelTopics = topics
                self.total = total
            case .setTopics(let topics): channelTopics = topics
            case .tell(.didRecover(let recovery)): recoveries.append(recovery)
            case .tell(.didMiss(let gap)): gaps.append(gap)
            case .tell(.didReject(let topics)): rejections.append(topics)
            case .finish(.failed(let failure)): self.failure = failure
            case .limit, .discardToken, .rollover, .closeChannel, .tell, .finish: break
            }
        }
        return actions.map(\.words)
    }

    // MARK: - States

    /// Live at `c1`.
    static func live(
        topics: [Topic] = ProvisionedStage.topics, policy: ReconnectPolicy = .backoff(.init()), seed: UInt64 = 1
    ) -> ProvisionedStage {
        var stage = ProvisionedStage(topics: topics, policy: policy, seed: seed)
        _ = stage.start()
        _ = stage.note(stage.machine.tokenChanged(to: stage.token))
        _ = stage.ready() + stage.subscribed()
        return stage
    }

    /// Answers everything until the channel is ready.
    mutating func ready() -> [String] {
        var words: [String] = []
        while !open.isEmpty { words += answer() }
        return words
    }
}

extension ProvisionedChannelMachine.Action {
    var words: String {
        switch self {
        case .call(let id, let call, let token, _):
            "call \(id.rawValue) \(call.method)\(call == .listChannels ? " list" : "")"
                + (token.map { " with \($0.id.rawValue)" } ?? "")
        case .cancel(let id): "cancel \(id.rawValue)"
        case .limit(let id, _): "limit \(id.rawValue)"
        case .discardToken(let token): "discard \(token.rawValue)"
        case .openChannel(let uri, _, _): "open \(uri.text.suffix(2))"
        case .rollover(let uri): "rollover \(uri.text.suffix(2))"
        case .setTopics(let topics): "set \(topics.map { $0.rawValue.split(separator: ".").last ?? "" })"
        case .closeChannel: "close"
        case .tell(.channelMade(let ours, let all)): "made \(ours)/\(all.map { "\($0)" } ?? "-")"
        case .tell(.channelGone(let reason)): "gone \(reason)"
        case .tell(.didSubscribe): "subscribed"
        case .tell(.willReconnect(let attempt)): "reconnect #\(attempt.number) \(attempt.reason)"
        case .tell(.didFailRollover(let failure)): "rolloverFailed \(failure.reason)"
        case .tell(.didReject(let topics)): "rejected \(topics.topics.map { $0.rawValue.suffix(8) })"
        case .tell(.didMiss(let gap)): "gap \(gap.reason)"
        case .tell(.didRecover(let recovery)): "recovered \(recovery.method)"
        case .tell(.willExpire): "expires"
        case .finish(.closed): "closed"
        case .finish(.failed(let failure)): "failed \(failure.kind) \(failure.reason) \(failure.phase)"
        }
    }
}
