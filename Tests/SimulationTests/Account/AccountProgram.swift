import GenesysSimulator

@testable import GenesysLoop
@testable import GenesysPlatform

/// A program with one channel that is made over REST: the driver of the real machine.
final class AccountProgram {
    let index: Int
    unowned let world: AccountWorld
    let auditor: ProgramAuditor
    /// The approximate one-way latency of its sockets.
    let latency: VirtualTime
    private(set) var machine: ProvisionedChannelMachine
    /// The open `NotificationChannel`.
    private(set) var channel: SimulatedChannel?
    private(set) var isOpened = false
    private(set) var isOver = false
    private(set) var isExchanging = false
    /// The first call of the way to a channel, until the group gives it its turn.
    private var held: (id: CallID, call: RESTCall, token: Token?, limit: Instant?)?
    /// What it opens with.
    private var wanted: [Topic]
    /// How often it was opened.
    private var openCount = 0
    var restartCount: Int { max(0, openCount - 1) }
    private var deliveredUntil: WallTime?
    /// A shard that was given up: from when on notifications may be missing, and why.
    private var loss: (from: WallTime, reason: FailureReason)?
    private var due: VirtualTime = .never

    init(index: Int, world: AccountWorld) {
        self.index = index
        self.world = world
        latency = world.latency()
        auditor = ProgramAuditor(program: index, world: world)
        let scenario = world.scenario
        machine = ProvisionedChannelMachine(
            topics: scenario.topics[index], policy: scenario.policies[index], firstCall: UInt64(index) << 32 | 1,
            seed: scenario.seed &* 31 &+ UInt64(index))
        wanted = scenario.topics[index]
        auditor.wants(wanted)
    }

    var wakesAt: VirtualTime { isOver ? .never : min(due, channel?.wakesAt ?? .never) }

    /// The id of the channel to which it is connected.
    var channelID: String? {
        guard let channel, let uri = channel.uri else { return nil }
        return uri.text.split(separator: "/").last.map(String.init)
    }

    func wake() {
        let now = world.now.instant
        if let channel, channel.wakesAt <= world.time { channel.wake() }
        if due <= world.time { input { $0.deadlineReached(now: now) } }
        auditor.examine(self)
    }

    func tearDown() {
        channel?.tearDown()
        channel = nil
    }

    // MARK: - What a host may call

    func open() {
        isOpened = true
        openCount += 1
        if openCount > 1 { restart() }
        world.account { account in
            account.userJoined()
            return []
        }
        input { $0.openRequested(now: world.now.instant) }
        if let token = world.rest.tokens.current { tokenChanged(token) }
    }

    func close() {
        auditor.closeCalled()
        input { $0.closeRequested() }
    }

    func setTopics(_ topics: [Topic]) {
        world.note("program \(index) wants \(topics)")
        auditor.wants(topics)
        wanted = topics
        input { $0.topicsChanged(to: topics) }
        if let channel { auditor.updatePromises(channel.machine) }
    }

    /// A shard that was given up has another channel.
    private func restart() {
        isOver = false
        machine = ProvisionedChannelMachine(
            topics: wanted, policy: world.scenario.policies[index],
            firstCall: UInt64(index) << 32 | UInt64(openCount) << 20 | 1, seed: world.scenario.seed &+ UInt64(openCount)
        )
    }

    func move() { input { $0.moveRequested() } }

    // MARK: - Inputs from below

    private func input(_ body: (inout ProvisionedChannelMachine) -> [ProvisionedChannelMachine.Action]) {
        guard !isOver else { return }
        let actions = body(&machine)
        due = machine.nextDeadline.map { world.clock.time(of: $0) } ?? .never
        world.perform(actions, of: index)
    }

    func answered(_ call: CallID, _ reply: RESTReply) {
        input { $0.callAnswered(call, reply, now: world.now.instant) }
    }

    func tokenChanged(_ token: Token) { input { $0.tokenChanged(to: token) } }

    func channelChanged(to state: ChannelState) {
        input { machine in
            machine.channelChanged(to: state)
            return []
        }
    }

    func told(_ event: ChannelMachine.Event, by channel: SimulatedChannel) {
        guard channel === self.channel else { return world.fail("an event of a channel that is over: \(event)") }
        let now = world.now
        switch event {
        case .didSubscribe: input { $0.channelSubscribed(now: now) }
        case .willReconnect(let attempt): input { $0.channelWillReconnect(attempt, now: now.instant) }
        case .didFailRollover(let failure): input { $0.channelFailedRollover(failure, now: now.instant) }
        case .didReject(let topics): input { $0.channelRejected(topics) }
        case .didMiss(let gap):
            let place = machine.places.first(where: channel.isConnected)
            input { machine in machine.channelMissed(at: place) }
            auditor.told(.didMiss(gap))
        case .didRecover(let recovery):
            let place = machine.places.first(where: channel.isConnected)
            input { $0.channelRecovered(recovery, at: place, now: now.instant) }
        case .willExpire(let expiry): input { $0.channelWillExpire(expiry) }
        }
        auditor.updatePromises(channel.machine)
    }

    func channelEnded(_ channel: SimulatedChannel, _ end: ChannelMachine.End) {
        guard channel === self.channel else { return world.fail("a channel ended that is over") }
        self.channel = nil
        switch end {
        case .closed where isExchanging && !auditor.isCloseCalled:
            isExchanging = false
            auditor.channelFailed(until: deliveredUntil)
            let failure = ChannelFailure(kind: .reconnect, reason: .channelExpired, phase: .provision)
            input { $0.channelFailed(failure, deliveredUntil: deliveredUntil, now: world.now.instant) }
            startHeldCall()
        case .closed:
            input { $0.channelClosed() }
        case .failed(let failure):
            let until = channel.machine.deliveredUntil?.wall
            deliveredUntil = until ?? deliveredUntil
            auditor.channelFailed(until: until)
            input { $0.channelFailed(failure, deliveredUntil: until, now: world.now.instant) }
        }
    }

    // MARK: - Actions

    func perform(_ action: ProvisionedChannelMachine.Action) {
        world.note("program \(index): \(action)")
        auditor.willPerform(action)
        let now = world.now.instant
        switch action {
        case .call(let id, let call, let token, let limit):
            guard world.group == nil || !machine.isFirst(id) else { return held = (id, call, token, limit) }
            world.account { $0.callRequested(id, call, token: token, limit: limit, now: now) }
        case .cancel(let id) where held?.id == id:
            held = nil
        case .cancel(let id):
            world.account { $0.callCanceled(id) }
        case .limit(let id, let limit) where held?.id == id:
            held?.limit = limit
        case .limit(let id, let limit):
            world.account { $0.limitChanged(id, to: limit, now: now) }
        case .discardToken(let token):
            world.account { $0.tokenDiscarded(token, now: now) }
        case .openChannel(let uri, let topics, let total):
            if channel != nil { world.fail("two open channels of one program") }
            let policy = world.scenario.policies[index]
            channel = SimulatedChannel(uri, topics, total: total, policy: policy, self)
            channel?.open()
        case .rollover(let uri):
            channel?.rollover(to: uri)
        case .setTopics(let topics):
            channel?.setTopics(topics)
        case .closeChannel:
            channel?.close()
        case .tell(.didSubscribe):
            subscribed()
        case .tell(let event):
            auditor.told(event)
        case .finish(let end):
            isOver = true
            world.account { account in
                account.userLeft()
                return []
            }
            // The driver is silent after close().
            ended(world.group != nil && auditor.isCloseCalled ? .closed : end)
        }
    }

    private func ended(_ end: ProvisionedChannelMachine.End) {
        held = nil
        guard let group = world.group, group.ended(index, end), case .failed(let failure) = end else {
            if auditor.terminalCount == 0 { auditor.ended(end) }
            return
        }
        if loss == nil, let deliveredUntil { loss = (deliveredUntil, failure.reason) }
        auditor.givenUp()
    }

    /// What a shard missed while it was given up is known now.
    private func subscribed() {
        guard let loss else { return auditor.told(.didSubscribe(machine.wanted)) }
        self.loss = nil
        let now = world.now.wall
        auditor.told(.didMiss(Gap(from: loss.from, to: max(loss.from, now), reason: loss.reason)))
        auditor.told(.didRecover(Recovery(method: .replacement)))
    }
}

/// The part of a program that is a shard of a group.
extension AccountProgram {
    var report: ChannelGroupMachine.Report {
        var report = machine.report(held: held?.id, limit: held?.limit)
        if isExchanging {
            report.isMoving = true
            report.wait = nil
        }
        return report
    }

    func startHeldCall() {
        guard let held else { return }
        self.held = nil
        world.account {
            $0.callRequested(held.id, held.call, token: held.token, limit: held.limit, now: world.now.instant)
        }
    }

    /// There is no place for a second channel.
    func exchange() {
        guard let channel, machine.state == .live else { return startHeldCall() }
        isExchanging = true
        deliveredUntil = channel.machine.deliveredUntil?.wall
        channel.close()
    }
}
