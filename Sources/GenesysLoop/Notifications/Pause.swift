/// An interval in which the host had nothing read: it does not count against anyone.
package struct Pause: Equatable, Sendable {
    package let start: Instant
    package let end: Instant

    package init(from start: Instant, to end: Instant) {
        self.start = start
        self.end = end
    }

    /// The part of it that lies after `instant`.
    package func length(after instant: Instant) -> Duration {
        max(.zero, end - max(start, instant))
    }

    /// The deadline of something that may take `limit`, without the part of the pause that fell into it.
    package func postponed(_ deadline: Instant, limit: Duration) -> Instant {
        deadline + length(after: deadline + (.zero - limit))
    }
}
