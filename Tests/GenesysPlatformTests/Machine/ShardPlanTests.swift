import GenesysLoop
import Testing

@testable import GenesysPlatform

/// Which topics are on which channel of a group.
@Suite struct ShardPlanTests {
    /// One topic for each user.
    static func presences(_ range: Range<Int>) -> [Topic] { range.map { Topic("v2.users.\($0).presence") } }

    static func plan(_ topics: [Topic], capacity: Int = 19) throws -> ShardPlan {
        var plan = ShardPlan(capacity: capacity)
        _ = try plan.add(topics)
        return plan
    }

    /// The shard of each wanted topic.
    static func shards(of plan: ShardPlan) -> [Topic: Int] {
        var shards: [Topic: Int] = [:]
        for shard in 0..<plan.shardCount {
            for topic in plan.topics(of: shard).flatMap(plan.members) { shards[topic] = shard }
        }
        return shards
    }

    /// The rules that hold for every plan.
    static func check(_ plan: ShardPlan, _ wanted: Set<Topic>, _ comment: Comment? = nil) {
        var seen: [Topic] = []
        for shard in 0..<plan.shardCount {
            let topics = plan.topics(of: shard)
            #expect(topics.count == plan.placeCount(of: shard), comment)
            #expect(topics.count <= Topic.maxCount, comment)
            #expect(topics.allSatisfy { $0.isValid }, comment)
            let members = topics.map(plan.members)
            #expect(zip(topics, members).allSatisfy { $0.expanded == $1.flatMap { $0.expanded } }, comment)
            seen += members.flatMap { $0 }
        }
        #expect(seen.count == wanted.count && Set(seen) == wanted, comment)
        #expect(Set(plan.wanted) == wanted, comment)
        #expect(plan.shardCount <= plan.capacity, comment)
    }

    @Test(arguments: [(1, 1), (1_000, 1), (1_001, 2), (2_500, 3), (18_001, 19), (19_000, 19)])
    func `the first topics take the fewest channels, evenly`(topicCount: Int, shardCount: Int) throws {
        let plan = try ShardPlanTests.plan(ShardPlanTests.presences(0..<topicCount))
        #expect(plan.shardCount == shardCount)
        let counts = (0..<plan.shardCount).map(plan.placeCount)
        let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
        #expect(most - least < shardCount)
        #expect(plan.placeCount == topicCount)
    }

    @Test func `no topics need no channel`() throws {
        let plan = try ShardPlanTests.plan([])
        #expect(plan.shardCount == 0)
    }

    @Test func `another order of the same topics is the same plan`() throws {
        let topics = ShardPlanTests.presences(0..<2_500)
        var random = SplitMix64(seed: 1)
        let first = ShardPlanTests.shards(of: try ShardPlanTests.plan(topics))
        let second = ShardPlanTests.shards(of: try ShardPlanTests.plan(topics.shuffled(using: &random)))
        #expect(second == first)
    }

    @Test func `the plan is the same in every run`() throws {
        let shards = try ShardPlanTests.shards(of: ShardPlanTests.plan(ShardPlanTests.presences(0..<2_500)))
        #expect((0..<8).map { shards[Topic("v2.users.\($0).presence")] } == [1, 2, 2, 0, 0, 2, 2, 0])
    }

    // MARK: - Resources

    @Test func `the topics of a resource share a place`() throws {
        let plan = try ShardPlanTests.plan(
            ["v2.users.a.presence", "v2.users.b.presence", "v2.users.a.routingStatus", "v2.users.a.geolocation"])
        #expect(
            Set(plan.topics(of: 0)) == ["v2.users.a?presence&routingStatus&geolocation", "v2.users.b.presence"])
        #expect(
            plan.members(of: "v2.users.a?presence&routingStatus&geolocation")
                == ["v2.users.a.presence", "v2.users.a.routingStatus", "v2.users.a.geolocation"])
        #expect(plan.members(of: "v2.users.b.presence") == ["v2.users.b.presence"])
        #expect(plan.members(of: "v2.users.c.presence") == ["v2.users.c.presence"])
    }

    @Test func `a combined topic has at most 200 characters`() throws {
        let names = (0..<30).map { Topic("v2.users.a.suffix-\($0)") }
        let plan = try ShardPlanTests.plan(names)
        ShardPlanTests.check(plan, Set(names))
        #expect(plan.placeCount == 2)
    }

    @Test func `a combined topic of the host stays as it is`() throws {
        let topics: [Topic] = ["v2.users.a?presence&routingStatus", "v2.users.a.geolocation", "v2.users.a.station"]
        let plan = try ShardPlanTests.plan(topics)
        #expect(Set(plan.topics(of: 0)) == [topics[0], "v2.users.a?geolocation&station"])
        #expect(plan.members(of: topics[0]) == [topics[0]])
    }

    @Test func `what cannot be combined takes a place each`() throws {
        let topics: [Topic] = ["a&b.c", "a&b.d", ".x", ".y", "z.", "z.?", "channel"]
        let plan = try ShardPlanTests.plan(topics)
        ShardPlanTests.check(plan, Set(topics))
        #expect(plan.placeCount == topics.count)
    }

    @Test func `names that are equal only to Unicode are different resources`() throws {
        let topics: [Topic] = ["v2.users.e\u{301}.presence", "v2.users.\u{E9}.routingStatus"]
        ShardPlanTests.check(try ShardPlanTests.plan(topics), Set(topics))
    }

    @Test func `all topics of an identifier are on one channel, whatever comes after it`() throws {
        let users = (0..<1_200).map { "v2.users.00000000-0000-4000-8000-00000000\(1_000 + $0)" }
        let plan = try ShardPlanTests.plan(
            users.flatMap { [Topic("\($0).presence"), Topic("\($0).conversations.calls")] })
        let shards = ShardPlanTests.shards(of: plan)
        #expect(plan.placeCount == 2_400)
        for user in users {
            #expect(shards[Topic("\(user).presence")] == shards[Topic("\(user).conversations.calls")])
        }
    }

    // MARK: - Changes

    @Test func `a further topic of a resource goes to the channel of the others, and takes a place of its own`() throws
    {
        var plan = try ShardPlanTests.plan(ShardPlanTests.presences(0..<2_400))
        let shard = ShardPlanTests.shards(of: plan)["v2.users.7.presence"]
        let changed = try plan.add(["v2.users.7.routingStatus"])
        #expect(changed == Set([shard].compactMap { $0 }))
        #expect(ShardPlanTests.shards(of: plan)["v2.users.7.routingStatus"] == shard)
        #expect(plan.placeCount == 2_401)
    }

    @Test func `if its channel is full, the topics of the resource are combined again`() throws {
        var plan = try ShardPlanTests.plan(ShardPlanTests.presences(0..<1_000))
        let changed1 = try plan.add(["v2.users.7.routingStatus"])
        #expect(changed1 == [0])
        #expect(plan.topics(of: 0).contains("v2.users.7?presence&routingStatus"))
        #expect(plan.placeCount == 1_000)
    }

    @Test func `and if that makes no room, the new topic is on another channel`() throws {
        var plan = try ShardPlanTests.plan(
            ShardPlanTests.presences(0..<999) + ["v2.users.999?presence&routingStatus"])
        let changed2 = try plan.add(["v2.users.999.station"])
        #expect(changed2 == [1])
        #expect(plan.shardCount == 2)
        ShardPlanTests.check(plan, Set(plan.wanted))
    }

    @Test func `new resources fill the channels that exist, and open another one when all are full`() throws {
        var plan = try ShardPlanTests.plan(ShardPlanTests.presences(0..<1_200))
        let changed3 = try plan.add(ShardPlanTests.presences(1_200..<2_000))
        #expect(changed3 == [0, 1])
        #expect(plan.shardCount == 2)
        let changed4 = try plan.add(ShardPlanTests.presences(2_000..<2_001))
        #expect(changed4 == [2])
    }

    @Test func `a removed topic leaves the rest of its place`() throws {
        var plan = try ShardPlanTests.plan(["v2.users.a.presence", "v2.users.a.routingStatus", "v2.users.a.station"])
        #expect(plan.remove(["v2.users.a.routingStatus", "v2.users.x.presence"]) == [0])
        #expect(plan.topics(of: 0) == ["v2.users.a?presence&station"])
        _ = plan.remove(["v2.users.a.presence"])
        #expect(plan.topics(of: 0) == ["v2.users.a.station"])
        _ = plan.remove(["v2.users.a.station"])
        #expect(plan.topics(of: 0) == [] && plan.placeCount == 0 && plan.shardCount == 1)
    }

    @Test func `a topic ends with its last user`() throws {
        var plan = try ShardPlanTests.plan(["v2.users.a.presence"])
        let changed5 = try plan.add(["v2.users.a.presence", "v2.users.b.presence"])
        #expect(changed5 == [0])
        #expect(plan.remove(["v2.users.a.presence"]) == [])
        #expect(plan.isWanted("v2.users.a.presence"))
        #expect(plan.remove(["v2.users.a.presence"]) == [0])
        #expect(!plan.isWanted("v2.users.a.presence"))
    }

    @Test func `replacing counts one user of each topic`() throws {
        var plan = try ShardPlanTests.plan(["v2.users.a.presence", "v2.users.b.presence"])
        _ = try plan.add(["v2.users.a.presence"])
        let changed6 = try plan.replace(with: ["v2.users.a.presence", "v2.users.c.presence"])
        #expect(changed6 == [0])
        #expect(plan.remove(["v2.users.a.presence"]) == [0])
        #expect(Set(plan.wanted) == ["v2.users.c.presence"])
    }

    // MARK: - Errors

    @Test(arguments: [(19, 19_001), (20, 20_001), (1, 1_001)])
    func `more topics than fit change nothing`(capacity: Int, count: Int) throws {
        var plan = try ShardPlanTests.plan(ShardPlanTests.presences(0..<count - 1), capacity: capacity)
        let before = plan
        let failure = #expect(throws: ChannelFailure.self) {
            try plan.add(ShardPlanTests.presences(count - 1..<count))
        }
        #expect(failure?.reason == .subscriptionRefused && failure?.phase == .subscribe)
        #expect(failure?.message == "the topics need \(count) places, and \(capacity) channels have \(capacity)000")
        #expect(throws: ChannelFailure.self) { try plan.replace(with: ShardPlanTests.presences(1..<count + 1)) }
        #expect(plan == before)
        #expect(throws: ChannelFailure.self) {
            try ShardPlanTests.plan(ShardPlanTests.presences(0..<count), capacity: capacity)
        }
    }

    @Test func `an invalid topic changes nothing`() throws {
        var plan = try ShardPlanTests.plan(["v2.users.a.presence"])
        let before = plan
        #expect(throws: ChannelFailure.self) { try plan.add(["v2.users.b.presence", "two words"]) }
        #expect(plan == before)
    }

    // MARK: - Properties

    @Test(arguments: 0..<10)
    func `topics come and go, and no other one moves`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var plan = ShardPlan(capacity: 2)
        var wanted: Set<Topic> = []
        for step in 0..<20 {
            let before = ShardPlanTests.shards(of: plan)
            let names = (0..<Int.random(in: 1...200, using: &random)).map { _ in ShardPlanTests.name(&random) }
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                _ = plan.remove(names)
                wanted.subtract(names)
            case 1 where Int.random(in: 0..<5, using: &random) == 0:
                _ = try plan.replace(with: names)
                wanted = Set(names)
            default:
                let new = Set(names).subtracting(wanted)
                do throws(ChannelFailure) {
                    _ = try plan.add(Array(new))
                    wanted.formUnion(new)
                } catch {
                    #expect(plan.placeCount + new.count > 2_000 - 200)
                }
            }
            ShardPlanTests.check(plan, wanted, "seed \(seed), step \(step)")
            let after = ShardPlanTests.shards(of: plan)
            let moved = before.filter { after[$0.key] != nil && after[$0.key] != $0.value }
            #expect(moved.isEmpty, "seed \(seed), step \(step)")
        }
    }

    private static func name(_ random: inout SplitMix64) -> Topic {
        let user = Int.random(in: 0..<1_200, using: &random)
        let suffixes = ["presence", "routingStatus", "station", "geolocation?x", "conversations"]
        return Topic("v2.users.\(user).\(suffixes[Int.random(in: 0..<5, using: &random)])")
    }
}
