import GenesysLoop
import Testing

@testable import GenesysRelay

/// Relays into a model engine that loses replies, rolls back, refuses, is slow, full, and restarts, in virtual time.
@Suite struct RelayTests {
    @Test func `one seed is one run of a relay, to the last line`() {
        for seed: UInt64 in 1...8 {
            let first = RelayWorld(RelayScenario(seed: seed), isRecording: true)
            let second = RelayWorld(RelayScenario(seed: seed), isRecording: true)
            first.run()
            second.run()
            #expect(first.transcript.count > 10)
            #expect(first.transcript == second.transcript, "seed \(seed)")
        }
    }

    @Test func `whatever the engine does, each notification is stored once and in order, or in a gap record`() {
        let clock = ContinuousClock()
        let start = clock.now
        var profiles: Set<RelayProfile> = []
        var steps = 0
        var entries = 0
        var reasons: [String: Int] = [:]
        for seed in Settings.seeds {
            let world = RelayWorld(RelayScenario(seed: seed))
            world.run()
            profiles.insert(world.scenario.profile)
            steps += world.stepCount
            entries += world.engine.entries.count
            for entry in world.engine.entries where entry.type == "genesys.gap" {
                let parts = entry.data.split(separator: "\"")
                if let place = parts.firstIndex(of: "reason") { reasons[String(parts[place + 2]), default: 0] += 1 }
            }
            guard let violation = world.violation else { continue }
            Issue.record("\(RelayTests.report(violation, world.scenario))")
            return
        }
        print(
            "relays: \(Settings.seeds.count) seeds, \(steps) steps, \(entries) records stored, gaps",
            reasons.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "),
            "in \(clock.now - start)")
        if Settings.seeds.count >= 20 { #expect(profiles.count == RelayProfile.allCases.count) }
    }

    private static func report(_ violation: String, _ scenario: RelayScenario) -> String {
        guard !Settings.isBrief else { return "seed \(scenario.seed) (\(scenario.profile)): \(violation)" }
        let world = RelayWorld(scenario, isRecording: true)
        world.run()
        let lines = Settings.isVerbose ? world.transcript : Array(world.transcript.suffix(60))
        return """
            seed \(scenario.seed) (\(scenario.profile)): \(violation)
            \(lines.map { String($0.prefix(240)) }.joined(separator: "\n"))
            Replay: GENESYS_LOOP_SEED=\(scenario.seed) ./Scripts/test --filter RelayTests
            """
    }
}
