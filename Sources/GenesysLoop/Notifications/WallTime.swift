/// A point in civil time: seconds and nanoseconds since 1970-01-01T00:00:00Z.
///
/// The library's public values carry it in place of a Foundation date, which `date` makes of it. `description` is
/// ISO 8601.
public struct WallTime: Comparable, Hashable, Sendable {
    /// Whole seconds since 1970, negative before it.
    public var seconds: Int64

    /// Nanoseconds within the second, 0 to 999,999,999.
    public var nanoseconds: Int32

    /// Creates a point in civil time.
    ///
    /// - Parameters:
    ///   - seconds: whole seconds since 1970.
    ///   - nanoseconds: any count; whole seconds in it are carried over.
    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        let (carry, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let isNegative = remainder < 0
        self.seconds = seconds &+ Int64(carry) &- (isNegative ? 1 : 0)
        self.nanoseconds = isNegative ? remainder + 1_000_000_000 : remainder
    }

    /// Orders by time.
    public static func < (left: WallTime, right: WallTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// The time from `earlier` to `later`; negative where `earlier` is the later one. Saturates.
    public static func - (later: WallTime, earlier: WallTime) -> Duration {
        let (seconds, overflow) = later.seconds.subtractingReportingOverflow(earlier.seconds)
        guard !overflow else { return .seconds(later < earlier ? Int64.min : Int64.max) }
        return .seconds(seconds) + .nanoseconds(Int64(later.nanoseconds) - Int64(earlier.nanoseconds))
    }

    /// The time `duration` later.
    public static func + (time: WallTime, duration: Duration) -> WallTime {
        let (seconds, nanoseconds) = duration.wholeNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return WallTime(seconds: time.seconds &+ seconds, nanoseconds: time.nanoseconds + Int32(nanoseconds))
    }
}

/// The two clocks read at once: monotonic for deadlines, civil for what a suspended host misses and for reports.
package struct ClockReading: Hashable, Sendable {
    package var instant: Instant
    package var wall: WallTime

    package init(instant: Instant, wall: WallTime) {
        self.instant = instant
        self.wall = wall
    }

    /// The moment `duration` later on both clocks.
    package static func + (moment: ClockReading, duration: Duration) -> ClockReading {
        ClockReading(instant: moment.instant + duration, wall: moment.wall + duration)
    }
}
