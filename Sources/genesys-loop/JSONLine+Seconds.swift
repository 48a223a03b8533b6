import GenesysLoop
import ToolSupport

extension JSONLine {
    /// Adds a duration as a number of seconds.
    mutating func add(_ name: String, seconds: Duration) {
        add(name, json: seconds.secondsText)
    }
}
