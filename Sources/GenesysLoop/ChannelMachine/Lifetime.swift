/// The life of the channel: 24 hours from the last confirmed subscription, extended before they end.
///
///     running ──due──▶ extending ──confirmed──▶ running
///        │                 │ refused or unanswered, twice
///        └─extension off───┴──▶ expiring   (the host was notified; only a confirmation ends it)
///
/// The deadline is kept on both clocks, because the monotonic one stops while a host is suspended. Source: protocol
/// sheet §5.1.
package struct Lifetime: Equatable, Sendable {
    package enum State: Equatable {
        case unconfirmed
        case running
        case extending
        case expiring
    }

    package enum Verdict: Equatable {
        case wait
        case extend
        case expire
    }

    /// How long the service keeps a channel after the last confirmed subscription.
    package static let granted: Duration = .seconds(24 * 3600)

    package let duration: Duration
    package let isExtended: Bool
    package private(set) var state: State = .unconfirmed
    private var due: ClockReading?
    private var tries = 0
    private var confirmedAt: WallTime?

    package init(duration: Duration, isExtended: Bool) {
        self.duration = duration
        self.isExtended = isExtended
    }

    /// The service confirmed a subscription, which renews the channel's life.
    package mutating func renewed(now: ClockReading) {
        state = .running
        tries = 0
        due = now + duration
        confirmedAt = now.wall
    }

    /// The next deadline on the monotonic clock.
    package var deadline: Instant? {
        state == .running ? due?.instant : nil
    }

    /// The latest end of the channel by the service; a longer configured lifetime moves it.
    package var end: WallTime {
        (confirmedAt ?? WallTime(seconds: 0)) + max(Lifetime.granted, duration)
    }

    /// Whether either clock has reached the deadline.
    package func isDue(now: ClockReading) -> Bool {
        guard state == .running, let due else { return false }
        return now.instant >= due.instant || now.wall >= due.wall
    }

    package mutating func deadlineReached(now: ClockReading) -> Verdict {
        guard isDue(now: now) else { return .wait }
        guard isExtended else {
            state = .expiring
            return .expire
        }
        state = .extending
        tries = 1
        return .extend
    }

    /// The service refused the extension, or did not answer it.
    package mutating func extensionFailed() -> Verdict {
        guard state == .extending else { return .wait }
        guard tries < 2 else {
            state = .expiring
            return .expire
        }
        tries += 1
        return .extend
    }

    /// There are no topics to subscribe to again: the life of such a channel is renewed over REST, which the machine
    /// cannot see.
    ///
    /// The host is reminded once per lifetime.
    package mutating func extensionImpossible(now: ClockReading) {
        guard state == .extending else { return }
        renewed(now: now)
    }
}
