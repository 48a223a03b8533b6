import GenesysLoop

@testable import GenesysRelay

/// What happens to relays of one name and their engine.
enum LeaseProfile: CaseIterable, Hashable {
    /// Nothing: a second relay is refused.
    case calm
    /// One relay alone, and an engine that is away for a while: no relay is fenced.
    case outages
    case crashes, freezes, forgets, rollsBack, everything
}

/// Relays of one name, each with a lease of its own mind, and one engine, in virtual time.
final class LeaseWorld {
    static let lease: Duration = .seconds(10)
    static let start: Int64 = 1_900_000_000
    /// When everything works again.
    static let settling: VirtualTime = .seconds(150)
    static let stepLimit = 100_000

    let seed: UInt64
    let profile: LeaseProfile
    let isRecording: Bool
    var random: SplitMix64
    var engine = ModelEngine(sizeLimit: .max)
    private(set) var time: VirtualTime = 0
    private(set) var programs: [LeaseProgram] = []
    private(set) var isEngineDown = false
    private(set) var losesReplies = false
    private(set) var staysOnItsWay = false
    private(set) var violation: String?
    private(set) var transcript: [String] = []
    private(set) var stepCount = 0
    private(set) var takeoverCount = 0
    private var slowness = 0.001
    private var events = EventHeap()
    /// Since when the lease stands still, and the engine is there.
    private var standsStillSince: VirtualTime = 0
    private var hasForgotten = false
    /// Who had the lease at any time.
    private var owners: Set<String> = []
    private var isOver = false

    init(seed: UInt64, isRecording: Bool = false) {
        self.seed = seed
        self.isRecording = isRecording
        random = SplitMix64(seed: seed &* 0x9E37 &+ 7)
        profile = LeaseProfile.allCases[Int(seed % UInt64(LeaseProfile.allCases.count))]
    }

    var now: ClockReading {
        ClockReading(
            instant: Instant(nanoseconds: time),
            wall: WallTime(seconds: LeaseWorld.start + time / .second, nanoseconds: Int32(time % .second)))
    }

    func fail(_ text: String) { violation = violation ?? text }

    func note(_ text: @autoclosure () -> String) {
        if isRecording { transcript.append("\(time.text) \(text())") }
    }

    func at(_ delay: VirtualTime, _ body: @escaping () -> Void) { events.add(time: time + max(0, delay), body) }

    func latency() -> VirtualTime { random.time(0.0001...slowness) }

    // MARK: - The run

    func run() {
        slowness = random.oneIn(3) ? 0.3 : 0.002
        startProgram()
        if profile != .outages {
            for _ in 0..<random.within(1...3) { at(random.time(1...100)) { [self] in startProgram() } }
        }
        if profile != .calm {
            for _ in 0..<random.within(1...8) { at(random.time(0.1...130)) { [self] in happen() } }
        }
        at(random.time(0.01...1)) { [self] in publish() }
        at(LeaseWorld.settling) { [self] in settle() }
        while violation == nil, !isOver, step() {}
        guard violation == nil else { return }
        if !isOver { fail("nothing happens anymore") }
        violation = violation ?? engine.violation ?? LeaseWorld.violation(of: engine.entries)
    }

    private func step() -> Bool {
        stepCount += 1
        if stepCount > LeaseWorld.stepLimit {
            fail("no end after \(stepCount) steps")
            return false
        }
        var due: (VirtualTime, LeaseProgram)?
        for program in programs {
            guard let deadline = program.nextDeadline else { continue }
            if due.map({ deadline < $0.0 }) ?? true { due = (deadline, program) }
        }
        if let (deadline, program) = due, deadline < events.nextTime ?? .max {
            time = max(time, deadline)
            program.deadlineReached()
            return true
        }
        guard let (next, body) = events.pop() else { return false }
        time = max(time, next)
        body()
        return true
    }

    private func startProgram() {
        let program = LeaseProgram(self, number: programs.count, seed: random.next())
        programs.append(program)
        program.open()
    }

    private func publish() {
        for program in programs where program.isRunning { program.receive() }
        if time < LeaseWorld.settling { at(random.time(0.1...3)) { [self] in publish() } }
    }

    // MARK: - What must hold

    /// The engine compares and sets, and the world looks whether the relay may.
    func replaceLease(revision: UInt64?, with record: LeaseRecord, by program: LeaseProgram) -> Bool {
        let former = engine.lease
        guard engine.replaceLease(revision: revision, with: record) else { return false }
        if let former, former.owner != record.owner {
            takeoverCount += 1
            let stillness = time - standsStillSince
            let least = VirtualTime((LeaseWorld.lease + .seconds(2)).wholeNanoseconds)
            let isOfThePast = program.lease.epoch.map { $0 >= former.epoch } ?? false
            if !former.isReleased, stillness < least, !isOfThePast {
                fail("\(record.owner) takes a lease that stood still for \(stillness.text) s")
            }
            if record.epoch <= former.epoch, !isOfThePast { fail("\(record.owner) takes epoch \(record.epoch)") }
        }
        owners.insert(record.owner)
        standsStillSince = time
        return true
    }

    /// The engine refused an append because there is a newer epoch.
    func appendWasFenced(_ program: LeaseProgram) {
        if !program.wasFrozen, !hasForgotten { fail("\(program.owner) appends although another relay leads") }
    }

    func ended(_ program: LeaseProgram) {
        note("\(program.owner) ended: \(program.outcome!)")
        switch program.outcome {
        case .refused(let owner):
            let rival = programs.first { $0.owner == owner }
            if rival == nil || rival === program { fail("refused by \(owner)") }
        case .ended(.fenced):
            if owners.subtracting([program.owner]).isEmpty || profile == .calm || profile == .outages {
                fail("\(program.owner) is fenced")
            }
        case .ended(.drained), .crashed: break
        default: fail("\(program.owner) ended: \(program.outcome!)")
        }
    }

    /// Epochs rise, and each has one owner.
    private static func violation(of entries: [ModelEngine.Entry]) -> String? {
        for (earlier, later) in zip(entries, entries.dropFirst()) {
            if later.id <= earlier.id { return "\(later.id) after \(earlier.id)" }
            if later.id.epoch == earlier.id.epoch, later.owner != earlier.owner {
                return "two owners in epoch \(later.id.epoch)"
            }
            if later.id.epoch > earlier.id.epoch, later.id.sequence != 1 { return "epoch \(later.id) has no beginning" }
        }
        return nil
    }

    // MARK: - Incidents

    private func happen() {
        guard time < LeaseWorld.settling else { return }
        let usual: [() -> Void]
        switch profile {
        case .calm: usual = []
        case .outages: usual = [stop, stop, disconnect, loseReplies]
        case .crashes: usual = [crash, crash, close, startProgram, stop, disconnect]
        case .freezes: usual = [freeze, freeze, startProgram, disconnect, stop]
        case .forgets: usual = [forget, stop, disconnect, startProgram]
        case .rollsBack: usual = [rollBack, rollBack, startProgram, crash, freeze]
        case .everything:
            usual = [stop, disconnect, loseReplies, crash, close, freeze, forget, rollBack, startProgram]
        }
        if !usual.isEmpty { random.pick(usual)() }
    }

    private func anyone() -> LeaseProgram? {
        let running = programs.filter { $0.isRunning }
        return running.isEmpty ? nil : random.pick(running)
    }

    private func disconnect() {
        staysOnItsWay = random.oneIn(2)
        anyone()?.disconnect()
    }

    private func loseReplies() {
        losesReplies = true
        note("replies are lost")
        at(random.time(0.01...5)) { [self] in losesReplies = false }
    }

    private func crash() { anyone()?.crash() }

    private func close() { anyone()?.close() }

    private func freeze() {
        guard let program = anyone(), !program.isFrozen else { return }
        note("\(program.owner) is frozen")
        program.freeze()
        at(random.time(0.1...60)) { [self] in
            note("\(program.owner) thaws")
            program.thaw()
        }
    }

    private func stop() {
        guard !isEngineDown else { return }
        isEngineDown = true
        note("the engine is down")
        for program in programs where program.isRunning { program.disconnect() }
        at(random.time(0.05...30)) { [self] in start() }
    }

    private func start() {
        guard isEngineDown else { return }
        isEngineDown = false
        note("the engine is up")
        standsStillSince = time
    }

    private func forget() {
        hasForgotten = true
        note("the engine forgets the lease")
        engine.forgetLease()
    }

    /// A failover to an engine that does not have the last records and renewals.
    private func rollBack() {
        hasForgotten = true
        let count = random.oneIn(4) ? engine.entries.count : random.within(0...min(20, engine.entries.count))
        note("the engine forgets \(count) of \(engine.entries.count)")
        let former = engine.lease
        engine.rollBack(count)
        if engine.lease != former { standsStillSince = time }
        for program in programs where program.isRunning { program.disconnect() }
    }

    // MARK: - The end

    /// Everything works again: one relay leads, and others find out.
    private func settle() {
        start()
        losesReplies = false
        for program in programs { program.thaw() }
        at(.seconds(60)) { [self] in
            let running = programs.filter { $0.isRunning }
            if running.isEmpty {
                startProgram()
                at(.seconds(14)) { [self] in handOver() }
            } else {
                handOver()
            }
        }
    }

    private func handOver() {
        let running = programs.filter { $0.isRunning }
        guard running.count == 1, let leader = running.first, leader.isLeading else {
            return fail("\(running.filter { $0.isLeading }.count) of \(running.count) relays lead")
        }
        guard engine.lease?.owner == leader.owner, engine.lease?.epoch == leader.relay.epoch else {
            return fail("the lease is \(engine.lease.map { "\($0)" } ?? "gone")")
        }
        if profile == .calm, leader !== programs.first { fail("the first relay does not lead") }
        if profile == .outages, leader !== programs.first { fail("the only relay has ended") }
        leader.close()
        at(.seconds(1)) { [self] in
            if leader.outcome != .ended(.drained) { fail("\(leader.owner) does not end") }
            if engine.lease?.isReleased != true { fail("the lease is not released") }
            startProgram()
            // Five messages to the engine, and not the time for which a lease is watched.
            at(.seconds(4)) { [self] in
                if programs.last?.isLeading != true { fail("a released lease is not taken at once") }
                isOver = true
            }
        }
    }
}
