/// When the feed speaks next.
///
/// The times follow from a count, so that they do not drift.
struct PublishingSchedule: Hashable, Sendable {
    /// How much of the feed a late driver makes up for; the rest is never sent.
    static let maxBacklog: Duration = .milliseconds(250)

    /// Notifications in a second; 0 while the feed rests.
    private(set) var rate: Double = 0
    /// When the next is due; `nil` while the feed rests.
    private(set) var next: Duration?
    private var origin: Duration = .zero
    private var count = 0

    /// Lets the feed run; the first burst is due when its time has passed once.
    mutating func start(rate: Double, burstCount: Int, now: Duration) {
        self.rate = rate
        origin = now
        count = 0
        published(count: burstCount, now: now)
    }

    mutating func stop() {
        self = PublishingSchedule()
    }

    /// Takes note of a burst and sets the time of the next.
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
