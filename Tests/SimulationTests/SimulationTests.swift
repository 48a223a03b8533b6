import Testing

/// Channels, a service and a network in virtual time: each seed is a run, checked at every step.
@Suite struct SimulationTests {
    @Test func `one seed is one run, to the last line`() {
        for seed: UInt64 in 1...3 {
            let first = World(Scenario(seed: seed), isRecording: true)
            let second = World(Scenario(seed: seed), isRecording: true)
            first.run()
            second.run()
            #expect(first.transcript.count > 50)
            #expect(first.transcript == second.transcript, "seed \(seed)")
        }
    }

    @Test func `whatever the world does, nothing is lost unreported and nothing comes twice`() {
        let summary = SeedRun(Settings.seeds)
        print(summary.text)
        if let failure = summary.failure { Issue.record("\(failure)") }
        guard summary.seedCount >= 1_000 else { return }
        #expect(summary.inputCount >= 5_000 * summary.seedCount, "runs in which little happens prove little")
        #expect(summary.visited == Set(Profile.allCases))
        // Attempts spread over their whole range: the clients of a service do not all reconnect at once.
        #expect(summary.firstDelays.filter { $0 < .milliseconds(200) }.count > summary.firstDelays.count / 10)
        #expect(summary.firstDelays.filter { $0 > .milliseconds(400) }.count > summary.firstDelays.count / 10)
    }
}
