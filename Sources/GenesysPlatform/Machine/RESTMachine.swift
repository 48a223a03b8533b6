package import GenesysLoop

/// The number of a request that was sent, or of a question to the host.
package struct RequestID: Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// The number of a call; the caller chooses it.
package struct CallID: Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// What came of a call.
package struct RESTReply: Hashable, Sendable {
    package var result: Result<RESTValue, RESTFailure>
    /// The token that it was sent with.
    package var token: Token?
    /// With a list of channels: the latest ones that belong to a caller.
    package var claimed: [SecretBytes]

    package init(_ result: Result<RESTValue, RESTFailure>, token: Token? = nil, claimed: [SecretBytes] = []) {
        self.result = result
        self.token = token
        self.claimed = claimed
    }
}

/// The REST side of one account, as a value: any number of calls, one token, one pace.
///
///     callRequested ─▶ waits for a token ─▶ waits for its turn ─▶ sent ─▶ answered
///                        ▲                      ▲                  │
///                        │ 401, once            └── it passes ─────┤
///                        └─────────────────────────────────────────┘
///
/// `TokenMachine` decides about the token, `RateGate` about the pace of all calls with it, `RetrySchedule` when a call
/// is tried again. A call has a limit, the instant at which its last attempt starts. With a limit of "now" it is tried
/// once.
///
/// Channels are not listed while one is being created, and none is created during a list: in a list, each channel that
/// is there has an owner that is known (`claimed`), or the answer to its creation is lost.
package struct RESTMachine: Equatable, Sendable {
    /// Who gives tokens.
    package enum Source: Equatable, Sendable {
        /// The token endpoint, for the id and the secret of an OAuth client; `isExclusive` if no other program gets
        /// the same tokens.
        case client(isExclusive: Bool)
        /// The host.
        case host
    }

    package enum Action: Equatable, Sendable {
        /// Sends the request; `answered` follows. Without a token it goes to the token endpoint.
        case send(RequestID, RESTCall, Token?)
        /// Abandons the request; nothing follows.
        case cancel(RequestID)
        /// Asks the host for a token; `answered` follows.
        case ask(RequestID, TokenReason)
        /// The token may be kept for a later start.
        case keep(Token)
        case answer(CallID, RESTReply)
        /// Calls get another token from now on.
        case tokenChanged(Token)
        case tell(Event)
    }

    package enum Event: Equatable, Sendable {
        /// A token was obtained.
        case token(lifetime: Duration?)
        /// The service refused a call because there were too many; no call starts before this time is over.
        case throttled(Duration)
    }

    struct Call: Equatable, Sendable {
        enum Step: Equatable, Sendable {
            case waitingForToken
            /// It has its turn then.
            case waiting(until: Instant)
            /// A list waits for creations, a creation for lists.
            case waitingForOthers(since: Instant)
            case sent(RequestID)
        }

        let id: CallID
        let call: RESTCall
        var limit: Instant?
        var step: Step
        /// The token that it is sent with as long as the service accepts it.
        var token: Token?
        var schedule = RetrySchedule()
        /// The token was refused, and another one obtained.
        var isRefreshed = false

        var isWaitingForOthers: Bool {
            if case .waitingForOthers = step { true } else { false }
        }
    }

    package let source: Source
    package internal(set) var tokens = TokenMachine()
    var gates: [TokenID: RateGate] = [:]
    var calls: [Call] = []
    /// The ids of channels that belong to a caller, the newest last.
    var claimed: [SecretBytes] = []
    var random: SplitMix64
    /// Channels that live on the token.
    private var userCount = 0
    private var nextRequest: UInt64 = 1
    private var isTokenTold = false
    private var actions: [Action] = []

    package init(source: Source, seed: UInt64) {
        self.source = source
        random = SplitMix64(seed: seed)
    }

    mutating func emit(_ action: Action) { actions.append(action) }

    mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    /// A late input is legal: an answer to a request that was abandoned.
    func ignoreLate() {}

    mutating func makeRequest() -> RequestID {
        defer { nextRequest &+= 1 }
        return RequestID(rawValue: nextRequest)
    }

    // MARK: - Inputs of the owner

    /// A token that an earlier run kept, and the rest of its life.
    package mutating func restore(_ value: SecretBytes, lifetime: Duration?, now: Instant) {
        tokens.restore(value, lifetime: lifetime, now: now, random: &random)
    }

    /// A channel begins to live on the token, which is renewed from now on.
    package mutating func userJoined() { userCount += 1 }

    package mutating func userLeft() {
        userCount -= 1
        if userCount == 0, !calls.contains(where: { $0.step == .waitingForToken }) { tokens.rested() }
    }

    /// A call is wanted.
    ///
    /// - Parameters:
    ///   - token: the token of the channel that it is about; nil for the present one.
    ///   - limit: when its last attempt starts; nil for no limit.
    package mutating func callRequested(
        _ id: CallID, _ call: RESTCall, token: Token? = nil, limit: Instant?, now: Instant
    ) -> [Action] {
        if let channel = call.channel { claim(channel) }
        calls.append(Call(id: id, call: call, limit: limit, step: .waitingForToken, token: token))
        advance(id, now: now)
        return finish(now: now)
    }

    /// The owner does not wait any longer; no answer follows.
    package mutating func callCanceled(_ id: CallID) -> [Action] {
        guard let index = calls.firstIndex(where: { $0.id == id }) else { return [] }
        if case .sent(let request) = calls.remove(at: index).step { emit(.cancel(request)) }
        return takeActions()
    }

    /// The last attempt of a call starts at another time.
    package mutating func limitChanged(_ id: CallID, to limit: Instant?, now: Instant) -> [Action] {
        guard let index = calls.firstIndex(where: { $0.id == id }) else { return [] }
        calls[index].limit = limit
        if case .waiting(let until) = calls[index].step, let token = calls[index].token {
            wait(index, until: until, gates[token.id] ?? RateGate(), now: now)
        }
        return takeActions()
    }

    /// The owner learned that a token is not accepted anymore.
    package mutating func tokenDiscarded(_ id: TokenID, now: Instant) -> [Action] {
        _ = tokens.refused(id, now: now)
        return finish(now: now)
    }

    /// The owner knows that there is another token: it is asked for before the present one ends.
    package mutating func renewalRequested(now: Instant) -> [Action] {
        if hasUsers { tokens.renewalBegins(now: now) }
        return finish(now: now)
    }

    /// Nothing is wanted anymore; the token stays for a later call.
    package mutating func closeRequested() -> [Action] {
        for call in calls {
            if case .sent(let request) = call.step { emit(.cancel(request)) }
        }
        calls = []
        if case .asking(let request) = tokens.step { emit(.cancel(request)) }
        tokens.abandoned()
        return takeActions()
    }

    // MARK: - Timers

    /// The earliest instant at which something is due.
    package var nextDeadline: Instant? {
        RESTTimer.allCases.compactMap(deadline).min()
    }

    package mutating func deadlineReached(now: Instant) -> [Action] {
        for timer in RESTTimer.allCases {
            guard let deadline = deadline(of: timer), deadline <= now else { continue }
            switch timer {
            case .renewal: tokens.renewalBegins(now: now)
            case .token: askForToken(now: now)
            case .turn: takeTurns(now: now)
            }
        }
        return finish(now: now)
    }

    private func deadline(of timer: RESTTimer) -> Instant? {
        switch timer {
        case .renewal: hasUsers ? tokens.renewalDue(channelCount: userCount) : nil
        case .token: tokens.nextAsk
        case .turn: calls.compactMap(turn).min()
        }
    }

    private func turn(of call: Call) -> Instant? {
        switch call.step {
        case .waiting(let until): until
        case .waitingForOthers(let since): mustWaitForOthers(call.call) ? nil : since
        case .waitingForToken, .sent: nil
        }
    }

    private mutating func takeTurns(now: Instant) {
        for call in calls {
            guard let turn = turn(of: call), turn <= now else { continue }
            advance(call.id, hasTurn: true, now: now)
        }
    }

    /// Does what became due with the input, and returns what it emitted.
    mutating func finish(now: Instant) -> [Action] {
        if let time = tokens.nextAsk, time <= now { askForToken(now: now) }
        if calls.contains(where: \.isWaitingForOthers) { takeTurns(now: now) }
        return takeActions()
    }

    /// The first call with a token says which one it is.
    mutating func tellToken(_ token: Token, now: Instant) {
        guard !isTokenTold else { return }
        isTokenTold = true
        emit(.tell(.token(lifetime: token.end.map { $0 - now })))
    }

    mutating func tokenIsNew() { isTokenTold = false }

    var hasUsers: Bool { userCount > 0 }
}

/// The timers of the machine, in the order in which they are handled when several are due.
private enum RESTTimer: CaseIterable {
    /// The token is renewed.
    case renewal
    /// A token is asked for.
    case token
    /// A waiting call starts.
    case turn
}
