import GenesysLoop
import Testing

@testable import GenesysPlatform

/// Groups of channels in virtual time: each seed is a run, checked at every step.
@Suite struct GroupRunTests {
    @Test func `whatever happens to the channels of a group, nothing is lost unreported and nothing comes twice`() {
        let summary = AccountRun(Settings.seeds) { AccountScenario(groupSeed: $0) }
        print("groups of \(summary.text)")
        if let failure = summary.failure { Issue.record("\(failure)") }
        guard summary.seedCount >= 1_000 else { return }
        #expect(summary.visited == Set(AccountProfile.allCases))
        #expect(summary.moveCount >= 5 * summary.seedCount)
        #expect(summary.restartCount >= summary.seedCount / 20)
    }
}
