import Foundation
import GenesysLoop
import Testing

/// Tests what the README says of failures.
@Suite struct ReadmeTests {
    @Test func `the README lists every reason and every kind of a failure`() throws {
        let root = URL(fileURLWithPath: #filePath).appending(path: "../../..").standardizedFileURL
        func text(_ path: String) throws -> String {
            try String(contentsOf: root.appending(path: path), encoding: .utf8)
        }
        let failures = try #require(try text("README.md").split(separator: "## When it fails").last)
        let reasons = try text("Sources/GenesysLoop/ChannelMachine/FailureReason.swift")
            .matches(of: /rawValue: "(\w+)"/).map(\.1)
        #expect(reasons.count >= 30)
        for reason in reasons { #expect(failures.contains("`\(reason)`"), "\(reason)") }
        for kind in ["initialization.connection", ".authorization", ".subscription", "receive"] {
            #expect(failures.contains("`\(kind)`"))
        }
    }

    @Test func `the README's remedies and exit statuses are those of the table`() throws {
        let root = URL(fileURLWithPath: #filePath).appending(path: "../../..").standardizedFileURL
        let page = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let table = try #require(page.split(separator: "## When it fails").last).split(separator: "\n")
        let rows = table.map { $0.split(separator: "|") }.filter { $0.count == 5 && $0[0].contains("`") }
        #expect(rows.count == 16)
        for row in rows {
            for match in row[0].matches(of: /`(\w+)`/) {
                let reason = FailureReason(rawValue: String(match.1))
                for isRetryable in [nil, false] {
                    let failure = ChannelFailure(reason: reason, phase: .open, isRetryable: isRetryable)
                    #expect(row[3].contains("`\(failure.remedy)`"), "\(reason): \(failure.remedy)")
                    #expect(row[4].contains("\(failure.consequence.exitStatus.rawValue)"), "\(reason)")
                }
            }
        }
    }
}
