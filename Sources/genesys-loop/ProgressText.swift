import GenesysLoop

/// The text of the status line: rate, lag, gaps and the last event.
struct ProgressText {
    /// The channel at one moment.
    struct Sample {
        var count = 0
        var gapCount = 0
        /// The time since the service sent something; nil without a connection.
        var silence: Duration?
        /// The name of the last event, and its age; nil before the first.
        var event: (name: String, age: Duration)?
    }

    /// The counts of the last two seconds, the oldest first.
    private var counts: [(time: Instant, count: Int)] = []

    private static let window: Duration = .seconds(2)

    /// The text for a moment.
    mutating func text(_ sample: Sample, at time: Instant) -> String {
        counts.append((time, sample.count))
        while counts.count > 2, time - counts[1].time >= ProgressText.window { counts.removeFirst() }
        var parts = ["\(rate)/s", "\(sample.count) in all"]
        if let silence = sample.silence { parts.append("lag \(ProgressText.seconds(silence)) s") }
        parts.append(sample.gapCount == 0 ? "no gap" : "\(sample.gapCount) \(sample.gapCount == 1 ? "gap" : "gaps")")
        if let (name, age) = sample.event { parts.append("\(name) \(ProgressText.age(age)) ago") }
        return parts.joined(separator: ", ")
    }

    /// Notifications a second, with one digit below ten.
    private var rate: String {
        guard let first = counts.first, let last = counts.last, last.time > first.time else { return "0" }
        let rate = Double(last.count - first.count) / ((last.time - first.time) / .seconds(1))
        let tenths = Int((rate * 10).rounded())
        return tenths < 100 && tenths % 10 != 0 ? "\(tenths / 10).\(tenths % 10)" : "\((tenths + 5) / 10)"
    }

    private static func seconds(_ duration: Duration) -> String {
        let tenths = max(0, Int(duration / .milliseconds(100)))
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func age(_ duration: Duration) -> String {
        switch max(0, Int(duration / .seconds(1))) {
        case let seconds where seconds < 120: "\(seconds) s"
        case let seconds where seconds < 7_200: "\(seconds / 60) min"
        case let seconds: "\(seconds / 3_600) h"
        }
    }
}
