import Foundation
import Testing

/// The result of a run of `doctor --json`.
struct Diagnosis: Decodable {
    struct Check: Decodable {
        var name: String
        var verdict: String
        var seconds: Double
        var detail: String
        var advice: String
    }

    var checks: [Check]
    var status: Int32

    /// Runs the tool, and checks what every result has in common.
    static func run(_ arguments: [String], variables: [String: String] = [:]) async throws -> Diagnosis {
        let end = await (try Child.tool(["doctor", "--json"] + arguments, mayLeak: true, variables: variables)).end()
        return try Diagnosis(end)
    }

    init(_ end: Child.End) throws {
        #expect(end.output.count { $0 == 0x0A } == 1 && end.output.last == 0x0A, "\(end.outputText)\(end.errors)")
        #expect(end.errors == "")
        self = try JSONDecoder().decode(Diagnosis.self, from: Data(end.output))
        #expect(status == end.status)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(end.output)) as? [String: Any])
        #expect(Set(object.keys) == ["checks", "status"])
        for check in try #require(object["checks"] as? [[String: Any]]) {
            #expect(Set(check.keys) == ["name", "verdict", "seconds", "detail", "advice"])
        }
        for check in checks {
            #expect(["ok", "warn", "FAIL"].contains(check.verdict), "\(check)")
            #expect(check.advice.isEmpty == (check.verdict == "ok"), "\(check)")
            #expect(check.detail.hasSuffix(".") && check.seconds >= 0, "\(check)")
            #expect(check.advice.isEmpty || check.advice.hasSuffix("."), "\(check)")
        }
        #expect((status == 0) == !checks.contains { $0.verdict == "FAIL" }, "\(checks)")
        let first = checks.firstIndex { $0.verdict == "FAIL" } ?? checks.endIndex
        let after = checks[first...].dropFirst().filter { $0.verdict == "ok" }
        // Each address is tried, and the answer that refuses the upgrade has its date.
        #expect(after.allSatisfy { ["address", "clock"].contains($0.name) }, "\(checks)")
    }

    var failures: [Check] { checks.filter { $0.verdict == "FAIL" } }
    var warnings: [Check] { checks.filter { $0.verdict == "warn" } }

    func named(_ name: String) throws -> Check {
        try #require(checks.first { $0.name == name }, "no \(name) among \(checks.map(\.name))")
    }
}
