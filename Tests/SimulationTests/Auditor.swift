import GenesysSimulator

@testable import GenesysLoop

/// Watches one host: what it was promised, what it received, and what was reported to it.
final class Auditor {
    /// An interval of true time.
    struct Span {
        let from: VirtualTime
        let to: VirtualTime
    }

    private struct Missing {
        let topicIndex: Int
        let position: Int
        let since: VirtualTime
    }

    let host: Int
    unowned let world: World
    var lastWake: VirtualTime = -1
    var policy = PolicyAudit()
    var evidence = EvidenceAudit()
    var cursors = Array(repeating: 0, count: TopicPlan.singles.count)
    private var missing: [Missing] = []
    /// Copies that were skipped and not promised, by number.
    private var early: [Int: Int] = [:]
    var gaps: [Span] = []
    private var confirmed: [Topic] = []
    var promised: UInt16 = 0
    /// What another client of the same channel took from it, until a subscription restores it.
    var taken: UInt16 = 0
    /// How many copies of each repeated notification were read on each link, and how many delivered.
    private var reads: [Int: [LinkID: Int]] = [:]
    private var deliveredRepeats: [Int: Int] = [:]

    private var seenState = ChannelState.idle
    var isCloseCalled = false
    var terminalCount = 0
    var isSubscribed = false
    var isOutage = false
    var gapsInOutage = 0
    /// When it last read something on a confirmed link.
    var lastLiveRead: VirtualTime = 0
    private(set) var deliveredCount = 0
    /// When it subscribed in the last ten seconds.
    private var subscribedAt: [VirtualTime] = []

    init(host: Int, world: World) {
        self.host = host
        self.world = world
    }

    func fail(_ text: @autoclosure () -> String) { world.fail(host, text()) }

    // MARK: - Promises

    func isPromised(_ topicIndex: Int) -> Bool { (promised & ~taken) >> UInt16(topicIndex) & 1 == 1 }

    /// A topic is promised from the confirmation of its subscription until it is no longer wanted.
    func updatePromises(_ machine: ChannelMachine) {
        guard !isCloseCalled, terminalCount == 0 else { return promised = 0 }
        confirmed.removeAll { !machine.subscriptions.wanted.contains($0) }
        // A confirmation on the old link at the end of a rollover was not reported.
        var isDraining: Bool { if case .draining = machine.state { true } else { false } }
        if let link = machine.current, link.confirmedAt != nil, !isDraining {
            let unsettled = link.pending.filter { $0.purpose == .add }.flatMap(\.topics)
            for topic in machine.subscriptions.wanted
            where link.subscribed.contains(topic) && !unsettled.contains(topic) {
                if !confirmed.contains(topic) { confirmed.append(topic) }
            }
        }
        promised = TopicPlan.mask(of: confirmed)
    }

    // MARK: - Notifications

    /// A notification was read from a link.
    func read(_ message: [UInt8], on link: LinkID) {
        guard let (number, isRepeated) = Publications.number(in: message), isRepeated else { return }
        reads[number, default: [:]][link, default: 0] += 1
    }

    func delivered(_ message: [UInt8]) {
        deliveredCount += 1
        if isCloseCalled || terminalCount > 0 { fail("a notification after the end") }
        guard let (number, isRepeated) = Publications.number(in: message) else { return }
        world.note(host, "gets \(number)\(isRepeated ? ", one of two" : "")")
        if isRepeated { deliveredRepeats[number, default: 0] += 1 }
        let topicIndex = world.publications.topicIndex(of: number)
        let copies = world.publications.copies[topicIndex]
        var position = cursors[topicIndex]
        while position < copies.count, copies[position].number != number { position += 1 }
        guard position < copies.count else {
            // Two channels start differently with a topic that was being added during a rollover.
            guard early[number, default: 0] > 0 else { return fail("\(number) again, or out of order") }
            return early[number, default: 0] -= 1
        }
        note(topicIndex, cursors[topicIndex]..<position)
        cursors[topicIndex] = position + 1
    }

    /// Skipped notifications will never be delivered.
    func note(_ topicIndex: Int, _ positions: Range<Int>) {
        for position in positions {
            let copy = world.publications.copies[topicIndex][position]
            guard copy.promisedTo >> UInt32(host) & 1 == 1 else {
                early[copy.number, default: 0] += 1
                continue
            }
            world.note(host, "lacks \(copy.number) of \(copy.time.text)")
            missing.append(Missing(topicIndex: topicIndex, position: position, since: world.time))
        }
    }

    /// Notifications published in this interval may be missing.
    func excuse(from: VirtualTime, to: VirtualTime) { gaps.append(Span(from: from, to: to)) }

    func discarded() {
        if isCloseCalled || terminalCount > 0 { fail("a message discarded after the end") }
    }

    private func isExplained(_ missing: Missing) -> Bool {
        let copies = world.publications.copies[missing.topicIndex]
        let number = copies[missing.position].number
        let owed = copies.filter { copy in
            copy.number == number && copy.promisedTo >> UInt32(host) & 1 == 1
                && !gaps.contains { $0.from <= copy.time && copy.time <= $0.to }
        }
        // It is unknown which of two equal copies was delivered.
        let delivered = deliveredRepeats[number] ?? 0
        if owed.count <= delivered { return true }
        guard delivered > 0, let reads = reads[number] else { return false }
        // Merged: each link brought at most as many as were delivered, and all links together brought all of them.
        return reads.values.allSatisfy { $0 <= delivered } && reads.values.reduce(0, +) >= owed.count
    }

    /// Everything missing must be in a gap by now, unless the link is dead and this is not detected yet.
    func reckon(_ machine: ChannelMachine, patience: VirtualTime) {
        guard !missing.isEmpty, machine.state == .live, machine.loss == nil, let link = machine.current else { return }
        guard link.evidence.lapse == nil, !link.pending.contains(where: \.isRestoring) else { return }
        missing.removeAll { isExplained($0) }
        if let first = missing.first(where: { lastLiveRead - $0.since >= patience || patience == 0 }) {
            let copy = world.publications.copies[first.topicIndex][first.position]
            let known = gaps.map { "\($0.from.text)…\($0.to.text)" }
            fail("\(copy.number) of \(copy.time.text) s is missing, and in no gap: \(known)")
        }
    }

    /// What is missing although it was published until `time`; nil if nothing.
    func unexplained(until time: VirtualTime) -> String? {
        for missing in missing where !isExplained(missing) {
            let copy = world.publications.copies[missing.topicIndex][missing.position]
            if copy.time <= time { return "\(copy.number) of \(copy.time.text) s is missing" }
        }
        return nil
    }

    // MARK: - At every step

    func willPerform(_ action: ChannelMachine.Action, _ host: SimulatedHost) {
        if terminalCount > 0 { fail("\(action) after the end") }
        switch action {
        case .connect where host.machine.state == .attempting:
            if let text = policy.violation(inConnectAt: host.now.instant) { fail(text) }
            let isLate = !isSubscribed && world.time > .seconds(60) && world.scenario.profile.isHostPrompt
            if isLate { fail("a first connection attempted after a minute") }
        case .send(_, .subscribe) where world.scenario.profile == .calm:
            subscribedAt = subscribedAt.filter { world.time - $0 < .seconds(10) } + [world.time]
            if subscribedAt.count > 3 { fail("\(subscribedAt.count) subscriptions in ten seconds") }
        default:
            break
        }
    }

    /// The host gave the machine an input that may change its state.
    func gotInput(_ host: SimulatedHost, _ actions: [ChannelMachine.Action]) {
        examineHandOver(actions)
        examineAnswer(host)
        noteOverlap(host.machine)
        let state = host.machine.channelState
        guard state != seenState else { return }
        defer { seenState = state }
        // The driver reports a change before the first action that follows from it.
        if actions.isEmpty { fail("\(seenState) became \(state) without an action") }
        let isPossible =
            switch (seenState, state) {
            case (_, .idle), (.ended, _): false
            case (_, .closing), (_, .ended): isCloseCalled || state == .ended && seenState != .idle
            case (.idle, .connecting), (.connecting, .subscribed), (.recovering, .subscribed): true
            case (.subscribed, .recovering), (.subscribed, .rollingOver): true
            case (.rollingOver, .subscribed), (.rollingOver, .recovering): true
            default: false
            }
        if !isPossible { fail("\(seenState) became \(state)") }
    }

    /// With every action performed, the state is what the host was told.
    private func examineState(_ machine: ChannelMachine) {
        let isTrue =
            switch machine.channelState {
            case .idle: false
            case .connecting: !isSubscribed && machine.current == nil
            case .subscribed: isSubscribed && !isOutage && machine.current?.confirmedAt != nil
            case .rollingOver: isSubscribed && !isOutage && machine.candidate != nil
            case .recovering: isSubscribed && isOutage && machine.current == nil
            case .closing: isCloseCalled
            case .ended: true
            }
        if !isTrue { fail("\(machine.channelState), and that is not so") }
    }

    func examine(_ host: SimulatedHost) {
        let machine = host.machine
        guard !host.isOver, host.blockedUntil <= world.time else { return }
        examineState(machine)
        if let link = machine.current, machine.state == .live,
            let live = host.links.first(where: { $0.id == link.id })
        {
            lastLiveRead = max(lastLiveRead, live.lastReadAt)
        }
        reckon(machine, patience: .seconds(3))
        if let text = host.contradiction { fail(text) }
    }
}

extension PendingCommand {
    var isRestoring: Bool {
        if case .restore = purpose { true } else { false }
    }
}

extension Array {
    /// The first index whose element satisfies `belongs`, as all later elements do.
    func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
