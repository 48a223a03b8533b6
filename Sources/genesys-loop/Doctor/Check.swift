import GenesysLoop
import ToolSupport

/// The result of one step of a connection.
struct Check: Equatable {
    /// What it means for the channel. Other programs rely on the words.
    enum Verdict: String {
        case ok
        /// It works, and may not for long, or not everywhere.
        case warn
        case failed = "FAIL"
    }

    /// The steps, by the names that other programs rely on.
    enum Name: String, CaseIterable {
        case takeover, source, options
        case trust = "tls-trust"
        /// With an OAuth client or a token.
        case token, channels, shards, channel, topic
        case name, address, proxy, tls
        case certificate = "tls-certificate"
        case pins = "tls-pins"
        case clientCertificate = "tls-client-certificate"
        case upgrade, clock, subscription, open
    }

    let name: Name
    let verdict: Verdict
    /// How long the step took.
    let time: Duration
    /// What was found: one sentence.
    let detail: String
    /// What to do: one sentence; empty for `ok`.
    let advice: String

    private init(_ name: Name, _ verdict: Verdict, _ time: Duration, _ detail: String, advice: String = "") {
        self.name = name
        self.verdict = verdict
        self.time = time
        self.detail = EventLog.printable(Redaction.withoutPaths(detail))
        self.advice = EventLog.printable(Redaction.withoutPaths(advice))
    }

    static func ok(_ name: Name, after time: Duration, _ detail: String) -> Check {
        Check(name, .ok, time, detail)
    }

    static func warning(_ name: Name, after time: Duration = .zero, _ detail: String, advice: String) -> Check {
        Check(name, .warn, time, detail, advice: advice)
    }

    static func failure(_ name: Name, after time: Duration = .zero, _ detail: String, advice: String) -> Check {
        Check(name, .failed, time, detail, advice: advice)
    }

    /// The line for people, without its end.
    var line: String {
        let columns = [Check.padded(verdict.rawValue, 4), Check.padded(name.rawValue, 22), "\(seconds) s", detail]
        return columns.joined(separator: "  ") + (advice.isEmpty ? "" : " → \(advice)")
    }

    /// The object for programs.
    var json: [UInt8] {
        var object = JSONObject()
        object.add("name", name.rawValue)
        object.add("verdict", verdict.rawValue)
        object.add("seconds", seconds: time)
        object.add("detail", detail)
        object.add("advice", advice)
        return object.finished()
    }

    /// A clause as a sentence.
    static func sentence(_ clause: String) -> String {
        clause.prefix(1).uppercased() + clause.dropFirst() + (clause.hasSuffix(".") ? "" : ".")
    }

    /// With three decimals.
    private var seconds: String {
        let milliseconds = max(0, time.wholeNanoseconds) / 1_000_000
        let fraction = "\(milliseconds % 1_000)"
        return "\(milliseconds / 1_000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
