/// The watchdog of one link: it never counts the host's own delay as silence of the peer.
///
///     listening ──35 s without a byte──▶ pinged ──7 s──▶ lost
///         ▲                                │
///         └──────────── any byte ──────────┘
///
/// A blocked loop never declares a live link dead: the loop polls before `deadlineReached` (see `DueTimers`), so bytes
/// that arrived in time are read first.
///
/// Deadlines: silence, grace. Source: protocol sheet §4.3 (heartbeat every 30 s, pong), §8 P1.
package struct Heartbeat: Equatable, Sendable {
    package enum State: Equatable {
        case listening
        case pinged
        case suspended
    }

    package enum Verdict: Equatable {
        case wait
        case ping
        case lost
    }

    package let silence: Duration
    package let grace: Duration
    package private(set) var state: State = .listening
    package private(set) var deadline: Instant?
    /// The round-trip time of the last answered ping.
    package private(set) var roundTrip: Duration?
    private var pingedAt: Instant?

    package init(silence: Duration, grace: Duration, now: Instant) {
        self.silence = silence
        self.grace = grace
        deadline = now + silence
    }

    /// Something arrived on the link.
    package mutating func heard(now: Instant) {
        switch state {
        case .listening, .pinged:
            state = .listening
            deadline = now + silence
        case .suspended:
            break
        }
    }

    /// A ping was sent for a reason other than silence; only its round-trip time matters here.
    package mutating func probed(now: Instant) {
        pingedAt = now
    }

    /// The answer to the last ping arrived.
    ///
    /// - Returns: the round-trip time; nil if the pong answers no ping.
    @discardableResult
    package mutating func pongReceived(now: Instant) -> Duration? {
        guard let pingedAt else { return nil }
        roundTrip = now - pingedAt
        self.pingedAt = nil
        return roundTrip
    }

    /// The link is not read: its silence means nothing.
    package mutating func suspend() {
        state = .suspended
        deadline = nil
    }

    /// The link is read again: the time starts again.
    package mutating func restart(now: Instant) {
        state = .listening
        pingedAt = nil
        deadline = now + silence
    }

    /// The host was suspended: silence during that time does not count.
    ///
    /// A link that is not read stays so.
    package mutating func hostAwoke(now: Instant) {
        guard state != .suspended else { return }
        restart(now: now)
    }

    package mutating func deadlineReached(now: Instant) -> Verdict {
        guard let deadline, now >= deadline else { return .wait }
        switch state {
        case .listening:
            state = .pinged
            pingedAt = now
            self.deadline = now + grace
            return .ping
        case .pinged:
            self.deadline = nil
            return .lost
        case .suspended:
            return .wait
        }
    }
}
