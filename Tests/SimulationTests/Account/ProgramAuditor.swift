import GenesysSimulator

@testable import GenesysLoop
@testable import GenesysPlatform

/// Watches one program: what it was promised, what it received, and what was reported to it.
final class ProgramAuditor {
    let program: Int
    unowned let world: AccountWorld
    private var wanted: UInt16 = 0
    private var confirmed: UInt16 = 0
    private var isDelivered: [Bool] = []
    /// By topic.
    private var lastDelivered = Array(repeating: -1, count: TopicPlan.singles.count)
    private var gaps: [Auditor.Span] = []
    private var isSubscribed = false
    private var outageSince: VirtualTime?
    private var gapsInOutage = 0
    private(set) var isCloseCalled = false
    private(set) var terminalCount = 0
    private(set) var failure: ChannelFailure?
    private(set) var deliveredCount = 0
    private(set) var moveCount = 0
    private(set) var replacementCount = 0
    private(set) var goneReasons: [FailureReason] = []
    /// The gaps that the program was told.
    private(set) var reportedGaps: [Auditor.Span] = []
    private(set) var rejections: [RejectedTopics.Rejection] = []
    /// What was refused and told since it is wanted.
    private var rejected: UInt16 = 0

    init(program: Int, world: AccountWorld) {
        self.program = program
        self.world = world
    }

    private func fail(_ text: @autoclosure () -> String) { world.fail("program \(program): \(text())") }
    private var isSilent: Bool { isCloseCalled || terminalCount > 0 }

    // MARK: - Promises

    func isPromised(_ topicIndex: Int) -> Bool { !isSilent && confirmed >> UInt16(topicIndex) & 1 == 1 }

    func wants(_ topics: [Topic]) {
        let mask = TopicPlan.mask(of: topics)
        rejected &= wanted & mask
        wanted = mask
        confirmed &= mask
    }

    /// A topic is promised from the confirmation of its subscription until it is no longer wanted, or refused.
    func updatePromises(_ channel: ChannelMachine) {
        guard !isSilent else { return confirmed = 0 }
        var isDraining: Bool { if case .draining = channel.state { true } else { false } }
        guard let link = channel.current, link.confirmedAt != nil, !isDraining else { return }
        let unsettled = link.pending.filter { $0.purpose == .add }.flatMap(\.topics)
        let settled = channel.subscriptions.wanted.filter { link.subscribed.contains($0) && !unsettled.contains($0) }
        confirmed |= TopicPlan.mask(of: settled) & wanted
    }

    /// Notifications published in this interval may be missing.
    func excuse(from: VirtualTime, to: VirtualTime) { gaps.append(Auditor.Span(from: from, to: to)) }

    // MARK: - Notifications

    func delivered(_ message: [UInt8]) {
        guard let (number, _) = Publications.number(in: message) else { return }
        deliveredCount += 1
        if isSilent { fail("a notification after the end") }
        world.note("program \(program) gets \(number)")
        while isDelivered.count <= number { isDelivered.append(false) }
        if isDelivered[number] { return fail("\(number) again") }
        isDelivered[number] = true
        let topicIndex = world.publications.topicIndex(of: number)
        defer { lastDelivered[topicIndex] = max(lastDelivered[topicIndex], number) }
        guard number < lastDelivered[topicIndex] else { return }
        // Two channels start differently with a topic that was being added during a move.
        let copy = world.publications.copies[topicIndex].last { $0.number == number }
        if copy.map(isOwed) ?? true { fail("\(number) after \(lastDelivered[topicIndex])") }
    }

    private func isOwed(_ copy: Publications.Copy) -> Bool { copy.promisedTo >> UInt32(program) & 1 == 1 }

    /// What was promised until then, and neither delivered nor in a gap.
    private func missing(until time: VirtualTime) -> Publications.Copy? {
        for copies in world.publications.copies {
            for copy in copies where copy.time <= time && isOwed(copy) {
                if copy.number < isDelivered.count, isDelivered[copy.number] { continue }
                if !gaps.contains(where: { $0.from <= copy.time && copy.time <= $0.to }) { return copy }
            }
        }
        return nil
    }

    private func examineMissing(until time: VirtualTime) {
        guard let copy = missing(until: time) else { return }
        let known = gaps.map { "\($0.from.text)…\($0.to.text)" }
        fail("\(copy.number) of \(copy.time.text) s is missing, and in no gap: \(known)")
    }

    // MARK: - Events

    func willPerform(_ action: ProvisionedChannelMachine.Action) {
        if terminalCount > 0 { fail("\(action) after the end") }
        switch action {
        case .openChannel(let uri, let topics, _):
            examine(topics)
            world.audit.goes(to: uri, world.programs[program])
        case .rollover(let uri):
            world.audit.goes(to: uri, world.programs[program])
        case .call(_, .setTopics(let topics, _), _, _), .setTopics(let topics):
            examine(topics)
        case .call, .cancel, .limit, .discardToken, .closeChannel, .tell, .finish:
            break
        }
    }

    private func examine(_ topics: [Topic]) {
        if topics.count > Topic.maxCount { fail("\(topics.count) topics for a channel") }
        if Set(topics).count != topics.count { fail("a topic twice") }
    }

    func told(_ event: ProvisionedChannelMachine.Event) {
        if isSilent { fail("told after the end: \(event)") }
        world.note("program \(program) is told \(event)")
        let isHarmless = world.scenario.profile.isHarmless
        switch event {
        case .channelMade(let ours, let all):
            if ours < 1 || all.map({ $0 < ours || $0 > 20 }) ?? false { fail("\(ours) of \(all ?? -1) channels") }
        case .channelGone(let reason):
            if isHarmless { fail("a channel is gone: \(reason)") }
            goneReasons.append(reason)
        case .didSubscribe:
            if isSubscribed { fail("subscribed twice") }
            isSubscribed = true
            isGivenUp = false
            outageSince = nil
        case .willReconnect(let attempt):
            if isHarmless { fail("a reconnect without a loss: \(attempt)") }
            world.audit.examine("\(attempt)", world)
            if outageSince == nil { gapsInOutage = 0 }
            outageSince = outageSince ?? world.time
        case .didFailRollover(let failure):
            if isHarmless { fail("a move failed: \(failure)") }
            world.audit.examine("\(failure)", world)
        case .didReject(let topics):
            world.audit.examine("\(topics)", world)
            rejections += topics.rejections
            let mask = TopicPlan.mask(of: topics.topics.flatMap(\.expanded) + topics.topics)
            rejected |= mask
            confirmed &= ~mask
        case .didMiss(let gap):
            missed(gap)
        case .didRecover(let recovery):
            recovered(recovery)
        case .willExpire:
            break
        }
    }

    private func missed(_ gap: Gap) {
        if world.scenario.profile.isHarmless { fail("a gap without a loss: \(gap.reason)") }
        if !isSubscribed { fail("a gap before the first confirmation") }
        gapsInOutage += 1
        let span = Auditor.Span(from: world.clock.time(of: gap.from), to: world.clock.time(of: gap.to))
        if span.from > span.to { fail("a gap that ends before it begins") }
        if span.to > world.time { fail("a gap that ends in the future") }
        gaps.append(span)
        reportedGaps.append(span)
    }

    private func recovered(_ recovery: Recovery) {
        if !isSubscribed { fail("recovered before the first confirmation") }
        switch recovery.method {
        case .rollover: moveCount += 1
        case .replacement: replacementCount += 1
        case .reconnect, .extension: break
        }
        guard recovery.method == .reconnect || recovery.method == .replacement else { return }
        if outageSince != nil, gapsInOutage != 1 { fail("\(gapsInOutage) gaps for one outage") }
        outageSince = nil
        isGivenUp = false
    }

    // MARK: - The end

    func closeCalled() {
        guard !isSilent else { return }
        isCloseCalled = true
        confirmed = 0
        // What is under way is dropped.
        excuse(from: world.time - .seconds(1), to: .never)
        if let outageSince { excuse(from: outageSince - .seconds(90), to: .never) }
    }

    /// The open `NotificationChannel` failed: a gap begins, or everything ends.
    func channelFailed(until: WallTime?) { lostFrom = until.map { world.clock.time(of: $0) } ?? lostFrom }

    private var lostFrom: VirtualTime?
    /// The shard of a group failed, and starts again.
    private var isGivenUp = false

    /// The group of a shard that was given up has ended.
    func groupEnded(_ end: ProvisionedChannelMachine.End) {
        guard isGivenUp, terminalCount == 0 else { return }
        if end == .closed { closeCalled() }
        ended(end)
    }

    func givenUp() {
        world.note("program \(program) is given up")
        isGivenUp = true
        confirmed = 0
        guard isSubscribed else { return }
        if outageSince == nil { gapsInOutage = 0 }
        outageSince = outageSince ?? world.time
    }

    func ended(_ end: ProvisionedChannelMachine.End) {
        world.note("program \(program) ends: \(end)")
        terminalCount += 1
        confirmed = 0
        if terminalCount > 1 { fail("ended twice") }
        switch end {
        case .closed:
            if !isCloseCalled { fail("closed by nobody") }
        case .failed(let failure):
            self.failure = failure
            if isCloseCalled { fail("a failure after close()") }
            if world.scenario.profile.isHarmless { fail("failed without a cause: \(failure)") }
            world.audit.examine("\(failure)", world)
            excuse(from: lostFrom ?? 0, to: .never)
        }
    }

    /// At every step, when everything is performed.
    func examine(_ program: AccountProgram) {
        guard terminalCount == 0 else { return }
        let state = program.machine.channelState
        let isTrue =
            switch state {
            case .idle: !program.isOpened
            case .connecting: !isSubscribed || isGivenUp
            case .subscribed, .rollingOver: isSubscribed && outageSince == nil && program.channel != nil
            case .recovering: isSubscribed && outageSince != nil
            case .closing: isCloseCalled
            case .ended: true
            }
        if !isTrue { fail("\(state), and that is not so") }
    }

    /// After the quiet phase a program that did not end is live, has its topics, and misses nothing outside a gap.
    func settled(_ program: AccountProgram) {
        // A shard that was given up several times waits for longer than the quiet phase; its gap is still to come.
        guard !isGivenUp else { return excuse(from: lostFrom ?? 0, to: .never) }
        examineMissing(until: world.time - .seconds(5))
        guard !isSilent else { return }
        guard program.machine.state == .live, let id = program.channelID else {
            return fail("not live in the end: \(program.machine.state)")
        }
        let has = TopicPlan.mask(of: (try? world.service.subscriptions(of: id)) ?? [])
        if has & ~wanted != 0 { fail("has topics that it does not want: \(has), \(wanted)") }
        if wanted & ~has & ~rejected != 0 { fail("wants \(wanted), has \(has), was refused \(rejected)") }
    }

    func finished(_ program: AccountProgram) {
        if terminalCount != 1 { fail("\(terminalCount) terminal calls, \(program.machine.state)") }
        examineMissing(until: world.time - .seconds(40))
    }
}
