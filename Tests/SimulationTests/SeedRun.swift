import Foundation
import GenesysLoop

/// The settings of the environment.
enum Settings {
    /// With `GENESYS_LOOP_BRIEF` a failing run is not reduced.
    static var isBrief: Bool { ProcessInfo.processInfo.environment["GENESYS_LOOP_BRIEF"] != nil }
    /// `GENESYS_LOOP_VERBOSE` shows the whole transcript of a failing run.
    static var isVerbose: Bool { ProcessInfo.processInfo.environment["GENESYS_LOOP_VERBOSE"] != nil }

    /// `GENESYS_LOOP_SEED` is one seed; `GENESYS_LOOP_SEEDS` the number of seeds, from 1 on, or a range as in `1-2000`.
    static var seeds: ClosedRange<UInt64> {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["GENESYS_LOOP_SEED"].flatMap(UInt64.init) { return seed...seed }
        let few = environment["GENESYS_LOOP_SANITIZER"] == nil ? "20" : "5"
        let bounds = (environment["GENESYS_LOOP_SEEDS"] ?? few).split(separator: "-").compactMap { UInt64($0) }
        guard let last = bounds.last, last > 0 else { return 1...20 }
        return bounds.count == 2 && bounds[0] <= last ? bounds[0]...last : 1...last
    }
}

/// Runs many seeds in order, up to the first that fails.
struct SeedRun {
    private(set) var seedCount = 0
    private(set) var inputCount = 0
    private(set) var deliveredCount = 0
    private(set) var visited: Set<Profile> = []
    private(set) var firstDelays: [Duration] = []
    private(set) var failure: String?
    private var elapsed: Duration = .zero

    init(_ seeds: ClosedRange<UInt64>) {
        let clock = ContinuousClock()
        let start = clock.now
        for seed in seeds {
            let world = World(Scenario(seed: seed))
            world.run()
            seedCount += 1
            inputCount += world.inputCount
            visited.insert(world.scenario.profile)
            for host in world.hosts {
                deliveredCount += host.auditor.deliveredCount
                firstDelays += host.auditor.policy.firstDelays
            }
            guard let violation = world.violation else { continue }
            failure = SeedRun.report(violation, world.scenario)
            break
        }
        elapsed = clock.now - start
    }

    var text: String {
        """
        simulation: \(seedCount) seeds, \(inputCount) inputs, \(deliveredCount) notifications delivered, in \(elapsed)
        """
    }

    /// The end of the transcript, without routine events.
    private static func excerpt(_ transcript: [String]) -> [String] {
        let usual = [" gets ", " lacks ", " publishes ", "WebSocket Heartbeat"]
        let lines = transcript.filter { line in !usual.contains { line.contains($0) } }
        return (lines + transcript.suffix(6)).suffix(80).map {
            $0.replacing("GenesysLoop.", with: "").replacing("GenesysSimulator.", with: "")
        }
    }

    private static func report(_ violation: String, _ scenario: Scenario) -> String {
        guard !Settings.isBrief else { return "seed \(scenario.seed) (\(scenario.profile)): \(violation)" }
        let smaller = Shrinker(scenario, failingWith: violation).shrunken
        let world = World(smaller, isRecording: true)
        world.run()
        return """
            seed \(scenario.seed) (\(scenario.profile)): \(violation)
            With \(smaller.script.count) of \(scenario.script.count) incidents: \(world.violation ?? "nothing")
            \((Settings.isVerbose ? world.transcript : excerpt(world.transcript)).joined(separator: "\n"))
            Replay: GENESYS_LOOP_SEED=\(scenario.seed) ./Scripts/test --filter Simulation
            """
    }
}
