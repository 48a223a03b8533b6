/// A point in civil time: seconds and nanoseconds since 1970-01-01T00:00:00Z.
///
/// Public values of the library carry it instead of a Foundation date; `date` converts it. `description` is ISO 8601.
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

    /// The time from `earlier` to `later`; negative if `earlier` is the later one. Saturates.
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

/// Both clocks, read together: monotonic for deadlines, civil for suspended hosts and for reports.
package struct ClockReading: Hashable, Sendable {
    package var instant: Instant
    package var wall: WallTime

    package init(instant: Instant, wall: WallTime) {
        self.instant = instant
        self.wall = wall
    }

    /// The reading `duration` later on both clocks.
    package static func + (moment: ClockReading, duration: Duration) -> ClockReading {
        ClockReading(instant: moment.instant + duration, wall: moment.wall + duration)
    }
}

extension WallTime: CustomStringConvertible {
    /// ISO 8601 in UTC with milliseconds, for example `2026-07-31T09:05:03.007Z`. Parts of a millisecond are cut off.
    public var description: String {
        let (days, second) = WallTime.floorDivide(seconds, 86_400)
        let (year, month, day) = WallTime.civil(days)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let clock = "\(padded(second / 3_600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        return "\(date)T\(clock).\(padded(Int64(nanoseconds) / 1_000_000, 3))Z"
    }

    /// The date of a day counted from 1970-01-01 in the proleptic Gregorian calendar.
    ///
    /// Years are counted from 1 March, so that the leap day is the last of its year; 146,097 days are 400 years.
    package static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    package static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

extension Duration {
    /// The duration in seconds with at most three decimals, for example `0.35`; never in exponential form, and 0 if it
    /// is negative.
    package var secondsText: String {
        let milliseconds = max(0, wholeNanoseconds) / 1_000_000
        let fraction = milliseconds % 1_000
        guard fraction > 0 else { return "\(milliseconds / 1_000)" }
        var digits = padded(fraction, 3)
        while digits.last == "0" { digits.removeLast() }
        return "\(milliseconds / 1_000).\(digits)"
    }
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value.magnitude)
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
}
