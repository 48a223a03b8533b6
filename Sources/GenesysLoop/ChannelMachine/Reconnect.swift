/// Decides when the next attempt starts, and when to give up.
///
/// An *outage* starts with a loss and ends when a connection has lived for `stability`. A loss before that belongs to
/// the same outage, so a service that accepts connections and drops them is not contacted more and more often.
///
///     stable ──loss──▶ outage(attempts, since) ──confirmed──▶ on probation ──stability──▶ stable
///                            ▲    attempt failed                   │
///                            └─────────────────────────────────────┘ loss
///
/// Source: design of the policy in `ReconnectPolicy`; `Retry-After`: RFC 9110 §10.2.3.
package struct Reconnect: Equatable, Sendable {
    package enum Decision: Equatable {
        case attempt(number: Int, delay: Duration)
        case giveUp
    }

    package let policy: ReconnectPolicy
    /// The start of the outage in progress, or of the first connection.
    package private(set) var since: Instant?
    /// Attempts decided in this outage.
    package private(set) var attemptCount = 0
    private var recoveredAt: Instant?
    /// A connection was confirmed since the channel was opened.
    package private(set) var isConfirmed = false

    package init(policy: ReconnectPolicy) {
        self.policy = policy
    }

    /// The first connection is being made.
    package mutating func opened(now: Instant) {
        since = now
    }

    /// A connection was confirmed.
    package mutating func recovered(now: Instant) {
        recoveredAt = now
        isConfirmed = true
    }

    /// A confirmed connection was lost.
    ///
    /// - Parameter retryAfter: what the service requested, if the successor of that connection failed already.
    package mutating func lost(
        retryAfter: Duration? = nil, now: Instant, random: inout SplitMix64
    ) -> Decision {
        if let recoveredAt, since != nil, attemptCount > 0, now - recoveredAt < settings.stability {
            self.recoveredAt = nil
            return decide(retryAfter: retryAfter, now: now, random: &random)
        }
        since = now
        attemptCount = 0
        recoveredAt = nil
        return decide(retryAfter: retryAfter, now: now, random: &random)
    }

    /// An attempt failed.
    package mutating func attemptFailed(
        retryAfter: Duration?, now: Instant, random: inout SplitMix64
    ) -> Decision {
        decide(retryAfter: retryAfter, now: now, random: &random)
    }

    /// Nothing was read during `pause`: it does not count against the total.
    package mutating func postpone(by pause: Pause) {
        since = since.map { $0 + pause.length(after: $0) }
    }

    /// The end of the total: the last attempt of the outage, or of the first connection, starts then; nil without a
    /// total.
    package var budgetEnd: Instant? {
        guard let since, let total = isConfirmed ? settings.outageTotal : settings.initialTotal else { return nil }
        return since + total
    }

    private var settings: ReconnectPolicy.Backoff { policy.settings }

    private mutating func decide(retryAfter: Duration?, now: Instant, random: inout SplitMix64) -> Decision {
        switch policy {
        case .never:
            return .giveUp
        case .once where attemptCount > 0:
            return .giveUp
        case .once, .backoff:
            var delay = max(settings.delay(attempt: attemptCount, random: &random), retryAfter ?? .zero)
            if let budgetEnd {
                guard now < budgetEnd, now + (retryAfter ?? .zero) <= budgetEnd else { return .giveUp }
                delay = min(delay, budgetEnd - now)
            }
            attemptCount += 1
            return .attempt(number: attemptCount, delay: delay)
        }
    }
}

extension ReconnectPolicy {
    /// The figures of the policy; the defaults if it has none.
    var settings: Backoff {
        switch self {
        case .never, .once: Backoff()
        case .backoff(let backoff): backoff
        }
    }
}

extension ReconnectPolicy.Backoff {
    /// The delay before attempt `attempt`, from 0.
    package func delay(attempt: Int, random: inout SplitMix64) -> Duration {
        let least = max(floor, .zero)
        var upper = max(base, .zero)
        for _ in 0..<attempt where upper < cap { upper = upper * 2 }
        return random.duration(in: least...max(least, min(upper, cap)))
    }
}
