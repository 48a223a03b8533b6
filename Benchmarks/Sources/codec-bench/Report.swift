import Foundation

/// The result of a run, as a readable table and as JSON.
struct Report: Encodable {
    let date: String
    let machine: String
    let rounds: Int
    let results: [Measurement]

    init(rounds: Int, results: [Measurement]) {
        date = Date.now.formatted(.iso8601)
        machine = Report.processor
        self.rounds = rounds
        self.results = results
    }

    /// One line for each subject, one block for each group.
    var table: String {
        var lines: [String] = []
        var group = ""
        for result in results {
            if result.group != group {
                group = result.group
                lines.append(lines.isEmpty ? "" : "\n")
                lines[lines.count - 1] += Report.row(group, "GB/s", "of memchr", "ns/message", "slowest..fastest")
            }
            lines.append(
                Report.row(
                    "  " + result.subject, Report.number(result.gigabytesPerSecond),
                    Report.number(result.ratioToMemchr), Report.number(result.nanosecondsPerMessage),
                    Report.number(result.slowest) + ".." + Report.number(result.fastest)))
        }
        return lines.joined(separator: "\n")
    }

    /// The report as JSON.
    var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return try encoder.encode(self)
        }
    }

    private static func row(_ name: String, _ columns: String...) -> String {
        let width = 40
        let padded = name + String(repeating: " ", count: max(1, width - name.count))
        return padded + columns.map { String(repeating: " ", count: max(0, 11 - $0.count)) + $0 }.joined(separator: " ")
    }

    /// Three significant digits.
    static func number(_ value: Double) -> String {
        let decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 0.1 ? 2 : 3
        return String(format: "%.\(decimals)f", value)
    }

    private static var processor: String {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = info.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
        return "\(name ?? "unknown processor"), \(ProcessInfo.processInfo.activeProcessorCount) cores"
    }
}
