package import GenesysLoop

/// When a call that failed is tried again, and when it is given up.
///
/// An answer that says when to come back is obeyed. For what passes by itself the delays are those that the vendor
/// recommends, with jitter: 3 s in the first 5 minutes, 9 s until 10 minutes, then 27 s. A failure of the service
/// itself (500) and a body that cannot be used are tried once more. A channel whose creation may have happened is
/// looked for instead (`Provisioning`).
///
/// The limit is the instant at which the last attempt starts: a delay beyond it is cut, and a `Retry-After` beyond it
/// ends the call at once.
///
/// Source: platform sheet §3; RFC 9110 §10.2.3.
package struct RetrySchedule: Equatable, Sendable {
    package enum Decision: Equatable, Sendable {
        case attempt(at: Instant)
        case giveUp
    }

    /// The wait after an answer of too many requests without `Retry-After`.
    static let throttledDelay: Duration = .seconds(3)

    /// The first failure in a row.
    private var since: Instant?
    private var serverErrorCount = 0
    private var unusableCount = 0

    package init() {}

    /// Failures until now do not count: an attempt succeeded.
    package mutating func succeeded() {
        self = RetrySchedule()
    }

    /// A call failed.
    package mutating func next(
        after failure: RESTFailure, of call: RESTCall, limit: Instant?, now: Instant, random: inout SplitMix64
    ) -> Decision {
        if call == .createChannel, failure.mayHaveActed { return .giveUp }
        let since = self.since ?? now
        self.since = since
        switch failure.cause {
        case .throttled:
            let jitter = random.duration(in: .zero ... .milliseconds(500))
            return RetrySchedule.decide(delay: failure.floor + jitter, floor: failure.floor, limit: limit, now: now)
        case .transport where !failure.failure.isRetryable:
            return .giveUp
        case .transport, .unavailable:
            break
        case .serverError:
            serverErrorCount += 1
            if call == .createChannel || serverErrorCount > 1 { return .giveUp }
        case .unusable:
            unusableCount += 1
            if unusableCount > 1 { return .giveUp }
        case .unauthorized, .forbidden, .gone, .refused, .noToken:
            return .giveUp
        }
        let delay = RetrySchedule.delay(after: now - since, random: &random)
        return RetrySchedule.decide(delay: delay, floor: failure.floor, limit: limit, now: now)
    }

    /// The delay when calls have failed for `elapsed`.
    static func delay(after elapsed: Duration, random: inout SplitMix64) -> Duration {
        let base: Duration =
            elapsed < .seconds(300) ? .seconds(3) : elapsed < .seconds(600) ? .seconds(9) : .seconds(27)
        return random.duration(in: base...base * 3 / 2)
    }

    private static func decide(delay: Duration, floor: Duration, limit: Instant?, now: Instant) -> Decision {
        let time = now + max(delay, floor)
        guard let limit else { return .attempt(at: time) }
        guard now < limit, now + floor <= limit else { return .giveUp }
        return .attempt(at: min(time, limit))
    }
}
