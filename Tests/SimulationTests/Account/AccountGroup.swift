import GenesysSimulator

@testable import GenesysLoop
@testable import GenesysPlatform

/// The programs of an account as the shards of one group: the driver of the real machine.
final class AccountGroup {
    unowned let world: AccountWorld
    private(set) var machine: ChannelGroupMachine
    private(set) var end: ProvisionedChannelMachine.End?
    private(set) var countCount = 0
    private var reports: [ChannelGroupMachine.Report?]

    init?(_ world: AccountWorld) {
        self.world = world
        let scenario = world.scenario
        let count = scenario.topics.count
        let isShared = !scenario.groupTopics.isEmpty
        // One place for each shard if the topics of the programs are their own.
        let topics = isShared ? scenario.groupTopics : (0..<count).map { Topic("v2.users.\($0).presence") }
        guard
            let machine = try? ChannelGroupMachine(
                topics: topics, policy: scenario.policies[0], keepsSparePlace: count < ChannelGroupMachine.placeCount,
                placesPerShard: isShared ? Topic.maxCount : 1, seed: scenario.seed &+ 11)
        else { return nil }
        self.machine = machine
        reports = Array(repeating: nil, count: count)
    }

    var wakesAt: VirtualTime { machine.nextDeadline.map { world.clock.time(of: $0) } ?? .never }

    func open() { perform(machine.openRequested(now: world.now.instant)) }
    func close() { perform(machine.closeRequested()) }
    func wake() { perform(machine.deadlineReached(now: world.now.instant)) }

    /// Passes on what changed about the channels, and looks at the rules of the whole.
    func collect() {
        var isChanged = true
        while isChanged {
            isChanged = false
            for program in world.programs where program.isOpened && !program.isOver {
                let report = program.report
                guard report != reports[program.index] else { continue }
                reports[program.index] = report
                isChanged = true
                perform(machine.reported(program.index, report, now: world.now.instant))
            }
        }
        examine()
    }

    /// The channel of a shard made its terminal call.
    ///
    /// - Returns: whether the shard may start again.
    func ended(_ shard: Int, _ end: ProvisionedChannelMachine.End) -> Bool {
        reports[shard] = nil
        switch end {
        case .closed:
            perform(machine.ended(shard, nil, now: world.now.instant))
            return false
        case .failed(let failure):
            perform(machine.ended(shard, failure, now: world.now.instant))
            return machine.state == .open && !failure.isOfTopics
        }
    }

    private func perform(_ actions: [ChannelGroupMachine.Action]) {
        for action in actions {
            world.note("group: \(action)")
            if end != nil { world.fail("\(action) after the end of the group") }
            switch action {
            case .open(let shard, let topics):
                let isShared = !world.scenario.groupTopics.isEmpty
                if isShared, topics != world.scenario.topics[shard] { world.fail("a shard has other topics") }
                world.programs[shard].open()
            case .setTopics: break
            case .start(let shard): world.programs[shard].startHeldCall()
            case .exchange(let shard): world.programs[shard].exchange()
            case .close(let shard): world.programs[shard].close()
            case .count: countCount += 1
            case .finish(let end):
                self.end = end
                for program in world.programs { program.auditor.groupEnded(end) }
                if world.programs.contains(where: { $0.isOpened && !$0.isOver }) { world.fail("the group ends early") }
            }
        }
    }

    private func examine() {
        let open = world.programs.filter { $0.isOpened && !$0.isOver }
        let moving = open.filter { $0.report.isMoving && !$0.isExchanging }
        if moving.count > 1 { world.fail("\(moving.count) shards move at a time") }
        if open.count + moving.count > 20 { world.fail("\(open.count) shards, and one of them moves") }
        let states = open.map(\.machine.channelState)
        if machine.channelState == .subscribed, machine.state == .open, states.contains(.recovering) {
            world.fail("subscribed, and a shard is not")
        }
    }
}
