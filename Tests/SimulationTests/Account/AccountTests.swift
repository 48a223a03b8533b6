import GenesysLoop
import Testing

@testable import GenesysPlatform

/// Programs whose channels are made over REST, in virtual time: each seed is a run, checked at every step.
@Suite struct AccountTests {
    @Test func `one seed is one run, to the last line`() {
        for seed: UInt64 in 1...3 {
            let first = AccountWorld(AccountScenario(seed: seed), isRecording: true)
            let second = AccountWorld(AccountScenario(seed: seed), isRecording: true)
            first.run()
            second.run()
            #expect(first.transcript.count > 50)
            #expect(first.transcript == second.transcript, "seed \(seed)")
        }
    }

    @Test func `whatever happens to tokens and channels, nothing is lost unreported and nothing comes twice`() {
        let summary = AccountRun(Settings.seeds)
        print(summary.text)
        if let failure = summary.failure { Issue.record("\(failure)") }
        guard summary.seedCount >= 1_000 else { return }
        #expect(summary.stepCount >= 500 * summary.seedCount, "runs in which little happens prove little")
        #expect(summary.moveCount >= 5 * summary.seedCount)
        #expect(summary.replacementCount >= summary.seedCount)
        #expect(summary.adoptedCount >= summary.seedCount / 20)
        #expect(summary.visited == Set(AccountProfile.allCases))
    }
}
