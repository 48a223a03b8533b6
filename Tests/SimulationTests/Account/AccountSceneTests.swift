import GenesysLoop
import GenesysSimulator
import Testing

@testable import GenesysPlatform

/// The scenes of the platform sheet, §8, that need one channel, against the service in virtual time.
@Suite struct AccountSceneTests {
    private func run(
        _ profile: AccountProfile, _ script: [(Int, AccountIncident)] = [], for seconds: Int = 100,
        _ configure: (inout AccountScenario) -> Void = { _ in }
    ) -> AccountWorld {
        var scenario = AccountScenario(seed: 1, profile: profile)
        scenario.topics = [TopicPlan.names]
        scenario.interval = .milliseconds(100)
        scenario.length = .seconds(seconds)
        scenario.script = script.map { AccountScenario.Event(time: .milliseconds($0.0), incident: $0.1) }
        configure(&scenario)
        let world = AccountWorld(scenario)
        world.run()
        #expect(world.violation == nil)
        return world
    }

    private func creations(_ world: AccountWorld) -> Int {
        world.service.requests.count { $0.method == "POST" && $0.path.hasSuffix("/channels") }
    }

    @Test func `a creation that happened although its connection was cut: one channel, adopted (scene 6)`() {
        for answer in [SimulatedService.Fault.Answer.close, .truncate] {
            var fault = SimulatedService.Fault(path: "channels", method: "POST", answer: answer)
            fault.count = 1
            let world = run(.faults, [(0, .fault(fault))])
            #expect(creations(world) == 1)
            #expect(world.service.channelIDs.count == 1)
            #expect(world.audit.adoptedCount == 1)
            #expect(world.programs[0].auditor.deliveredCount > 500)
        }
    }

    @Test func `a creation that did not happen although it may have: another one (scene 6)`() {
        var fault = SimulatedService.Fault(path: "channels", method: "POST", answer: .never)
        fault.count = 1
        let world = run(.faults, [(0, .fault(fault))])
        #expect(creations(world) == 2)
        #expect(world.service.channelIDs.count == 1)
        #expect(world.audit.adoptedCount == 0)
    }

    @Test func `another process takes the last place: the idle channel is gone, replaced, with a gap (scene 7)`() {
        let world = run(
            .strangers,
            [
                (20_000, .refusing(.seconds(5))), (20_001, .cut(program: 0, .reset)),
                (21_000, .strangers(19)), (22_000, .strangers(1)),
            ])
        let auditor = world.programs[0].auditor
        #expect(auditor.goneReasons == [.httpNotFound])
        #expect(auditor.replacementCount == 1)
        #expect(auditor.reportedGaps.count == 1)
        #expect(auditor.reportedGaps.allSatisfy { $0.from < .seconds(20) && $0.to < .seconds(60) })
        #expect(creations(world) == 2)
    }

    @Test func `tokens that live for 60 s: ten moves, nothing lost, nothing twice, never over 20 (scene 8)`() {
        // In a harmless world a gap, a reconnect or a failed move is a violation too.
        let world = run(.calm, for: 330) { $0.service.tokens.life = .seconds(60) }
        let auditor = world.programs[0].auditor
        #expect(auditor.moveCount >= 10)
        #expect(world.audit.mintCount >= 10 && world.audit.mintCount <= auditor.moveCount + 1)
        #expect(auditor.reportedGaps.isEmpty)
        #expect(auditor.deliveredCount > 3_000)
        #expect(creations(world) == auditor.moveCount + 1)
    }

    @Test func `channels that live for 90 s and are not extended: moves, nothing lost`() {
        let world = run(.calm, for: 400) { $0.service.channels.life = .seconds(90) }
        #expect(world.programs[0].auditor.moveCount >= 5)
        #expect(world.programs[0].auditor.reportedGaps.isEmpty)
    }

    @Test func `a revoked token: one new token, one new channel, one gap`() {
        let world = run(.tokens, [(30_000, .revokeTokens)])
        #expect(world.audit.mintCount == 2)
        #expect(creations(world) == 2)
        #expect(world.programs[0].auditor.reportedGaps.count == 1)
    }
}
