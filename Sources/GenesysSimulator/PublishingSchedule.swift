/// The time of the feed's next notifications.
///
/// Computed from a count, so that the times do not drift.
struct PublishingSchedule: Hashable, Sendable {
    /// The part of the feed that a late driver makes up for; the rest is never sent.
    static let maxBacklog: Duration = .milliseconds(250)

    /// Notifications per second; 0 while the feed is stopped.
    private(set) var rate: Double = 0
    /// When the next one is due; `nil` while the feed is stopped.
    private(set) var next: Duration?
    private var origin: Duration = .zero
    private var count = 0

    /// Starts the feed; the first burst is due after one interval.
    mutating func start(rate: Double, burstCount: Int, now: Duration) {
        self.rate = rate
        origin = now
        count = 0
        published(count: burstCount, now: now)
    }

    mutating func stop() {
        self = PublishingSchedule()
    }

    /// Records a burst and sets the time of the next.
    mutating func published(count burstCount: Int, now: Duration) {
        count += max(1, burstCount)
        let due = origin + .seconds(Double(count) / rate)
        if due < now - PublishingSchedule.maxBacklog {
            origin = now
            count = 0
            next = now
        } else {
            next = due
        }
    }
}
