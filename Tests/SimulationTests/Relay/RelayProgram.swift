import GenesysLoop

@testable import GenesysRelay

/// A relay with a sink, as a driver would run it: performs the machine's actions in the world.
final class RelayProgram {
    let owner: String
    unowned let world: RelayWorld
    var machine: RelayMachine
    private(set) var end: RelayMachine.End?
    private(set) var isPaused = false
    private(set) var isSourceOpen = false
    private(set) var deadLetterCount = 0
    /// It crashed: nothing of it runs, and only what is under way arrives.
    var isDead = false
    /// The connection of the sink; messages of older ones are not heard.
    private(set) var connection = 0
    private var lastArrival: VirtualTime = 0
    private var lastReply: VirtualTime = 0
    private var pendingCount = 0
    private var refusal: (UInt64, RelayMachine.Refusal)?
    private var ledEpoch: UInt64?
    private var pausedSince: VirtualTime?

    init(_ world: RelayWorld, number: Int, seed: UInt64) {
        self.world = world
        owner = "owner-\(number)"
        machine = RelayMachine(name: "sim", owner: owner, settings: world.scenario.settings, seed: seed)
    }

    var isRunning: Bool { !isDead && end == nil }

    func perform(_ actions: [RelayMachine.Action]) {
        for action in actions { perform(action) }
        let bound = 2 * world.scenario.settings.queueBytes + 4_096
        if machine.queueSize > bound { world.fail("\(machine.queueSize) bytes are queued") }
    }

    private func perform(_ action: RelayMachine.Action) {
        world.note("\(owner) \(action)")
        if end != nil { world.fail("\(action) after the end") }
        switch action {
        case .openSink: open()
        case .append(let range): append(range)
        case .closeSink(let coveredUntil, let isReleased):
            connection += 1
            world.engine.closed(owner: owner, coveredUntil: coveredUntil, isReleased: isReleased)
        case .openSource:
            isSourceOpen = true
            world.at(world.random.time(0.05...0.5)) { [self] in
                guard isRunning else { return }
                perform(machine.sourceConfirmed(now: world.now))
                world.sourceIsConnected(self)
            }
        case .pauseSource:
            isPaused = true
            pausedSince = world.time
        case .resumeSource:
            isPaused = false
            let limit = VirtualTime(world.scenario.settings.pauseLimit.wholeNanoseconds)
            if let pausedSince, world.time - pausedSince > limit { world.fail("a pause longer than its limit") }
            pausedSince = nil
        case .deadLetter: deadLetterCount += 1
        case .tell(.leading(let epoch)): ledEpoch = epoch
        case .tell: break
        case .finish(let end):
            self.end = end
            world.ended(self)
        }
    }

    // MARK: - The sink

    private func open() {
        connection += 1
        pendingCount = 0
        refusal = nil
        let connection = connection
        lastArrival = world.time
        lastReply = world.time
        world.at(world.random.time(world.scenario.latency)) { [self] in
            guard isRunning, connection == self.connection else { return }
            if world.isEngineDown { return perform(machine.sinkLost("refused", now: world.now)) }
            let head = world.engine.head
            // The answer is under way, and what an older connection sent may arrive meanwhile.
            world.at(world.random.time(world.scenario.latency)) { [self] in
                guard isRunning, connection == self.connection else { return }
                perform(machine.sinkOpened(head: head, now: world.now))
            }
        }
    }

    private func append(_ range: RelayMachine.BatchRange) {
        let batch = machine.batch(range)
        if batch.records.count != range.count || batch.first != range.first { world.fail("another batch: \(range)") }
        if range.first.sequence > 1, ledEpoch != range.first.epoch {
            world.fail("\(range.first) is appended before its epoch record is stored")
        }
        let connection = connection
        pendingCount += 1
        lastArrival = max(lastArrival, world.time + world.random.time(world.scenario.latency))
        world.at(lastArrival - world.time) { [self] in
            guard !world.isEngineDown, connection == self.connection || world.staysOnItsWay else { return }
            let reply = world.engine.append(batch)
            world.note("engine answers \(owner) \(reply)")
            guard !world.losesReplies else { return }
            lastReply = max(lastReply, world.time + world.random.time(world.scenario.latency))
            world.at(lastReply - world.time) { [self] in answered(reply, connection) }
        }
    }

    private func answered(_ reply: ModelEngine.Reply, _ connection: Int) {
        guard isRunning, connection == self.connection else { return }
        pendingCount -= 1
        switch reply {
        case .stored(let id):
            if refusal == nil { return perform(machine.stored(through: id, now: world.now)) }
        case .busy(let sequence): refusal = refusal ?? (sequence, .busy("OOM"))
        case .permanent(let sequence): refusal = refusal ?? (sequence, .permanent("too large"))
        case .hole(let sequence, let wanted): refusal = refusal ?? (sequence, .hole(wanted: wanted))
        case .fenced: refusal = refusal ?? (0, .fenced)
        }
        // A refusal is told when nothing is under way anymore.
        guard pendingCount == 0, let (sequence, reason) = refusal else { return }
        refusal = nil
        perform(machine.refused(sequence, reason, now: world.now))
    }

    /// The connection breaks; the program learns of it later.
    func disconnect() {
        guard isRunning else { return }
        connection += 1
        let broken = connection
        world.at(world.random.time(0.001...1)) { [self] in
            guard isRunning, broken == connection else { return }
            perform(machine.sinkLost("connection closed", now: world.now))
        }
    }
}
