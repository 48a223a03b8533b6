import GenesysLoop
import ToolSupport

/// Writes events to standard error, whole lines only: JSON for programs, sentences for people.
struct EventLog: Sendable {
    /// The format of events.
    enum Style: Equatable, Sendable {
        case json
        /// Sentences on a terminal.
        case text(hasColor: Bool)
        /// Sentences for the journal of systemd, which records time and program itself: `<4>sentence` has the priority
        /// of sd-daemon(3).
        case journal
        /// Sentences elsewhere, each behind its time.
        case timed

        /// Sentences for where standard error goes; in color on a terminal that supports it (see no-color.org).
        static var sentences: Style {
            if SystemCalls.isTerminal(SystemCalls.standardError) {
                return .text(hasColor: !isDumbTerminal && Environment.value(of: "NO_COLOR") == nil)
            }
            let stream = Environment.value(of: "JOURNAL_STREAM")
            return stream != nil && stream == SystemCalls.identity(of: SystemCalls.standardError) ? .journal : .timed
        }

        /// Whether the terminal supports neither color nor the movement of its cursor.
        static var isDumbTerminal: Bool { Environment.value(of: "TERM") ?? "dumb" == "dumb" }
    }

    let style: Style

    /// Queues one event for standard error; it never waits. If no one reads, the newest events are dropped, except the
    /// final ones.
    ///
    /// - Parameter shard: the number of the channel among those that the tool makes; nil for one whose URI is given.
    func write(_ event: LifecycleEvent, shard: Int? = nil) {
        StandardError.write(line(event, at: SystemCalls.wallTime(), shard: shard), mustFit: event.isEnd) { count in
            line(.linesDropped(count), at: SystemCalls.wallTime())
        }
    }

    /// The line of an event, without its end.
    func line(_ event: LifecycleEvent, at time: WallTime, shard: Int? = nil) -> String {
        switch style {
        case .json:
            return event.json(at: time, shard: shard)
        case .journal:
            return "<\(event.priority)>\(EventLog.printable(event.sentence))"
        case .timed:
            return "\(time) genesys-loop: \(EventLog.printable(event.sentence))"
        case .text(let hasColor):
            let sentence = EventLog.printable(event.sentence)
            guard hasColor else { return "genesys-loop: \(sentence)" }
            switch event.weight {
            case .news: return "\u{1B}[1mgenesys-loop:\u{1B}[0m \(sentence)"
            case .warning: return "\u{1B}[1;33mgenesys-loop:\u{1B}[0m \(sentence)"
            case .error: return "\u{1B}[1;31mgenesys-loop:\u{1B}[0m \(sentence)"
            }
        }
    }

    /// Replaces control characters, with which a peer could take over the terminal, by a replacement character.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            result.unicodeScalars.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
        }
        return result
    }
}
