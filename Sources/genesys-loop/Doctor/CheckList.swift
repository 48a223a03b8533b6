import GenesysLoop
import ToolSupport

/// The checks in the order of the steps: each as a line of standard output at once, or all of them as one line of JSON.
final class CheckList {
    private(set) var checks: [Check] = []
    /// Checks that come after a step that is not over; nil while there is none.
    private var waiting: [Check]?
    private let writer: LineWriter
    private let isJSON: Bool

    init(writer: LineWriter, isJSON: Bool) {
        self.writer = writer
        self.isJSON = isJSON
    }

    func add(_ check: Check) {
        guard waiting == nil else { return waiting?.append(check) ?? () }
        checks.append(check)
        if !isJSON { write(Array(check.line.utf8)) }
    }

    /// A step takes longer than those after it: their checks wait for `release`.
    func hold() {
        if waiting == nil { waiting = [] }
    }

    /// That step is over, with these checks.
    func release(_ checks: [Check]) {
        let later = waiting ?? []
        waiting = nil
        for check in checks + later { add(check) }
    }

    /// The last line of JSON.
    func end(with status: ExitStatus) {
        release([])
        guard isJSON else { return }
        let list = checks.map(\.json).joined(separator: [UInt8(ascii: ",")])
        var object = JSONObject()
        object.add("checks", json: [UInt8(ascii: "[")] + list + [UInt8(ascii: "]")])
        object.add("status", Int(status.rawValue))
        write(object.finished())
    }

    private func write(_ line: [UInt8]) {
        var line = line + [UInt8(ascii: "\n")]
        _ = writer.give(&line)
    }
}
