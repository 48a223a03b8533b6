package import GenesysLoop

/// The number of a token, in the order in which they were obtained.
package struct TokenID: Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// A token, and the time until which it is good.
package struct Token: Hashable, Sendable {
    package let id: TokenID
    package let value: SecretBytes
    package let obtainedAt: Instant
    /// Its life from `obtainedAt`; nil if unknown.
    package let lifetime: Duration?
    /// Whether no other program has it.
    package let isExclusive: Bool

    package var end: Instant? { lifetime.map { obtainedAt + $0 } }

    package func isOver(now: Instant) -> Bool { end.map { $0 <= now } ?? false }

    /// How long before its end the way to the next one begins: a tenth of its life, at least 30 s, at most half.
    package var margin: Duration? { lifetime.map { Token.margin($0) } }

    package static func margin(_ lifetime: Duration) -> Duration {
        min(max(lifetime / 10, .seconds(30)), lifetime / 2)
    }
}

/// The token of an account: one request for any number of callers, renewed before it ends.
///
///               wanted                  due                 obtained
///     resting ──────────▶ waiting(until) ──▶ asking(request) ─────────▶ resting, with a token
///        ▲  ▲ renewal due    ▲                    │    │
///        │  └────────────────┼────────────────────┘    │ refused, or given up: every caller fails
///        └───────────────────┴─────────────────────────┘ it passes: waits, and asks again
///
/// Two requests are at least `interval` apart. The interval begins with `minInterval` and doubles with each token that
/// the service refused before its renewal was due and with each refused request: a service that refuses everything is
/// not asked in a loop, and tokens of other processes, of which the oldest end when there are too many, survive.
///
/// Source: platform sheet §1.2 to §1.4, traps 3 to 6.
package struct TokenMachine: Equatable, Sendable {
    package enum Step: Equatable, Sendable {
        case resting
        case waiting(until: Instant)
        case asking(RequestID)
    }

    static let minInterval: Duration = .seconds(1)
    static let maxInterval: Duration = .seconds(60)
    /// How long a move to a channel of the next token takes at most; channels of one account move one after the other.
    static let moveTime: Duration = .seconds(3)
    /// When a renewal that was refused is tried again.
    static let refusedRenewalDelay: Duration = .seconds(60)

    package private(set) var step = Step.resting
    /// The token for the next call; nil if there is none or it was refused.
    package private(set) var current: Token?
    private var renewalDue: Instant?
    /// Why the last request obtained nothing.
    package private(set) var failure: RESTFailure?
    private var last: Token?
    private var schedule = RetrySchedule()
    private var askedAt: Instant?
    private var wasted = 0
    private var nextID: UInt32 = 1

    package init() {}

    /// The token of an earlier run.
    package mutating func restore(
        _ value: SecretBytes, lifetime: Duration?, now: Instant, random: inout SplitMix64
    ) {
        adopt(value, lifetime: lifetime, isExclusive: false, now: now, random: &random)
    }

    /// The token for a call that starts now.
    package func usable(now: Instant) -> Token? {
        current.flatMap { $0.isOver(now: now) ? nil : $0 }
    }

    /// Why the next token is asked for.
    package func reason(now: Instant) -> TokenReason {
        last == nil ? .first : current == nil ? .refused : .renewal
    }

    /// The earliest request; nil while one is under way.
    package var nextAsk: Instant? {
        if case .waiting(let until) = step { until } else { nil }
    }

    /// When the next token is asked for, so that so many channels can move before the present one ends; nil if that is
    /// under way, or the end is unknown.
    package func renewalDue(channelCount: Int) -> Instant? {
        guard let due = renewalDue, let current, let end = current.end, let lifetime = current.lifetime else {
            return renewalDue
        }
        let time = min(TokenMachine.moveTime * max(0, channelCount - 1), lifetime / 2)
        return min(due, end + (.zero - time))
    }

    // MARK: - Inputs

    /// A call needs a token, and there is none.
    package mutating func wanted(now: Instant) {
        let time = earliest(now: now)
        switch step {
        case .resting: step = .waiting(until: time)
        // A refused renewal is postponed for longer than a call has to wait; a delay of the service stays.
        case .waiting(let until): if failure?.isPassing != true { step = .waiting(until: min(until, time)) }
        case .asking: break
        }
    }

    /// The present token ends soon.
    package mutating func renewalBegins(now: Instant) {
        renewalDue = nil
        wasted = 0
        if step == .resting { step = .waiting(until: earliest(now: now)) }
    }

    /// The request is being sent.
    package mutating func asked(_ request: RequestID, now: Instant) {
        step = .asking(request)
        askedAt = now
    }

    /// The service, or the channel, refused a token.
    ///
    /// - Returns: whether it was the present one; a call with an older one is repeated with the present one.
    package mutating func refused(_ token: TokenID, now: Instant) -> Bool {
        guard let current, current.id == token else { return false }
        let isRenewing = current.end != nil && renewalDue == nil
        wasted = isRenewing || now - current.obtainedAt > TokenMachine.maxInterval ? 0 : wasted + 1
        self.current = nil
        renewalDue = nil
        return true
    }

    /// A token arrived.
    ///
    /// - Returns: the token; nil if it is the one that was to be replaced.
    package mutating func obtained(
        _ value: SecretBytes, lifetime: Duration?, isExclusive: Bool, now: Instant, random: inout SplitMix64
    ) -> Token? {
        step = .resting
        guard last?.value != value else { return nil }
        failure = nil
        schedule.succeeded()
        // Its life began before the answer, at the latest when it was asked for.
        return adopt(value, lifetime: lifetime, isExclusive: isExclusive, now: askedAt ?? now, random: &random)
    }

    /// No token arrived.
    ///
    /// - Parameter limit: when the last attempt for the callers starts; nil if none of them has a limit.
    /// - Returns: whether it is asked for again, for callers without a limit before then.
    package mutating func failed(
        _ failure: RESTFailure, isNeeded: Bool, limit: Instant?, now: Instant, random: inout SplitMix64
    ) -> Bool {
        self.failure = failure
        step = .resting
        switch schedule.next(after: failure, of: .mintToken, limit: limit, now: now, random: &random) {
        case .attempt(let time):
            step = .waiting(until: max(time, earliest(now: now)))
            return true
        case .giveUp:
            schedule.succeeded()
            wasted += 1
            // The present token still serves; the client may be permitted again until it ends.
            if !isNeeded, let current, !current.isOver(now: now) {
                let jitter = random.duration(in: .zero...TokenMachine.refusedRenewalDelay / 4)
                step = .waiting(until: now + TokenMachine.refusedRenewalDelay + jitter)
            }
            return false
        }
    }

    /// No channel needs a token anymore.
    package mutating func rested() {
        if case .waiting = step { step = .resting }
    }

    /// No answer is waited for.
    package mutating func abandoned() { step = .resting }

    // MARK: - Parts

    @discardableResult
    private mutating func adopt(
        _ value: SecretBytes, lifetime: Duration?, isExclusive: Bool, now: Instant, random: inout SplitMix64
    ) -> Token {
        let token = Token(
            id: TokenID(rawValue: nextID), value: value, obtainedAt: now, lifetime: lifetime, isExclusive: isExclusive)
        nextID &+= 1
        last = token
        current = token
        renewalDue = token.end.flatMap { end in
            token.margin.map { margin in
                end + (random.duration(in: .zero...margin / 10) - margin)
            }
        }
        return token
    }

    /// The earliest instant of the next request.
    private func earliest(now: Instant) -> Instant {
        guard let askedAt else { return now }
        let interval = min(TokenMachine.minInterval * (1 << min(wasted, 6)), TokenMachine.maxInterval)
        return max(now, askedAt + interval)
    }
}
