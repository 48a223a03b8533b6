import GenesysLoop
import Testing

/// `Failures.md` lists every reason and every kind, with the remedies and exit statuses of the library's table.
@Suite struct FailuresPageTests {
    private static func text() throws -> String {
        try Page.text("Sources/GenesysLoop/GenesysLoop.docc/Failures.md")
    }

    @Test func `the page lists every reason and every kind of a failure`() throws {
        let page = try Self.text()
        let reasons = try Page.text("Sources/GenesysLoop/ChannelMachine/FailureReason.swift")
            .matches(of: /rawValue: "(\w+)"/).map(\.1)
        #expect(reasons.count >= 30)
        for reason in reasons { #expect(page.contains("`\(reason)`"), "\(reason)") }
        for kind in ["initialization.connection", ".authorization", ".subscription", "receive"] {
            #expect(page.contains("`\(kind)`"))
        }
    }

    @Test func `the page's remedies and exit statuses are those of the table`() throws {
        let rows = try Self.text().split(separator: "\n").map { $0.split(separator: "|") }
            .filter { $0.count == 5 && $0[0].contains("`") }
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
