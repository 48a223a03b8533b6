import Foundation
import GenesysSimulator
import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

/// Groups of channels over real sockets.
@Suite(.serialized) struct ChannelGroupSocketTests {
    @Test func `2,500 topics take three channels, and each refused one is reported with its permissions`() throws {
        let topics = GroupStage.topics(2_500)
        let forbidden = Set(topics.shuffled().prefix(10))
        let stage = try GroupStage { $0.channels.forbiddenTopics = forbidden }
        let group = try stage.makeGroup(topics)
        group.open()
        #expect(stage.log == [])
        try stage.run(untilLogged: "subscribed")
        #expect(stage.server.service.channelIDs.count == 3)
        #expect(stage.counts == [1, 2, 3].map { ChannelCount(ours: $0, all: $0) })
        #expect(Set(stage.rejections.map(\.topic)) == forbidden && stage.rejections.count == 10)
        #expect(stage.rejections.allSatisfy { !$0.missingPermissions.isEmpty })
        let counts = stage.log.filter { $0.hasPrefix("didSubscribe") }.compactMap { Int($0.split(separator: " ")[2]) }
        #expect(counts.count == 3 && counts.reduce(0, +) == 2_490)
        #expect(group.state == .subscribed && Set(group.topics) == Set(topics))
        #expect(group.shards.map(\.number) == [0, 1, 2])
        #expect(group.shards.allSatisfy { $0.channel?.state == .subscribed })
        group.close()
        try stage.run(untilLogged: "closed")
        #expect(stage.log.last == "closed")
        stage.leave()
    }

    @Test func `three channels move one after the other, and nothing is lost or doubled`() throws {
        let stage = try GroupStage()
        let topics = GroupStage.topics(2_001)
        let group = try stage.makeGroup(topics)
        group.open()
        try stage.run(untilLogged: "subscribed")
        stage.publish(to: topics)
        group.move()
        try stage.run(untilLogged: "recovered", count: 3)
        try stage.expectEverything()
        let moves = stage.log.filter { $0.hasPrefix("made") || $0.hasPrefix("recovered") }.dropFirst(3)
        #expect(
            Array(moves) == (0..<3).flatMap { ["made \($0)", "recovered \($0) rollover"] }, "never two at a time")
        #expect(stage.gaps.isEmpty)
        #expect(group.statistics.rolloverCount == 3)
        #expect(group.statistics.receivedCount == stage.receivedCount)
        group.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `a topic that is added when all others are refused takes their place`() throws {
        let first = GroupStage.topics(1)
        let stage = try GroupStage { $0.channels.forbiddenTopics = Set(first) }
        let group = try stage.makeGroup(first)
        stage.didLog = { _, entry in
            if entry.hasPrefix("rejected") { try? group.subscribe("v2.users.other.presence") }
        }
        group.open()
        try stage.run(untilLogged: "didSubscribe")
        #expect(group.state == .subscribed && group.topics.count == 2, "\(stage.log)")
        group.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `a channel that is gone touches no other`() throws {
        let stage = try GroupStage()
        let group = try stage.makeGroup(GroupStage.topics(2_001))
        group.open()
        try stage.run(untilLogged: "subscribed")
        let count = stage.log.count
        stage.server.evict(.channel(stage.server.service.channelIDs[1]))
        try stage.run(untilLogged: "recovered 1 replacement")
        let story = stage.log[count...].filter { !$0.hasPrefix("reconnecting") && !$0.hasPrefix("state") }
        #expect(
            Array(story) == [
                "recovering", "gone 1 httpNotFound", "made 1", "subscribed", "gap 1 connectionClosed",
                "recovered 1 replacement",
            ])
        #expect(group.statistics.gapCount == 1 && group.statistics.state == .subscribed)
        group.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    // MARK: - Refusals

    @Test func `a shard whose topics are all refused ends quietly, and the others go on`() throws {
        let topics = GroupStage.topics(2_001)
        var plan = ShardPlan(capacity: 19)
        _ = try plan.add(topics)
        let forbidden = Set(plan.topics(of: 1))
        let stage = try GroupStage { $0.channels.forbiddenTopics = forbidden }
        let group = try stage.makeGroup(topics)
        group.open()
        try stage.run(untilLogged: "subscribed")
        #expect(Set(stage.rejections.map(\.topic)) == forbidden && stage.rejections.count == forbidden.count)
        #expect(stage.log.contains("ended 1 subscriptionRefused"))
        #expect(stage.failure == nil && group.shards[1].channel == nil)
        // Another topic of that shard opens it again, and refusals are not repeated.
        let user = plan.topics(of: 1)[0].rawValue.dropLast("presence".count)
        try group.subscribe(Topic("\(user)routingStatus"))
        try stage.run(untilLogged: "didSubscribe 1 1")
        #expect(stage.rejections.count == forbidden.count)
        group.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `if all topics are refused the group fails, with a sentence about permissions`() throws {
        let topics = GroupStage.topics(1_001)
        let stage = try GroupStage { $0.channels.forbiddenTopics = Set(topics) }
        try stage.makeGroup(topics).open()
        try stage.run(untilLogged: "failed")
        #expect(
            stage.log.suffix(3) == ["ended 1 subscriptionRefused", "ended", "failed provision subscriptionRefused"])
        #expect(stage.failure?.kind == .authorization)
        #expect(stage.rejections.count == 1_001)
        stage.leave()
    }

    @Test func `a refused client fails the group once, with one request`() throws {
        let stage = try GroupStage()
        try stage.base.makePlatform(secret: "wrong")
        try stage.makeGroup(GroupStage.topics(1_001)).open()
        try stage.run(untilLogged: "failed")
        #expect(stage.log.last == "failed token httpUnauthorized")
        #expect(stage.base.requests == ["POST /oauth/token"])
        stage.leave()
    }

    // MARK: - Topics

    @Test func `topics come and go over the WebSockets, for several users`() throws {
        let stage = try GroupStage()
        let group = try stage.makeGroup(["v2.users.a.presence", "v2.users.a.routingStatus"])
        group.open()
        try stage.run(untilLogged: "didSubscribe 0 2")
        #expect(group.shards[0].topics == ["v2.users.a?presence&routingStatus"])
        let requests = stage.base.requests.count
        try group.subscribe("v2.users.b.presence")
        try group.subscribe(["v2.users.b.presence"])
        let id = try #require(stage.server.service.channelIDs.first)
        func subscriptions() -> Set<Topic> { Set((try? stage.server.service.subscriptions(of: id)) ?? []) }
        try stage.run { subscriptions() == ["v2.users.a?presence&routingStatus", "v2.users.b.presence"] }
        group.unsubscribe("v2.users.b.presence")
        group.unsubscribe(["v2.users.a.presence"])
        try stage.run { subscriptions() == ["v2.users.a.routingStatus", "v2.users.b.presence"] }
        group.unsubscribe("v2.users.b.presence")
        try stage.run { subscriptions() == ["v2.users.a.routingStatus"] }
        try group.setTopics(["v2.users.c.presence"])
        try stage.run { subscriptions() == ["v2.users.c.presence"] }
        #expect(stage.base.requests.count == requests)
        group.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `topics beyond the first channel open another one, and an empty one ends at its next turn`() throws {
        let stage = try GroupStage()
        let topics = GroupStage.topics(1_000)
        let group = try stage.makeGroup(topics)
        group.open()
        try stage.run(untilLogged: "didSubscribe 0")
        try group.subscribe("v2.users.extra.presence")
        try stage.run(untilLogged: "didSubscribe 1 1")
        group.unsubscribe("v2.users.extra.presence")
        try stage.run { (try? stage.server.service.subscriptions(of: stage.server.service.channelIDs[1])) == [] }
        group.move()
        try stage.run(untilLogged: "ended 1 closed")
        try stage.run(untilLogged: "recovered 0 rollover")
        try group.subscribe("v2.users.extra.presence")
        try stage.run(untilLogged: "didSubscribe 1 1", count: 2)
        group.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `more topics than fit are an error before anything is sent`() throws {
        let stage = try GroupStage()
        #expect(throws: ChannelFailure.self) { try stage.makeGroup(GroupStage.topics(19_001)) }
        #expect(throws: ChannelFailure.self) { try stage.makeGroup(GroupStage.topics(20_001), keepsSparePlace: false) }
        let group = try stage.makeGroup(GroupStage.topics(19_001), keepsSparePlace: false)
        #expect(group.shards.count == 20)
        #expect(stage.base.requests == [])
        stage.leave()
    }

    // MARK: - The end

    @Test(arguments: [0, 1, 2, 3])
    func `closing is legal in every state`(madeCount: Int) throws {
        let stage = try GroupStage()
        let group = try stage.makeGroup(GroupStage.topics(2_001))
        if madeCount > 0 {
            group.open()
            try stage.run(untilLogged: "made", count: madeCount)
        }
        group.close()
        group.close()
        let count = stage.log.count
        try stage.run(untilLogged: "closed")
        #expect(Array(stage.log[count...]) == ["closed"])
        group.open()
        #expect(group.state == .ended)
        stage.leave()
    }

    @Test func `a group without topics is open`() throws {
        let stage = try GroupStage()
        let group = try stage.makeGroup([])
        group.open()
        try stage.run(untilLogged: "subscribed")
        try group.subscribe("v2.users.a.presence")
        try stage.run(untilLogged: "didSubscribe 0 1")
        group.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `everything of the API is legal inside of every delegate method`() throws {
        let topics = GroupStage.topics(1_500)
        let stage = try GroupStage { $0.channels.forbiddenTopics = [topics[0]] }
        let group = try stage.makeGroup(topics)
        stage.didLog = { stage, entry in
            group.pause()
            group.resume()
            group.move()
            group.unsubscribe("v2.users.c.presence")
            try? group.subscribe("v2.users.c.presence")
            group.open()
            _ = (group.state, group.statistics, group.shards)
            if entry.hasPrefix("recovered") { group.close() }
        }
        group.open()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `a delegate that is gone closes the group`() throws {
        let stage = try GroupStage()
        let topics = GroupStage.topics(1_001)
        let group = try stage.makeGroup(topics)
        group.open()
        try stage.run(untilLogged: "subscribed")
        group.delegate = nil
        stage.publish(to: topics)
        try stage.run { group.state == .ended }
        stage.leave()
    }

    @Test func `closing the loop closes a group`() throws {
        let stage = try GroupStage()
        let group = try stage.makeGroup(GroupStage.topics(1_001))
        group.open()
        try stage.run(untilLogged: "subscribed")
        stage.loop.closeAll()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `a pause holds all channels`() throws {
        let stage = try GroupStage()
        let topics = GroupStage.topics(1_001)
        let group = try stage.makeGroup(topics)
        group.open()
        try stage.run(untilLogged: "subscribed")
        group.pause()
        stage.publish(to: topics)
        var rounds = 0
        try stage.run {
            rounds += 1
            return rounds > 100
        }
        #expect(stage.receivedCount == 0)
        group.resume()
        try stage.expectEverything()
        group.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }
}

extension Tag {
    /// Needs real time, and runs only with `Scripts/test --all`.
    @Tag static var realTime: Self
}

/// Ten moves of a full group.
@Suite(
    .serialized, .timeLimit(.minutes(15)), .tags(.realTime),
    .enabled(if: ProcessInfo.processInfo.environment["GENESYS_LOOP_ALL"] != nil, "six minutes: with --all only"))
struct ChannelGroupMoveTests {
    @Test func `19 channels with 19,000 topics move ten times with their token, and nothing is lost or doubled`()
        throws
    {
        let stage = try GroupStage {
            $0.tokens.life = .seconds(60)
            $0.rates.creationsPerMinute = 60
            $0.rates.requestsPerMinute = 300
        }
        let topics = GroupStage.topics(19_000)
        let group = try stage.makeGroup(topics)
        group.open()
        try stage.run(untilLogged: "subscribed")
        stage.publish(to: topics)
        stage.didLog = { stage, entry in
            let isUsual = ["state", "rollingOver", "subscribed", "made", "recovered"].contains { entry.hasPrefix($0) }
            if !isUsual { print("after \(stage.publishedCount) notifications: \(entry)") }
        }
        var most = 0
        try stage.run(rounds: 900_000) {
            most = max(most, stage.server.service.channelIDs.count)
            return group.statistics.rolloverCount >= 190
        }
        try stage.expectEverything()
        #expect(most <= 20)
        #expect(stage.gaps.isEmpty)
        #expect(!stage.log.contains { $0.hasPrefix("gone") || $0.hasPrefix("move failed") })
        group.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }
}
