import GenesysLoop
import Testing

@testable import GenesysPlatform

/// The machine of a group, whose channels say what a test lets them say.
@Suite struct ChannelGroupTests {
    /// The machine, and its actions as words.
    struct Stage {
        var machine: ChannelGroupMachine
        var now = Instant(nanoseconds: 0)

        init(
            _ topicCount: Int = 2_001, policy: ReconnectPolicy = .backoff(.init()), keepsSparePlace: Bool = true
        ) throws {
            machine = try ChannelGroupMachine(
                topics: ShardPlanTests.presences(0..<topicCount), policy: policy, keepsSparePlace: keepsSparePlace,
                seed: 1)
        }

        mutating func open() -> [String] { words(machine.openRequested(now: now)) }
        mutating func close() -> [String] { words(machine.closeRequested()) }

        mutating func report(
            _ shard: Int, _ state: ChannelState, moves: Bool = false, wait: ShardTurns.Wait? = nil
        ) -> [String] {
            words(machine.reported(shard, .init(state: state, isMoving: moves, wait: wait), now: now))
        }

        mutating func waits(_ shard: Int, isMove: Bool = false, state: ChannelState? = nil) -> [String] {
            let wait = ShardTurns.Wait(call: CallID(rawValue: UInt64(shard)), isMove: isMove)
            return report(shard, state ?? (isMove ? .subscribed : .connecting), wait: wait)
        }

        mutating func ends(_ shard: Int, _ reason: FailureReason?, phase: ChannelFailure.Phase = .provision) -> [String]
        {
            let failure = reason.map { ChannelFailure(reason: $0, phase: phase) }
            return words(machine.ended(shard, failure, now: now))
        }

        /// Lets time pass until the next deadline, which must be within `limit`.
        mutating func pass(within limit: Double = 300) -> [String] {
            guard let deadline = machine.nextDeadline, deadline <= now + .seconds(limit) else { return ["nothing"] }
            now = max(now, deadline)
            return words(machine.deadlineReached(now: now))
        }

        private func words(_ actions: [ChannelGroupMachine.Action]) -> [String] {
            actions.map { action in
                switch action {
                case .open(let shard, let topics): "open \(shard) \(topics.count)"
                case .setTopics(let shard, let topics): "set \(shard) \(topics.count)"
                case .start(let shard): "start \(shard)"
                case .exchange(let shard): "exchange \(shard)"
                case .close(let shard): "close \(shard)"
                case .count: "count"
                case .finish(.closed): "closed"
                case .finish(.failed(let failure)): "failed \(failure.reason)"
                }
            }
        }

        /// All shards are subscribed.
        static func live(
            _ topicCount: Int = 2_001, policy: ReconnectPolicy = .backoff(.init()), keepsSparePlace: Bool = true
        ) throws -> Stage {
            var stage = try Stage(topicCount, policy: policy, keepsSparePlace: keepsSparePlace)
            _ = stage.open()
            for shard in stage.machine.shards.indices { _ = stage.report(shard, .subscribed) }
            return stage
        }
    }

    @Test func `each shard has a channel, and they are made one a second`() throws {
        var stage = try Stage()
        #expect(stage.open() == ["open 0 667", "open 1 667", "open 2 667"])
        #expect(stage.open() == [])
        #expect(stage.waits(0) == ["start 0"])
        #expect(stage.waits(1) == [] && stage.waits(2) == [])
        #expect(stage.pass(within: 1) == ["start 1"])
        #expect(stage.pass(within: 1) == ["start 2"])
        #expect(stage.pass() == ["nothing"])
    }

    @Test func `the group is connecting until every shard is subscribed or refused`() throws {
        var stage = try Stage()
        #expect(stage.machine.channelState == .idle)
        _ = stage.open()
        _ = stage.report(0, .subscribed)
        #expect(stage.machine.channelState == .connecting)
        #expect(stage.ends(1, .subscriptionRefused) == [])
        #expect(stage.machine.channelState == .connecting)
        _ = stage.report(2, .subscribed)
        #expect(stage.machine.channelState == .subscribed)
        _ = stage.report(2, .rollingOver)
        #expect(stage.machine.channelState == .rollingOver)
        _ = stage.report(0, .recovering)
        #expect(stage.machine.channelState == .recovering)
    }

    // MARK: - Ends

    @Test func `all shards refused is the end, with the failure of permissions`() throws {
        var stage = try Stage()
        _ = stage.open()
        #expect(stage.ends(0, .subscriptionRefused) == [])
        #expect(stage.ends(2, .subscriptionRefused) == [])
        #expect(stage.ends(1, .subscriptionRefused) == ["failed subscriptionRefused"])
    }

    @Test func `a failure before the first confirmation is one of the account, and ends the group`() throws {
        var stage = try Stage()
        _ = stage.open()
        #expect(stage.ends(1, .httpUnauthorized, phase: .token) == ["close 0", "close 2"])
        #expect(stage.machine.channelState == .closing)
        #expect(stage.ends(0, nil) == [])
        #expect(stage.ends(2, nil) == ["failed httpUnauthorized"])
    }

    @Test func `a shard that is given up starts again while another one is connected`() throws {
        var stage = try Stage.live()
        #expect(stage.ends(1, .httpNotFound) == [])
        #expect(stage.machine.channelState == .recovering)
        let start = stage.now
        #expect(stage.pass() == ["open 1 667"])
        #expect((Duration.seconds(15)...(.seconds(30))).contains(stage.now - start))
        // It fails again: the next time takes longer.
        #expect(stage.ends(1, .httpNotFound) == [])
        let second = stage.now
        #expect(stage.pass() == ["open 1 667"])
        #expect((Duration.seconds(30)...(.seconds(60))).contains(stage.now - second))
        _ = stage.report(1, .subscribed)
        #expect(stage.machine.channelState == .subscribed)
    }

    @Test func `it waits until another one is connected again, and the last one ends the group`() throws {
        var stage = try Stage.live()
        for shard in 0..<3 { _ = stage.report(shard, .recovering) }
        #expect(stage.ends(1, .timeout) == [])
        #expect(stage.pass() == ["nothing"])
        _ = stage.report(0, .subscribed)
        #expect(stage.pass() == ["open 1 667"])
        _ = stage.report(0, .recovering)
        #expect(stage.ends(0, .timeout) == [])
        #expect(stage.ends(1, .timeout) == [])
        #expect(stage.ends(2, .connect) == ["failed connect"])
    }

    @Test func `if the host wants no other attempts, the end of one channel is that of the group`() throws {
        var stage = try Stage.live(policy: .never)
        #expect(stage.ends(1, .connectionClosed) == ["close 0", "close 2"])
        #expect(stage.ends(0, nil) + stage.ends(2, nil) == ["failed connectionClosed"])
    }

    @Test func `closing ends every channel, and then the group`() throws {
        var idle = try Stage()
        #expect(idle.close() == ["closed"])
        var stage = try Stage.live()
        _ = stage.ends(1, .subscriptionRefused)
        #expect(stage.close() == ["close 0", "close 2"])
        #expect(stage.close() == [] && stage.machine.channelState == .closing)
        #expect(stage.report(0, .recovering) == [])
        #expect(stage.ends(0, nil) == [])
        #expect(stage.ends(2, nil) == ["closed"])
        #expect(stage.machine.channelState == .ended && stage.machine.nextDeadline == nil)
    }

    // MARK: - Moves

    @Test func `one channel moves after the other`() throws {
        var stage = try Stage.live()
        #expect(stage.waits(0, isMove: true) == ["start 0"])
        #expect(stage.waits(1, isMove: true) == [])
        #expect(stage.report(0, .rollingOver, moves: true) == [])
        #expect(stage.pass() == ["nothing"])
        #expect(stage.report(0, .subscribed) == [])
        #expect(stage.pass(within: 1) == ["start 1"])
    }

    @Test(arguments: [(19_000, "start 0"), (19_001, "exchange 0")])
    func `without a place for a second channel, the first one ends before`(count: Int, word: String) throws {
        var stage = try Stage.live(count, keepsSparePlace: false)
        #expect(stage.waits(0, isMove: true) == [word])
    }

    @Test func `a channel that is gone has its turn at once, whatever moves`() throws {
        var stage = try Stage.live()
        _ = stage.waits(0, isMove: true)
        _ = stage.report(0, .subscribed, moves: true)
        stage.now = stage.now + .seconds(1)
        #expect(stage.waits(1, state: .recovering) == ["start 1"])
    }

    @Test func `a shard without topics ends at its turn, and opens again with topics`() throws {
        var stage = try Stage.live(1_001)
        let topics = stage.machine.plan.topics(of: 1)
        #expect(stage.machine.removed(topics, now: stage.now) == [.setTopics(1, [])])
        #expect(stage.waits(1, isMove: true) == ["close 1"])
        #expect(stage.ends(1, nil) == [])
        #expect(try stage.machine.added(ShardPlanTests.presences(2_000..<2_700), now: stage.now).count == 2)
    }

    @Test func `topics that come while an empty shard closes open it again`() throws {
        var stage = try Stage.live(1_001)
        let topics = stage.machine.plan.topics(of: 1)
        _ = stage.machine.removed(topics, now: stage.now)
        _ = stage.waits(1, isMove: true)
        let more = try stage.machine.added(ShardPlanTests.presences(2_000..<2_700), now: stage.now)
        #expect(more.count == 1)
        #expect(stage.ends(1, nil) == ["open 1 301"])
    }

    // MARK: - An outage

    @Test func `when no channel is connected, the group asks once which ones exist`() throws {
        var stage = try Stage.live()
        #expect(stage.report(0, .recovering) + stage.report(1, .recovering) == [])
        #expect(stage.report(2, .recovering) == ["count"])
        #expect(stage.report(2, .recovering) == [])
        #expect(stage.report(0, .subscribed) == [])
        #expect(stage.report(0, .recovering) == ["count"])
    }
}
