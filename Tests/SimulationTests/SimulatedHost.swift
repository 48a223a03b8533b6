import GenesysSimulator

@testable import GenesysLoop

/// A program with one channel. It drives the machine over simulated connections, as `NotificationChannel` and its
/// driver do.
///
/// Actions are performed one after the other and never from within a callback; the delegate's actions wait in the
/// queue. The order is that of `NotificationChannel+Driver` and `NotificationChannel+Receiving`.
final class SimulatedHost {
    let index: Int
    unowned let world: World
    let auditor: Auditor
    var machine: ChannelMachine
    var clock = HostClock()
    /// The approximate one-way latency to the service.
    let latency: VirtualTime
    /// The loop runs nothing before this time.
    var blockedUntil: VirtualTime = 0
    var links: [NetworkLink] = []
    /// The channels that the host named, by `EndpointID`.
    var targets: [String]
    private(set) var isOver = false
    var isReading = false
    /// Whether notifications on the current link need no question to the machine.
    var isDirect = false
    private(set) var inputCount = 0
    var whim: SplitMix64
    var held: [LinkID: [[UInt8]]] = [:]

    var actions = ActionQueue<ChannelMachine.Action>()
    private var isAdvancing = false
    private var resuming: [LinkID] = []
    private var end: ChannelMachine.End?
    private var timer: Instant?
    private(set) var generation = 0
    private var restlessCount = 0

    init(index: Int, world: World, target: String, machine: ChannelMachine) {
        self.index = index
        self.world = world
        self.machine = machine
        targets = [target]
        latency = .milliseconds(world.random.within(world.scenario.latency))
        auditor = Auditor(host: index, world: world)
        whim = SplitMix64(seed: world.scenario.seed &+ UInt64(index) &* 977)
    }

    var now: ClockReading { clock.moment(at: world.time) }

    /// When its loop next has something to do.
    var wakesAt: VirtualTime {
        guard !isOver else { return .never }
        var time = timer.map { clock.time(of: $0) } ?? .never
        for link in links { time = min(time, link.readableAt) }
        return time == .never ? .never : max(time, blockedUntil)
    }

    /// One turn of the loop: a timer fires, perhaps late; then reads; then the deadlines.
    func wake() {
        noteRest()
        let now = now
        if let timer, now.instant - timer >= .seconds(1) {
            input { $0.loopWasLate() }
            for link in links { link.truth.isStale = true }
        }
        for link in links where link.readableAt <= world.time { read(link) }
        if let timer, timer <= now.instant { timerFired() }
        auditor.examine(self)
    }

    /// Detects a loop that repeats an action at one time without end.
    private func noteRest() {
        restlessCount = world.time == auditor.lastWake ? restlessCount + 1 : 0
        auditor.lastWake = world.time
        if restlessCount > 20_000 { world.fail(index, "the loop spins in \(machine.state)") }
    }

    // MARK: - What a host may call

    func open() { submit(input { $0.openRequested(now: now) }) }

    func close() {
        auditor.closeCalled()
        submit(input { $0.closeRequested(now: now) })
    }

    func pause() { submit(input { $0.pauseRequested(now: now) }) }
    func resume() { submit(input { $0.resumeRequested(now: now) }) }

    func setTopics(_ topics: [Topic]) {
        world.note(index, "wants \(topics)")
        submit(input { $0.topicsChanged(to: topics, now: now) })
        auditor.updatePromises(machine)
    }

    func rollover(to target: String) {
        auditor.policy.overruled()
        let known = targets.firstIndex(of: target)
        if known == nil { targets.append(target) }
        let endpoint = EndpointID(rawValue: UInt32(known ?? targets.count - 1))
        submit(input { $0.rolloverRequested(to: endpoint, now: now) })
    }

    // MARK: - The driver

    func input<Answer>(_ body: (inout ChannelMachine) -> Answer) -> Answer {
        inputCount += 1
        return body(&machine)
    }

    private func submit(_ more: [ChannelMachine.Action]) {
        enqueue(more)
        if !isReading { advance() }
    }

    func enqueue(_ more: [ChannelMachine.Action]) {
        auditor.gotInput(self, more)
        guard !more.isEmpty else { return }
        actions.append(more)
        generation &+= 1
    }

    private func timerFired() {
        timer = nil
        let now = now
        for link in links {
            guard let deadline = link.deadline, deadline <= now.instant else { continue }
            if !link.takesNextStep(now: now.instant) { expire(link) }
        }
        enqueue(input { $0.deadlineReached(now: now) })
        advance()
    }

    func advance() {
        guard !isAdvancing, !actions.isBusy else { return }
        isAdvancing = true
        repeat {
            performPending()
            releaseLeftovers()
            if actions.isEmpty, !resuming.isEmpty {
                link(resuming.removeFirst())?.resumeReading()
            }
        } while !actions.isEmpty || !resuming.isEmpty
        isAdvancing = false
        setTimer()
        endIfDone()
    }

    func performPending() {
        guard actions.begin() else { return }
        while let action = actions.pop() { perform(action) }
    }

    private func setTimer() {
        var deadline = machine.nextDeadline
        for link in links {
            guard let own = link.deadline else { continue }
            deadline = min(deadline ?? own, own)
        }
        timer = deadline
    }

    private func endIfDone() {
        guard let end, links.isEmpty, !isOver else { return }
        isOver = true
        auditor.ended(machine.isSilent ? .closed : end, machine, at: now.instant)
    }

    // MARK: - Actions

    private func perform(_ action: ChannelMachine.Action) {
        world.note(index, "\(action)")
        auditor.willPerform(action, self)
        switch action {
        case .connect(let id, let endpoint):
            links.append(world.connect(id, to: targets[Int(endpoint.rawValue)], from: self))
        case .send(let id, let command):
            link(id).map { if $0.phase == .open { $0.sendUp(.text(command.encoded()), at: world.time) } }
        case .sendClose(let id):
            link(id).map { startClosing($0, as: .closing) }
        case .retire(let id):
            link(id).map { $0.phase == .open ? startClosing($0, as: .retired) : drop($0) }
        case .drop(let id):
            link(id).map { drop($0) }
        case .pauseReading(let id):
            resuming.removeAll { $0 == id }
            link(id)?.isPaused = true
        case .resumeReading(let id):
            resuming.append(id)
        case .releaseHeld(let id):
            releaseHeld(id)
        case .tell(let event):
            if !machine.isSilent { tell(event) }
        case .warn(let topics):
            world.note(index, "is warned of \(topics)")
        case .finish(let end):
            finish(end)
        }
    }

    private func finish(_ end: ChannelMachine.End) {
        self.end = end
        resuming = []
        for id in held.keys.sorted(by: { $0.rawValue < $1.rawValue }) { releaseHeld(id, evenIfPaused: true) }
        for link in links where link.phase != .retired { drop(link) }
    }
}
