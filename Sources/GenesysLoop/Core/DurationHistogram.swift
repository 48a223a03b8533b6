/// How often durations fell into each of fixed ranges, from a millisecond to ten seconds, and their sum.
///
/// Counts and sum never decrease. A histogram without observations has no storage.
public struct DurationHistogram: Hashable, Sendable {
    /// The upper ends of the ranges, ascending. A duration belongs to the first one that is not less than it; a last
    /// range has no upper end.
    public static let bounds: [Duration] = [
        .milliseconds(1), .microseconds(2_500), .milliseconds(5), .milliseconds(10), .milliseconds(25),
        .milliseconds(50), .milliseconds(100), .milliseconds(250), .milliseconds(500), .seconds(1),
        .milliseconds(2_500), .seconds(5), .seconds(10),
    ]

    /// `bounds`, in nanoseconds: a `Duration` is slow to compare.
    private static let nanoseconds = bounds.map(\.wholeNanoseconds)

    /// The sum of the observations.
    public private(set) var sum: Duration = .zero

    /// Empty before the first observation.
    private var counts: [Int] = []

    /// Creates a histogram without observations.
    public init() {}

    /// The number of observations in a range.
    ///
    /// - Parameter range: an index of `bounds`, or its count for the range above the last bound.
    public subscript(range: Int) -> Int { counts.isEmpty ? 0 : counts[range] }

    /// The number of observations.
    public var count: Int { counts.reduce(0, &+) }

    /// Adds an observation; a negative one counts as zero.
    package mutating func record(_ duration: Duration) { record(nanoseconds: duration.wholeNanoseconds) }

    /// Adds an observation; a negative one counts as zero.
    package mutating func record(nanoseconds: Int64) {
        if counts.isEmpty { counts = Array(repeating: 0, count: DurationHistogram.bounds.count + 1) }
        var range = 0
        while range < DurationHistogram.nanoseconds.count, nanoseconds > DurationHistogram.nanoseconds[range] {
            range += 1
        }
        counts[range] &+= 1
        sum += .nanoseconds(max(0, nanoseconds))
    }

    /// Adds the observations of another histogram.
    public mutating func add(_ other: DurationHistogram) {
        guard !other.counts.isEmpty else { return }
        if counts.isEmpty { counts = Array(repeating: 0, count: DurationHistogram.bounds.count + 1) }
        for range in counts.indices { counts[range] &+= other.counts[range] }
        sum += other.sum
    }
}

extension DurationHistogram: CustomStringConvertible {
    /// The number of observations and their mean, in seconds.
    public var description: String {
        count == 0 ? "none" : "\(count) with a mean of \((sum / count).secondsText) s"
    }
}
