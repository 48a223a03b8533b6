package import GenesysLoop

/// Decides when a channel that is gone is replaced, and when to give up.
///
/// It continues what the channel's own reconnects began: an outage starts with the first loss, its total is that of the
/// `ReconnectPolicy`, and a loss soon after a recovery belongs to the same outage. A new channel that is gone before it
/// was confirmed is replaced only if it was the very first one: "once each before it counts as a failure".
///
///     stable ──loss──▶ outage ──gone──▶ another channel after a delay ──confirmed──▶ on probation ──▶ stable
///                        ▲                    │ gone before the confirmation: given up      │
///                        └────────────────────┴─────────────────────────────────────loss────┘
///
/// Source: design of `ReconnectPolicy`; the contract's fine print about 401, 403, 404, expiry and revocation.
package struct Replacement: Equatable, Sendable {
    package enum Decision: Equatable, Sendable {
        case attempt(number: Int, delay: Duration)
        case giveUp
    }

    private let policy: ReconnectPolicy
    private let figures: ReconnectPolicy.Backoff
    /// The start of the first connection, or of the outage.
    private var since: Instant?
    private var recoveredAt: Instant?
    /// Replacements in this outage.
    package private(set) var count = 0
    /// Replacements since the last confirmation.
    private var untriedCount = 0
    /// A channel was confirmed.
    package private(set) var isConfirmed = false

    package init(policy: ReconnectPolicy) {
        self.policy = policy
        figures =
            switch policy {
            case .never, .once: ReconnectPolicy.Backoff()
            case .backoff(let backoff): backoff
            }
    }

    /// When the last attempt of a call, or of a connection, starts; nil without a limit.
    package var limit: Instant? {
        guard let since, let total = isConfirmed ? figures.outageTotal : figures.initialTotal else { return nil }
        return since + total
    }

    package mutating func opened(now: Instant) {
        since = now
    }

    /// The connection was lost, or the channel. What follows until the recovery is one outage.
    package mutating func lossBegan(now: Instant) {
        guard let recovery = recoveredAt else { return }
        recoveredAt = nil
        guard now - recovery >= figures.stability || count == 0 else { return }
        since = now
        count = 0
    }

    /// A channel is confirmed, or came back by itself.
    package mutating func confirmed(now: Instant) {
        isConfirmed = true
        recoveredAt = now
        untriedCount = 0
    }

    /// The channel is gone.
    ///
    /// - Parameter isFresh: it was never confirmed.
    package mutating func gone(isFresh: Bool, now: Instant, random: inout SplitMix64) -> Decision {
        switch policy {
        case .never: return .giveUp
        case .once where count > 0: return .giveUp
        case .once, .backoff: break
        }
        if isFresh, untriedCount > 0 { return .giveUp }
        var delay = self.delay(attempt: count, random: &random)
        if let limit {
            guard now < limit else { return .giveUp }
            delay = min(delay, limit - now)
        }
        count += 1
        untriedCount += 1
        return .attempt(number: count, delay: delay)
    }

    private func delay(attempt: Int, random: inout SplitMix64) -> Duration {
        let least = max(figures.floor, .zero)
        var upper = max(figures.base, .zero)
        for _ in 0..<attempt where upper < figures.cap { upper = upper * 2 }
        return random.duration(in: least...max(least, min(upper, figures.cap)))
    }
}
