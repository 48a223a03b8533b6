@testable import GenesysLoop

/// Whether the attempts of a channel follow its policy.
struct PolicyAudit {
    private(set) var firstDelays: [Duration] = []
    private var lastNumber = 0
    private var recoveredAt: Instant?
    /// When the first connection, or the current outage, began; a pause may extend it.
    private var since: Instant?
    private var promise: (at: Instant, delay: Duration)?

    mutating func recovered(at now: Instant) {
        recoveredAt = now
        promise = nil
    }

    /// The host does not wait.
    mutating func overruled() { promise = nil }

    /// What is wrong with an announced attempt; nil if it is correct.
    mutating func violation(in attempt: ReconnectAttempt, _ settings: ChannelSettings, at now: Instant) -> String? {
        defer {
            lastNumber = attempt.number
            promise = (now, attempt.delay)
        }
        guard case .backoff(let backoff) = settings.reconnect else { return nil }
        // An attempt already in progress as a rollover needs no delay.
        if attempt.delay == .zero { return nil }
        var most = backoff.base
        for _ in 1..<attempt.number where most < backoff.cap { most = most * 2 }
        if attempt.number == 1, recoveredAt != nil { since = now }
        let floor = max(backoff.floor, attempt.failure.retryAfter ?? .zero)
        let isLast = isSpent(backoff, at: now + attempt.delay)
        let isWithin = (attempt.delay >= floor || isLast) && attempt.delay <= max(min(most, backoff.cap), floor)
        if !isWithin { return "attempt \(attempt.number) after \(attempt.delay)" }
        if attempt.number == 1, attempt.failure.retryAfter == nil { firstDelays.append(attempt.delay) }
        // The count continues until a connection has lived for a minute.
        if lastNumber > 0, attempt.number <= lastNumber, let recoveredAt, now - recoveredAt < backoff.stability {
            return "attempt \(attempt.number) after \(lastNumber), only \(now - recoveredAt) after the recovery"
        }
        return nil
    }

    /// Whether the total is used up at `time`.
    private func isSpent(_ backoff: ReconnectPolicy.Backoff, at time: Instant) -> Bool {
        guard let since, let total = recoveredAt == nil ? backoff.initialTotal : backoff.outageTotal else {
            return false
        }
        return time - since >= total
    }

    /// What is wrong with a failure that ends the channel; nil if it is correct.
    func violation(in failure: ChannelFailure, _ settings: ChannelSettings, at now: Instant) -> String? {
        guard case .backoff(let backoff) = settings.reconnect, failure.isRetryable, !failure.isFinalOnReconnect,
            failure.kind == .reconnect || recoveredAt == nil, failure.retryAfter == nil, !isSpent(backoff, at: now)
        else { return nil }
        return "given up before the total was spent: \(failure)"
    }

    /// What is wrong with a connection made now; nil if it is correct.
    mutating func violation(inConnectAt now: Instant) -> String? {
        if since == nil { since = now }
        guard let promise else { return nil }
        self.promise = nil
        let waited = now - promise.at
        return waited < promise.delay ? "an attempt after \(waited) instead of \(promise.delay)" : nil
    }
}
