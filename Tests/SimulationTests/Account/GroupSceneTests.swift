import GenesysLoop
import GenesysSimulator
import Testing

@testable import GenesysPlatform

/// The scenes of the platform sheet, §8, that need a group, against the service in virtual time.
@Suite struct GroupSceneTests {
    private func run(
        _ profile: AccountProfile, shards: Int, _ script: [(Int, AccountIncident)] = [], for seconds: Int = 100,
        _ configure: (inout AccountScenario) -> Void = { _ in }
    ) -> AccountWorld {
        var scenario = AccountScenario(seed: 1, profile: profile)
        scenario.isGroup = true
        scenario.topics = Array(repeating: TopicPlan.names, count: shards)
        scenario.policies = Array(repeating: .backoff(.init()), count: shards)
        scenario.latency = 1...5
        scenario.interval = .milliseconds(500)
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

    @Test func `a token that is refused while 20 shards ask for topics: one new token, each shard once (scene 2)`() {
        let world = run(.tokens, shards: 20, [(8_200, .expireTokens)])
        #expect(world.audit.mintCount == 2)
        #expect(world.programs.allSatisfy { $0.auditor.deliveredCount > 0 && $0.auditor.replacementCount <= 1 })
    }

    @Test func `another process takes the last place: one shard is idle, and it alone has a gap (scene 7)`() {
        let world = run(
            .strangers, shards: 19,
            [(30_000, .refusing(.seconds(5))), (30_001, .cut(program: 3, .reset)), (31_000, .strangers(2))])
        #expect(world.programs[3].auditor.goneReasons == [.httpNotFound])
        #expect(world.programs[3].auditor.reportedGaps.count == 1)
        for program in world.programs where program.index != 3 { #expect(program.auditor.reportedGaps.isEmpty) }
        #expect(creations(world) == 20)
    }

    @Test func `tokens that live for 60 s: ten moves of 19 shards, nothing lost, never over 20 (scene 8)`() {
        // In a harmless world a gap, a reconnect or a failed move is a violation too.
        let world = run(.calm, shards: 19, for: 360) { $0.service.tokens.life = .seconds(60) }
        #expect(world.programs.allSatisfy { $0.auditor.moveCount >= 10 })
        #expect(world.programs.allSatisfy { $0.auditor.reportedGaps.isEmpty })
        #expect(world.audit.mintCount >= 10)
    }

    @Test func `2,500 topics, 10 of them forbidden: 3 channels, 10 rejections with permissions (scene 9)`() {
        let queues = TopicPlan.singles[..<6]
        let forbidden = (0..<9).map { Topic("v2.users.\($0 * 250).presence") } + [queues[5]]
        let world = run(.calm, shards: 3, for: 200) {
            $0.share(queues + (0..<2_494).map { Topic("v2.users.\($0).presence") })
            $0.service.channels.forbiddenTopics = Set(forbidden)
            // The topics are asked for again with each move, and no refusal is repeated.
            $0.service.tokens.life = .seconds(120)
        }
        #expect(world.programs.count == 3)
        #expect(world.programs.allSatisfy { $0.auditor.moveCount >= 2 })
        let rejections = world.programs.flatMap(\.auditor.rejections)
        #expect(rejections.count == 10 && Set(rejections.map(\.topic)) == Set(forbidden))
        #expect(rejections.allSatisfy { !$0.missingPermissions.isEmpty && $0.reason != nil })
        #expect(world.programs.reduce(0) { $0 + $1.auditor.deliveredCount } > 300)
        let moves = world.programs.reduce(0) { $0 + $1.auditor.moveCount }
        #expect(creations(world) == 3 + moves)
    }

    @Test func `20 shards move with a gap each, one after the other`() {
        let world = run(.tokens, shards: 20, for: 400) { $0.service.tokens.life = .seconds(600) }
        #expect(world.programs.allSatisfy { $0.auditor.goneReasons.allSatisfy { $0 == .channelExpired } })
        let gaps = world.programs.flatMap(\.auditor.reportedGaps).map { ($0.to - $0.from) / .milliseconds(1) }
        // A gap begins with the last proof that everything had arrived, which heartbeats give.
        #expect(gaps.allSatisfy { $0 < 70_000 }, "\(gaps)")
        #expect(world.programs.allSatisfy { $0.auditor.replacementCount >= 1 })
    }

    @Test func `in an outage the group asks once which channels exist`() {
        let world = run(
            .strangers, shards: 2,
            [(30_000, .refusing(.seconds(5))), (30_001, .cut(program: 0, .reset)), (30_002, .cut(program: 1, .reset))])
        #expect(world.group?.countCount == 1)
    }
}
