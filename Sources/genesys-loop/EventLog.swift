import GenesysLoop
import ToolSupport

/// Writes events to standard error, whole lines only: JSON for programs, sentences for people.
struct EventLog: Sendable {
    /// The format of events.
    enum Style: Equatable, Sendable {
        case json
        case text(hasColor: Bool)

        /// Sentences, in color on a terminal that supports it (see no-color.org).
        static var terminal: Style {
            let isDumb = Environment.value(of: "TERM") ?? "dumb" == "dumb"
            let refuses = Environment.value(of: "NO_COLOR") != nil
            return .text(hasColor: SystemCalls.isTerminal(SystemCalls.standardError) && !isDumb && !refuses)
        }
    }

    let style: Style

    /// Queues one event for standard error; it never waits. If no one reads, the newest events are dropped, except the
    /// final ones.
    func write(_ event: LifecycleEvent) {
        StandardError.write(line(event, at: SystemCalls.wallTime()), mustFit: event.isEnd) { count in
            line(.linesDropped(count), at: SystemCalls.wallTime())
        }
    }

    /// The line of an event, without its end.
    func line(_ event: LifecycleEvent, at time: WallTime) -> String {
        switch style {
        case .json:
            return event.json(at: time)
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
