import GenesysLoop

@testable import GenesysPlatform

/// Runs many seeds of an account in order, up to the first that fails.
struct AccountRun {
    private(set) var seedCount = 0
    private(set) var deliveredCount = 0
    private(set) var moveCount = 0
    private(set) var replacementCount = 0
    private(set) var adoptedCount = 0
    private(set) var mintCount = 0
    private(set) var callCount = 0
    private(set) var stepCount = 0
    private(set) var visited: Set<AccountProfile> = []
    private(set) var failure: String?
    /// How programs failed after they had been subscribed.
    private(set) var ends: [String: Int] = [:]
    private var elapsed: Duration = .zero

    /// Shards that were given up and opened again.
    private(set) var restartCount = 0

    init(
        _ seeds: ClosedRange<UInt64>, _ scenario: (UInt64) -> AccountScenario = { AccountScenario(seed: $0) }
    ) {
        let clock = ContinuousClock()
        let start = clock.now
        for seed in seeds {
            let world = AccountWorld(scenario(seed))
            world.run()
            count(world)
            guard let violation = world.violation else { continue }
            failure = AccountRun.report(violation, world.scenario)
            break
        }
        elapsed = clock.now - start
    }

    private mutating func count(_ world: AccountWorld) {
        seedCount += 1
        stepCount += world.stepCount
        visited.insert(world.scenario.profile)
        mintCount += world.audit.mintCount
        callCount += world.audit.callCount
        adoptedCount += world.audit.adoptedCount
        for program in world.programs {
            deliveredCount += program.auditor.deliveredCount
            moveCount += program.auditor.moveCount
            restartCount += program.restartCount
            replacementCount += program.auditor.replacementCount
            guard let failure = program.auditor.failure else { continue }
            ends["\(failure.kind) \(failure.reason) \(failure.phase)", default: 0] += 1
        }
    }

    var text: String {
        """
        accounts: \(seedCount) seeds, \(stepCount) steps, \(callCount) calls, \(mintCount) tokens, \
        \(moveCount) moves, \(replacementCount) replacements, \(restartCount) restarts, \(adoptedCount) adopted, \
        \(deliveredCount) notifications delivered, in \(elapsed)
        ends: \(ends.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" })
        """
    }

    /// The end of the transcript, without routine events.
    private static func excerpt(_ transcript: [String]) -> [String] {
        let usual = [" gets ", " publishes ", "WebSocket Heartbeat"]
        let lines = transcript.filter { line in !usual.contains { line.contains($0) } }
        let names = ["GenesysLoop.", "GenesysSimulator.", "GenesysPlatform.", "ProvisionedChannelMachine."]
        return (lines + transcript.suffix(6)).suffix(80).map { line in
            String(names.reduce(line) { $0.replacing($1, with: "") }.prefix(200))
        }
    }

    private static func report(_ violation: String, _ scenario: AccountScenario) -> String {
        guard !Settings.isBrief else { return "seed \(scenario.seed) (\(scenario.profile)): \(violation)" }
        let world = AccountWorld(scenario, isRecording: true)
        world.run()
        return """
            seed \(scenario.seed) (\(scenario.profile)): \(violation)
            \((Settings.isVerbose ? world.transcript : excerpt(world.transcript)).joined(separator: "\n"))
            Replay: GENESYS_LOOP_SEED=\(scenario.seed) ./Scripts/test --filter Simulation
            """
    }
}
