@testable import GenesysLoop

/// Whether the attempts of a channel keep to its policy.
struct PolicyAudit {
    private(set) var firstDelays: [Duration] = []
    private var lastNumber = 0
    private var recoveredAt: Instant?
    private var promise: (at: Instant, delay: Duration)?

    mutating func recovered(at now: Instant) {
        recoveredAt = now
        promise = nil
    }

    /// The host does not wait.
    mutating func overruled() { promise = nil }

    /// What is wrong with an announced attempt; nil when nothing is.
    mutating func flaw(in attempt: ReconnectAttempt, _ settings: ChannelSettings, at now: Instant) -> String? {
        defer {
            lastNumber = attempt.number
            promise = (now, attempt.delay)
        }
        guard case .backoff(let backoff) = settings.reconnect else { return nil }
        // An attempt that is under way already, as a rollover, needs no delay.
        if attempt.delay == .zero { return nil }
        var most = backoff.base
        for _ in 1..<attempt.number where most < backoff.cap { most = most * 2 }
        let floor = max(backoff.floor, attempt.failure.retryAfter ?? .zero)
        let isWithin = attempt.delay >= floor && attempt.delay <= max(min(most, backoff.cap), floor)
        if !isWithin { return "attempt \(attempt.number) after \(attempt.delay)" }
        if attempt.number == 1, attempt.failure.retryAfter == nil { firstDelays.append(attempt.delay) }
        // The count goes on as long as no connection has lived for a minute.
        if lastNumber > 0, attempt.number <= lastNumber, let recoveredAt, now - recoveredAt < backoff.stability {
            return "attempt \(attempt.number) after \(lastNumber), only \(now - recoveredAt) after the recovery"
        }
        return nil
    }

    /// What is wrong with a connection that is made now.
    mutating func flaw(inConnectAt now: Instant) -> String? {
        guard let promise else { return nil }
        self.promise = nil
        let waited = now - promise.at
        return waited < promise.delay ? "an attempt after \(waited) instead of \(promise.delay)" : nil
    }
}
