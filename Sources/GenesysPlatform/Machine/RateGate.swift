package import GenesysLoop

/// The pace of all calls with one token.
///
///     open ──too many requests──▶ closed until `Retry-After` ──▶ open, the waiting calls one after the other
///      │ ▲
///      │ └─ the period ends
///      └── less than a tenth of the rate is left ──▶ spread over the rest of the period
///
/// A call that must wait gets a time of its own, so that the calls of many channels do not start together.
///
/// Source: platform sheet §3, traps 12, 13.
package struct RateGate: Equatable, Sendable {
    /// The time between two calls that waited for the gate to open.
    static let spread: ClosedRange<Duration> = .milliseconds(50)...(.milliseconds(150))
    /// The longest period of the service's rate.
    static let maxPeriod: Duration = .seconds(180)

    /// No call starts before.
    package private(set) var opensAt: Instant?
    /// What closed it.
    package private(set) var refusal: RESTFailure?
    /// The time between two calls until `pacedUntil`.
    private var interval: Duration = .zero
    private var pacedUntil: Instant?
    /// The last time that a call was given.
    private var lastTurn: Instant?

    package init() {}

    package func isClosed(now: Instant) -> Bool { opensAt.map { now < $0 } ?? false }

    /// The service refused a call because there were too many.
    package mutating func refused(_ failure: RESTFailure, now: Instant) {
        let time = now + failure.floor
        opensAt = max(opensAt ?? time, time)
        refusal = failure
    }

    /// An answer told how much of the rate is left.
    package mutating func reported(_ rate: RESTAnswer.Rate, now: Instant) {
        let left = rate.allowed - rate.count
        guard rate.allowed > 0, left < rate.allowed / 10 else {
            pacedUntil = nil
            return
        }
        let rest = min(max(rate.reset, .zero), RateGate.maxPeriod)
        interval = rest / max(1, left + 1)
        pacedUntil = now + rest
        // The interval counts from this answer.
        lastTurn = max(lastTurn ?? now, now)
    }

    /// When a call may start.
    package mutating func turn(now: Instant, random: inout SplitMix64) -> Instant {
        var time = now
        var gap: Duration = .zero
        if let opensAt, now < opensAt {
            time = opensAt + random.duration(in: .zero...RateGate.spread.upperBound)
            gap = random.duration(in: RateGate.spread)
        }
        let previous = lastTurn ?? now
        if let pacedUntil, now < pacedUntil {
            if previous + max(gap, interval) <= pacedUntil {
                gap = max(gap, interval)
            } else {
                // What does not fit into the period comes after it, when the service counts from zero again.
                time = max(time, pacedUntil)
                gap = max(gap, random.duration(in: RateGate.spread))
            }
        }
        if gap > .zero {
            if lastTurn != nil { time = max(time, previous + gap) }
            lastTurn = time
        }
        return time
    }
}
