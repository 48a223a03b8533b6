import GenesysLoop

@testable import GenesysRelay

/// A source, relays and an engine in virtual time.
final class RelayWorld {
    /// What the source published: delivered to a relay, or missed.
    struct Publication {
        let number: Int
        let time: WallTime
        let isDelivered: Bool
    }

    static let start: Int64 = 1_900_000_000
    static let stepLimit = 400_000

    let scenario: RelayScenario
    let isRecording: Bool
    var random: SplitMix64
    var engine: ModelEngine
    private(set) var time: VirtualTime = 0
    private(set) var ledger: [Publication] = []
    private(set) var program: RelayProgram?
    private(set) var programs: [RelayProgram] = []
    private(set) var isEngineDown = false
    /// Replies do not arrive, although the engine acts.
    private(set) var losesReplies = false
    /// What a broken connection carries still arrives.
    private(set) var staysOnItsWay = false
    private(set) var violation: String?
    private(set) var transcript: [String] = []
    private(set) var stepCount = 0
    private(set) var crashCount = 0
    private var events = EventHeap()
    /// Since when the source is disconnected: the time until which it had delivered.
    private var sourceLostAt: WallTime?
    private var isConfirmed = false
    private var wasEverConfirmed = false
    private var lastDelivery = WallTime(seconds: 0)
    private var backlog: [Int] = []
    private var publishedCount = 0
    private var isOver = false

    init(_ scenario: RelayScenario, isRecording: Bool = false) {
        self.scenario = scenario
        self.isRecording = isRecording
        random = SplitMix64(seed: scenario.seed)
        engine = ModelEngine(sizeLimit: scenario.sizeLimit)
    }

    var now: ClockReading {
        ClockReading(
            instant: Instant(nanoseconds: time),
            wall: WallTime(seconds: RelayWorld.start + time / .second, nanoseconds: Int32(time % .second)))
    }

    func fail(_ text: String) { violation = violation ?? text }

    func note(_ text: @autoclosure () -> String) {
        if isRecording { transcript.append("\(time.text) \(text())") }
    }

    func at(_ delay: VirtualTime, _ body: @escaping () -> Void) {
        events.add(time: time + max(0, delay), body)
    }

    // MARK: - The run

    func run() {
        startProgram()
        at(random.time(0.001...0.5)) { [self] in publish() }
        for incident in scenario.incidents { at(incident) { [self] in happen() } }
        while violation == nil, !isOver, step() {}
        guard violation == nil else { return }
        if !isOver { fail("nothing happens anymore, and the relay has not ended") }
        violation = violation ?? engine.violation ?? RelayAudit(self).violation
    }

    private func step() -> Bool {
        stepCount += 1
        if stepCount > RelayWorld.stepLimit {
            fail("no end after \(stepCount) steps")
            return false
        }
        var due: (VirtualTime, RelayProgram)?
        for program in programs where program.isRunning {
            guard let deadline = program.machine.nextDeadline else { continue }
            if due.map({ deadline.nanoseconds < $0.0 }) ?? true { due = (deadline.nanoseconds, program) }
        }
        if let (deadline, program) = due, deadline < events.nextTime ?? .max {
            time = max(time, deadline)
            program.perform(program.machine.deadlineReached(now: now))
            return true
        }
        guard let (next, body) = events.pop() else { return false }
        time = max(time, next)
        body()
        return true
    }

    private func startProgram() {
        if programs.count > 50 { return fail("no relay comes to lead") }
        let program = RelayProgram(self, number: programs.count, seed: random.next())
        programs.append(program)
        self.program = program
        isConfirmed = false
        program.perform(program.machine.openRequested(now: now))
    }

    func ended(_ program: RelayProgram) {
        guard program === self.program else { return }
        if case .fenced = program.end, crashCount > 0 {
            // An older writer thawed and was first: no lease is between them here.
            crashCount += 1
            missBacklog()
            sourceLostAt = nil
            isConfirmed = false
            self.program = nil
            at(random.time(0.01...2)) { [self] in startProgram() }
        } else if program.end == .drained, publishedCount >= scenario.notificationCount {
            isOver = true
        } else {
            fail("a relay ended: \(program.end!)")
        }
    }

    // MARK: - The source

    func sourceIsConnected(_ program: RelayProgram) {
        guard program === self.program else { return }
        isConfirmed = true
        wasEverConfirmed = true
        lastDelivery = now.wall
    }

    private func publish() {
        publishedCount += 1
        if publishedCount <= scenario.notificationCount {
            deliver(publishedCount)
            at(random.time(0...2) * scenario.pace / .second) { [self] in publish() }
        } else {
            settle()
        }
    }

    private func deliver(_ number: Int) {
        guard let program, program.isRunning, isConfirmed, sourceLostAt == nil else {
            // Before the first confirmation nothing is promised.
            guard wasEverConfirmed else { return }
            ledger.append(Publication(number: number, time: now.wall, isDelivered: false))
            return
        }
        backlog.append(number)
        hear(program)
    }

    /// What the service sent arrives, unless the source is paused.
    private func hear(_ program: RelayProgram) {
        guard !program.isPaused || random.oneIn(6) else {
            at(.milliseconds(200)) { [self] in
                if program === self.program, program.isRunning, !backlog.isEmpty { hear(program) }
            }
            return
        }
        for number in backlog {
            let padding = String(repeating: "x", count: random.oneIn(9) ? 400 : random.within(0...200))
            let data = Array("{\"n\":\(number),\"p\":\"\(padding)\"}".utf8)
            let topic = Array("v2.topics.\(number % 7)".utf8)
            let correlation = Array((number % 3 == 0 ? "c\(number)" : "").utf8)
            ledger.append(Publication(number: number, time: now.wall, isDelivered: true))
            let hasActions = program.machine.received(
                topic: topic.span, correlation: correlation.span, data: data.span, now: now)
            if hasActions { program.perform(program.machine.takeActions()) }
        }
        backlog = []
        lastDelivery = now.wall
    }

    private func loseSource() {
        guard let program, program.isRunning, isConfirmed, sourceLostAt == nil else { return }
        sourceLostAt = lastDelivery
        missBacklog()
        at(random.time(0.05...3)) { [self] in
            // A crash of the program ends the loss too.
            guard program === self.program, program.isRunning, let from = sourceLostAt else { return }
            sourceLostAt = nil
            let reason: FailureReason = random.oneIn(2) ? .heartbeatLost : .connectionClosed
            program.perform(
                program.machine.sourceMissed(Gap(from: from, to: now.wall, reason: reason), now: now))
            lastDelivery = now.wall
        }
    }

    private func missBacklog() {
        for number in backlog { ledger.append(Publication(number: number, time: now.wall, isDelivered: false)) }
        backlog = []
    }

    // MARK: - Incidents

    private func happen() {
        let usual: [() -> Void]
        switch scenario.profile {
        case .calm: usual = []
        case .losesReplies: usual = [loseReplies, disconnect]
        case .rollsBack: usual = [rollBack, rollBackUnnoticed]
        case .refuses: usual = [fill, disconnect]
        case .slow: usual = [loseSource, disconnect]
        case .full: usual = [fill, stop]
        case .restarts: usual = [crash, crash, disconnect]
        case .everything: usual = [loseReplies, disconnect, rollBack, rollBackUnnoticed, fill, stop, crash, loseSource]
        }
        if !usual.isEmpty { random.pick(usual)() }
        if random.oneIn(3) { loseSource() }
    }

    private func disconnect() {
        staysOnItsWay = random.oneIn(2)
        note("disconnected")
        program?.disconnect()
    }

    private func loseReplies() {
        losesReplies = true
        note("replies are lost")
        at(random.time(0.01...2)) { [self] in
            losesReplies = false
            disconnect()
        }
    }

    /// The engine restarts; what it forgot is beyond the last sync.
    private func rollBack() {
        stop()
        forget()
    }

    /// A failover that keeps the connections: only the refusal of a hole tells.
    private func rollBackUnnoticed() {
        // Between the answer about the head and the first record of an epoch nothing could tell.
        guard let program, program.machine.state != .opening, program.machine.isLeading else { return }
        forget()
    }

    private func forget() {
        // With nothing left, a relay that starts cannot know that there was something.
        let kept = scenario.profile == .everything ? 1 : 0
        let most = max(0, engine.entries.count - kept)
        let count = random.oneIn(3) ? most : random.within(0...most)
        note("the engine forgets \(count) of \(engine.entries.count)")
        engine.rollBack(count)
    }

    private func stop() {
        isEngineDown = true
        program?.disconnect()
        at(random.time(0.05...8)) { [self] in isEngineDown = false }
    }

    private func fill() {
        engine.isFull = true
        note("the engine is full")
        at(random.time(0.05...9)) { [self] in engine.isFull = false }
    }

    private func crash() {
        guard let old = program, old.isRunning else { return }
        crashCount += 1
        note("\(old.owner) crashes")
        missBacklog()
        sourceLostAt = nil
        isConfirmed = false
        // A frozen process that thaws sends what it has; the engine must refuse it.
        staysOnItsWay = true
        let isFrozen = scenario.profile == .restarts && random.oneIn(2)
        if !isFrozen { old.isDead = true }
        program = nil
        at(random.time(0.01...2)) { [self] in startProgram() }
    }

    /// Everything works again, and the relay drains.
    private func settle() {
        isEngineDown = false
        losesReplies = false
        engine.isFull = false
        guard let program, program.isRunning, isConfirmed, sourceLostAt == nil, backlog.isEmpty else {
            at(.milliseconds(500)) { [self] in settle() }
            return
        }
        // What was lost without a word is noticed with the next record.
        at(.seconds(40)) { [self] in
            guard program === self.program, program.isRunning else { return settle() }
            isEngineDown = false
            engine.isFull = false
            program.perform(program.machine.closeRequested(now: now))
        }
    }
}

/// Events by time, then in the order in which they were added.
struct EventHeap {
    private var items: [(time: VirtualTime, order: Int, body: () -> Void)] = []
    private var order = 0

    var nextTime: VirtualTime? { items.first?.time }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (items[left].time, items[left].order) < (items[right].time, items[right].order)
    }

    mutating func add(time: VirtualTime, _ body: @escaping () -> Void) {
        order += 1
        items.append((time, order, body))
        var index = items.count - 1
        while index > 0, isBefore(index, (index - 1) / 2) {
            items.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func pop() -> (VirtualTime, () -> Void)? {
        guard !items.isEmpty else { return nil }
        items.swapAt(0, items.count - 1)
        let item = items.removeLast()
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < items.count && isBefore(child, least) {
                least = child
            }
            if least == index { break }
            items.swapAt(index, least)
            index = least
        }
        return (item.time, item.body)
    }
}
