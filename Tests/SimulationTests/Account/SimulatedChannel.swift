import GenesysSimulator

@testable import GenesysLoop
@testable import GenesysPlatform

/// A `NotificationChannel` of a program: the real machine over simulated connections.
///
/// It does what `SimulatedHost` does for a program that reads at once and is never blocked.
final class SimulatedChannel {
    let program: Int
    unowned let world: AccountWorld
    private(set) var machine: ChannelMachine
    private(set) var uris: [SecretBytes]
    private var links: [NetworkLink] = []
    private var held: [LinkID: [[UInt8]]] = [:]
    private var actions: [ChannelMachine.Action] = []
    private var nextAction = 0
    private var isAdvancing = false
    private var isReading = false
    private var end: ChannelMachine.End?
    private(set) var isOver = false
    private var timer: Instant?
    private var toldState = ChannelState.idle

    init(_ uri: SecretBytes, _ topics: [Topic], total: Duration?, policy: ReconnectPolicy, _ program: AccountProgram) {
        self.program = program.index
        world = program.world
        uris = [uri]
        var settings = ChannelSettings()
        settings.lifetime = world.scenario.lifetime
        settings.reconnect = policy
        if case .backoff(var backoff) = policy, let total {
            backoff.initialTotal = total
            settings.reconnect = .backoff(backoff)
        }
        machine = ChannelMachine(topics: topics, settings: settings, seed: world.random.next())
    }

    var wakesAt: VirtualTime {
        guard !isOver else { return .never }
        var time = timer.map { world.clock.time(of: $0) } ?? .never
        for link in links { time = min(time, link.readableAt) }
        return time
    }

    /// As `NotificationChannel.isConnected(to:)`.
    func isConnected(to uri: SecretBytes) -> Bool {
        machine.current.map { uris[Int($0.endpoint.rawValue)] == uri } ?? false
    }

    /// The URI of its confirmed connection.
    var uri: SecretBytes? { machine.current.map { uris[Int($0.endpoint.rawValue)] } }

    // MARK: - Inputs

    func open() { submit(machine.openRequested(now: world.now)) }
    func close() { submit(machine.closeRequested(now: world.now)) }
    func setTopics(_ topics: [Topic]) { submit(machine.topicsChanged(to: topics, now: world.now)) }

    func rollover(to uri: SecretBytes) {
        let known = uris.firstIndex(of: uri)
        if known == nil { uris.append(uri) }
        let endpoint = EndpointID(rawValue: UInt32(known ?? uris.count - 1))
        submit(machine.rolloverRequested(to: endpoint, now: world.now))
    }

    /// One turn of the loop: reads, then the deadlines.
    func wake() {
        for link in links where link.readableAt <= world.time { read(link) }
        let now = world.now
        guard let timer, timer <= now.instant else { return }
        for link in links {
            guard let deadline = link.deadline, deadline <= now.instant else { continue }
            expire(link)
        }
        submit(machine.deadlineReached(now: now))
    }

    /// The program is left.
    func tearDown() { links = [] }

    // MARK: - The driver

    private func submit(_ more: [ChannelMachine.Action]) {
        actions += more
        if !isReading { advance() }
    }

    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        while nextAction < actions.count {
            nextAction += 1
            perform(actions[nextAction - 1])
            if nextAction == actions.count { releaseLeftovers() }
        }
        actions.removeAll(keepingCapacity: true)
        nextAction = 0
        isAdvancing = false
        timer = links.reduce(machine.nextDeadline) { earliest, link in
            guard let deadline = link.deadline else { return earliest }
            return min(deadline, earliest ?? deadline)
        }
        guard let end, links.isEmpty, !isOver else { return }
        isOver = true
        world.programs[program].channelEnded(self, machine.isSilent ? .closed : end)
    }

    private func perform(_ action: ChannelMachine.Action) {
        world.note("channel of \(program): \(action)")
        announceState()
        switch action {
        case .connect(let id, let endpoint):
            let uri = uris[Int(endpoint.rawValue)].text
            links.append(world.connect(id, to: String(uri.dropFirst("wss://service".count)), from: self))
        case .send(let id, let command):
            link(id).map { if $0.phase == .open { $0.sendUp(.text(command.encoded()), at: world.time) } }
        case .sendClose(let id):
            link(id).map { startClosing($0, as: .closing) }
        case .retire(let id):
            link(id).map { $0.phase == .open ? startClosing($0, as: .retired) : drop($0) }
        case .drop(let id):
            link(id).map { drop($0) }
        case .pauseReading(let id):
            link(id)?.isPaused = true
        case .resumeReading(let id):
            link(id)?.isPaused = false
        case .releaseHeld(let id):
            releaseHeld(id)
        case .tell(let event):
            if !machine.isSilent { world.programs[program].told(event, by: self) }
        case .warn:
            break
        case .finish(let end):
            self.end = end
            for id in held.keys.sorted(by: { $0.rawValue < $1.rawValue }) { releaseHeld(id) }
            for link in links where link.phase != .retired { drop(link) }
        }
    }

    private func announceState() {
        let state = machine.channelState
        guard state != toldState, state != .ended, !machine.isSilent else { return }
        toldState = state
        world.programs[program].channelChanged(to: state)
    }

    // MARK: - Links

    private func link(_ id: LinkID) -> NetworkLink? { links.first { $0.id == id } }

    private func startClosing(_ link: NetworkLink, as phase: NetworkLink.Phase) {
        guard link.phase == .open else { return }
        link.phase = phase
        link.deadline = world.now.instant + .seconds(5)
        if phase == .retired { link.isPaused = false }
        link.sendUp(.close, at: world.time)
    }

    private func drop(_ link: NetworkLink) {
        forget(link)
        link.sendUp(.gone, at: world.time)
    }

    private func forget(_ link: NetworkLink) {
        link.phase = .gone
        links.removeAll { $0 === link }
    }

    private func expire(_ link: NetworkLink) {
        switch link.phase {
        case .connecting: fail(link, .upgrade)
        case .closing: fail(link, .close)
        case .retired: drop(link)
        case .open, .gone: break
        }
    }

    private func fail(_ link: NetworkLink, _ phase: ChannelFailure.Phase) {
        drop(link)
        ended(link, LinkEnd(failure: ChannelFailure(reason: .timeout, phase: phase)))
    }

    private func ended(_ link: NetworkLink, _ end: LinkEnd) {
        forget(link)
        submit(machine.linkEnded(link.id, end, now: world.now))
    }

    // MARK: - Reading

    private func read(_ link: NetworkLink) {
        let now = world.now
        var isHeard = false
        isReading = true
        while link.readableAt <= world.time {
            let content = link.down.removeFirst().content
            guard link.phase != .retired else {
                if case .close = content { forget(link) }
                if case .end = content { forget(link) }
                continue
            }
            if !isHeard, content.isHeard {
                isHeard = true
                machine.bytesReceived(on: link.id, isDrained: true, now: now)
            }
            meet(content, on: link, now)
            advance()
        }
        isReading = false
        advance()
    }

    private func meet(_ content: NetworkLink.Down, on link: NetworkLink, _ now: ClockReading) {
        switch content {
        case .accepted:
            link.phase = .open
            link.deadline = nil
            submit(machine.linkOpened(link.id, now: now))
        case .message(let bytes):
            receive(bytes, on: link, now)
        case .binary:
            break
        case .close(let code):
            let phase: ChannelFailure.Phase = link.phase == .open ? .open : .close
            let failure = ChannelFailure(reason: .connectionClosed, phase: phase)
            ended(link, LinkEnd(failure: failure, closeCode: code))
        case .end(let end):
            ended(link, end)
        }
    }

    private func receive(_ message: [UInt8], on link: NetworkLink, _ now: ClockReading) {
        let span = message.span
        guard let envelope = try? EnvelopeScanner.scan(span) else { return }
        let kind = MessageClass(envelope, in: span)
        guard kind == .notification else {
            submit(machine.controlMessageReceived(kind, envelope, in: span, on: link.id, now: now) ?? [])
            return world.programs[program].auditor.updatePromises(machine)
        }
        let fingerprint = machine.wantsFingerprints ? Fingerprint.of(span) : 0
        switch machine.notificationReceived(on: link.id, fingerprint: fingerprint, byteCount: message.count) {
        case .deliver: deliver(message)
        case .hold: held[link.id, default: []].append(message)
        case .ignore: break
        }
    }

    private func releaseHeld(_ id: LinkID) {
        for message in held.removeValue(forKey: id) ?? [] {
            let fingerprint = machine.wantsFingerprints ? Fingerprint.of(message.span) : 0
            if machine.heldNotificationReleased(from: id, fingerprint: fingerprint) == .deliver { deliver(message) }
        }
    }

    private func releaseLeftovers() {
        for id in held.keys.sorted(by: { $0.rawValue < $1.rawValue }) where !machine.isHolding(id) { releaseHeld(id) }
    }

    private func deliver(_ message: [UInt8]) {
        guard !machine.isSilent else { return }
        world.programs[program].auditor.delivered(message)
    }
}
