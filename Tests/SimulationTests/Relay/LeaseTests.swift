import GenesysLoop
import Testing

@testable import GenesysRelay

/// Relays of one name into a model engine with a lease, of which some crash, freeze and thaw, while the engine is away,
/// forgets the lease or rolls back, in virtual time.
@Suite struct LeaseTests {
    @Test func `one seed is one run of relays with a lease, to the last line`() {
        for seed: UInt64 in 1...7 {
            let first = LeaseWorld(seed: seed, isRecording: true)
            let second = LeaseWorld(seed: seed, isRecording: true)
            first.run()
            second.run()
            #expect(first.transcript.count > 10)
            #expect(first.transcript == second.transcript, "seed \(seed)")
        }
    }

    @Test func `whatever happens, one relay leads at a time, and a lease is taken from a dead one only`() {
        let clock = ContinuousClock()
        let start = clock.now
        var steps = 0
        var takeovers = 0
        var outcomes: [String: Int] = [:]
        for seed in Settings.seeds {
            let world = LeaseWorld(seed: seed)
            world.run()
            steps += world.stepCount
            takeovers += world.takeoverCount
            for program in world.programs {
                switch program.outcome {
                case .refused: outcomes["refused", default: 0] += 1
                case .ended(.fenced): outcomes["fenced", default: 0] += 1
                default: break
                }
            }
            guard let violation = world.violation else { continue }
            Issue.record("\(LeaseTests.report(violation, world))")
            return
        }
        print(
            "leases: \(Settings.seeds.count) seeds, \(steps) steps, \(takeovers) takeovers,",
            "\(outcomes["refused"] ?? 0) refused, \(outcomes["fenced"] ?? 0) fenced in \(clock.now - start)")
    }

    private static func report(_ violation: String, _ world: LeaseWorld) -> String {
        guard !Settings.isBrief else { return "seed \(world.seed) (\(world.profile)): \(violation)" }
        let again = LeaseWorld(seed: world.seed, isRecording: true)
        again.run()
        let lines = Settings.isVerbose ? again.transcript : Array(again.transcript.suffix(60))
        return """
            seed \(world.seed) (\(world.profile)): \(violation)
            \(lines.map { String($0.prefix(240)) }.joined(separator: "\n"))
            Replay: GENESYS_LOOP_SEED=\(world.seed) ./Scripts/test --filter LeaseTests
            """
    }
}
