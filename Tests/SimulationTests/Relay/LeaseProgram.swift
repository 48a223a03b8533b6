import GenesysLoop

@testable import GenesysRelay

/// A relay with a lease, as a driver would run it: performs what both machines decide in the world.
final class LeaseProgram {
    enum Outcome: Equatable {
        case crashed
        case refused(by: String)
        case ended(RelayMachine.End)
    }

    let owner: String
    unowned let world: LeaseWorld
    private(set) var relay: RelayMachine
    private(set) var lease: LeaseMachine
    private(set) var outcome: Outcome?
    private(set) var isFrozen = false
    /// It was frozen once: its timers did not run.
    private(set) var wasFrozen = false
    let startedAt: VirtualTime
    /// What happened while it was frozen.
    private var backlog: [() -> Void] = []
    private var connection = 0
    private var lastArrival: VirtualTime = 0
    private var lastReply: VirtualTime = 0
    private var received = 0
    private var isSourceOpen = false

    init(_ world: LeaseWorld, number: Int, seed: UInt64) {
        self.world = world
        owner = "owner-\(number)"
        startedAt = world.time
        var settings = RelaySettings()
        settings.drainLimit = .seconds(600)
        relay = RelayMachine(name: "sim", owner: owner, settings: settings, seed: seed)
        lease = LeaseMachine(owner: owner, lease: LeaseWorld.lease, seed: seed &+ 1)
    }

    var isRunning: Bool { outcome == nil }
    var isLeading: Bool { isRunning && relay.state == .live && relay.isLeading }
    var isWatching: Bool { isRunning && lease.epoch == nil }

    var nextDeadline: VirtualTime? {
        guard isRunning, !isFrozen else { return nil }
        return [relay.nextDeadline, lease.nextDeadline].compactMap { $0?.nanoseconds }.min()
    }

    func open() { perform(relay.openRequested(now: world.now)) }

    func close() { hear { [self] in perform(relay.closeRequested(now: world.now)) } }

    func crash() {
        outcome = .crashed
        connection += 1
    }

    func freeze() {
        isFrozen = true
        wasFrozen = true
    }

    func thaw() {
        guard isFrozen else { return }
        isFrozen = false
        let missed = backlog
        backlog = []
        // Which it does first, its timers or its input, is chance.
        if world.random.oneIn(2) { deadlineReached() }
        for body in missed { hear(body) }
    }

    /// Something reaches the process.
    private func hear(_ body: @escaping () -> Void) {
        guard isRunning else { return }
        if isFrozen { backlog.append(body) } else { body() }
    }

    func deadlineReached() {
        perform(relay.deadlineReached(now: world.now))
        guard isRunning else { return }
        perform(lease.deadlineReached(now: world.now, coveredUntil: relay.coveredUntil))
    }

    func receive() {
        guard isSourceOpen else { return }
        hear { [self] in
            received += 1
            let data = Array("{\"n\":\(received)}".utf8)
            let topic = Array("v2.t".utf8)
            let none: [UInt8] = []
            if relay.received(topic: topic.span, correlation: none.span, data: data.span, now: world.now) {
                perform(relay.takeActions())
            }
        }
    }

    // MARK: - What the machines decide

    private func perform(_ actions: [RelayMachine.Action]) {
        for action in actions {
            world.note("\(owner) \(action)")
            switch action {
            case .openSink: openSink()
            case .append(let range): append(range)
            case .closeSink(let coveredUntil, let isReleased):
                perform(lease.closeRequested(coveredUntil: coveredUntil))
                world.engine.closed(owner: owner, coveredUntil: coveredUntil, isReleased: isReleased)
            case .openSource:
                isSourceOpen = true
                world.at(world.random.time(0.05...0.5)) { [self] in
                    hear { [self] in perform(relay.sourceConfirmed(now: world.now)) }
                }
            case .finish(let end):
                outcome = .ended(end)
                world.ended(self)
            case .pauseSource, .resumeSource, .deadLetter, .tell: break
            }
        }
        if let epoch = relay.epoch { lease.appendingEpochChanged(epoch) }
    }

    private func perform(_ actions: [LeaseMachine.Action]) {
        for action in actions {
            world.note("\(owner) \(action)")
            switch action {
            case .read:
                ask { [self] in
                    let (record, head) = (world.engine.lease, world.engine.head)
                    return { [self] in perform(lease.read(record, head: head, now: world.now)) }
                }
            case .replace(let revision, let record):
                ask { [self] in
                    let isReplaced = world.replaceLease(revision: revision, with: record, by: self)
                    let (current, head) = (world.engine.lease, world.engine.head)
                    return { [self] in
                        perform(lease.replaced(isReplaced, current: current, head: head, now: world.now))
                    }
                }
            case .lead(let epoch, let head): perform(relay.sinkOpened(head: head, floor: epoch, now: world.now))
            case .refuse(let owner):
                outcome = .refused(by: owner)
                world.ended(self)
            case .fenced: perform(relay.wasFenced())
            case .dropConnection(let reason):
                connection += 1
                perform(relay.sinkLost(reason, now: world.now))
            }
        }
    }

    // MARK: - The sink

    private func openSink() {
        connection += 1
        lastArrival = world.time
        lastReply = world.time
        ask { { [self] in perform(lease.opened(now: world.now)) } }
    }

    private func append(_ range: RelayMachine.BatchRange) {
        let batch = relay.batch(range)
        ask { [self] in
            let reply = world.engine.append(batch)
            world.note("engine answers \(owner) \(reply)")
            if reply == .fenced { world.appendWasFenced(self) }
            return { [self] in
                switch reply {
                case .stored(let id): perform(relay.stored(through: id, now: world.now))
                case .hole(let sequence, let wanted):
                    perform(relay.refused(sequence, .hole(wanted: wanted), now: world.now))
                case .fenced: perform(relay.refused(0, .fenced, now: world.now))
                case .busy, .permanent: world.fail("\(reply)")
                }
            }
        }
    }

    /// Sends a question, which the engine answers in order.
    private func ask(_ answer: @escaping () -> () -> Void) {
        let connection = connection
        lastArrival = max(lastArrival, world.time + world.latency())
        world.at(lastArrival - world.time) { [self] in
            // What a broken connection carries may arrive all the same.
            guard connection == self.connection || world.staysOnItsWay else { return }
            guard !world.isEngineDown else {
                return isLost(connection, after: 0, "refused")
            }
            let tell = answer()
            guard !world.losesReplies else { return isLost(connection, after: .seconds(5), "no answer") }
            lastReply = max(lastReply, world.time + world.latency())
            world.at(lastReply - world.time) { [self] in
                hear { [self] in if connection == self.connection, isRunning { tell() } }
            }
        }
    }

    /// The connection breaks; the program learns of it later.
    func disconnect() {
        connection += 1
        isLost(connection, after: world.random.time(0.001...1), "connection closed")
    }

    private func isLost(_ lost: Int, after delay: VirtualTime, _ reason: String) {
        world.at(delay) { [self] in
            hear { [self] in
                guard lost == connection else { return }
                connection += 1
                lease.lost()
                perform(relay.sinkLost(reason, now: world.now))
            }
        }
    }
}
