package import GenesysLoop

/// The life of a group of channels, as a value: it takes facts and returns actions.
///
///     idle ──open()──▶ open ──close()──▶ closing ──every channel ended──▶ ended
///                       └── every channel failed, or a failure of the account before the first confirmation ──▶ ended
///
/// Each shard of the `ShardPlan` has a channel, which is made and kept by a `ProvisionedChannelMachine` of its own: the
/// loss, the refusal or the takeover of one touches no other. What they share is decided here: when each of them makes
/// a channel (`ShardTurns`), and what the end of one means.
///
///     absent ──topics──▶ running ──all its topics refused──▶ refused ──other topics──▶ running
///       ▲                 │   ▲
///       │    empty, at its│   └──delay over, while another channel is connected── failed ◀──given up──┐
///       │       next turn ▼                                                                           │
///       └─────────────── leaving                                                           running ───┘
///
/// A move needs a place beside those of the group. If all 20 are in use, the old channel ends before the new one is
/// made: a gap.
package struct ChannelGroupMachine: Equatable, Sendable {
    /// How many channels an OAuth client may have.
    static let placeCount = 20

    package enum State: Equatable, Sendable {
        case idle, open, closing, ended
    }

    package enum Action: Equatable, Sendable {
        /// Makes the channel of a shard, and opens it.
        case open(Int, [Topic])
        case setTopics(Int, [Topic])
        /// The call that the shard waits with starts.
        case start(Int)
        /// There is no place for a second channel: the shard's channel ends, and another one takes its place.
        case exchange(Int)
        case close(Int)
        /// Asks which channels exist.
        case count
        case finish(ProvisionedChannelMachine.End)
    }

    /// A shard that was given up.
    private struct Restart: Equatable, Sendable {
        /// Nil before another one is planned.
        var due: Instant?
        var count = 0
    }

    package private(set) var state = State.idle
    package private(set) var plan: ShardPlan
    package private(set) var shards: [Shard] = []
    private var turns = ShardTurns()
    private let isPersistent: Bool
    /// All channels were confirmed once.
    private var isComplete = false
    /// Some channel was confirmed once.
    private var isConfirmed = false
    /// No channel is connected, and the service was asked which ones exist.
    private var isCounted = false
    private var restarts: [Int: Restart] = [:]
    private var random: SplitMix64
    private var actions: [Action] = []

    /// Creates a machine.
    ///
    /// - Throws: as `ShardPlan.add(_:)`.
    package init(
        topics: [Topic], policy: ReconnectPolicy, keepsSparePlace: Bool, placesPerShard: Int = Topic.maxCount,
        seed: UInt64
    ) throws(ChannelFailure) {
        var plan = ShardPlan(
            capacity: ChannelGroupMachine.placeCount - (keepsSparePlace ? 1 : 0), size: placesPerShard)
        _ = try plan.add(topics)
        self.plan = plan
        isPersistent = if case .backoff = policy { true } else { false }
        random = SplitMix64(seed: seed)
    }

    private mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    // MARK: - What the host sees

    package var channelState: ChannelState {
        switch state {
        case .idle: return .idle
        case .closing: return .closing
        case .ended: return .ended
        case .open: break
        }
        guard isComplete else { return .connecting }
        let states = shards.compactMap(\.channelState)
        if states.contains(where: { $0 == .recovering || $0 == .ended }) { return .recovering }
        if states.contains(.rollingOver) { return .rollingOver }
        return states.contains(.connecting) && !states.contains(.subscribed) ? .connecting : .subscribed
    }

    // MARK: - Inputs of the host

    package mutating func openRequested(now: Instant) -> [Action] {
        guard state == .idle else { return [] }
        state = .open
        changed(Set(0..<plan.shardCount))
        isComplete = !shards.contains { if case .running = $0 { true } else { false } }
        return step(now: now)
    }

    package mutating func closeRequested() -> [Action] {
        switch state {
        case .idle: finish(.closed)
        case .open:
            state = .closing
            restarts = [:]
            for shard in shards.indices {
                if case .running = shards[shard] { actions.append(.close(shard)) }
            }
            finishIfClosed()
        case .closing, .ended: break
        }
        return takeActions()
    }

    /// One user of the topics more.
    package mutating func added(_ topics: [Topic], now: Instant) throws(ChannelFailure) -> [Action] {
        changed(try plan.add(topics))
        return step(now: now)
    }

    /// One user of the topics less.
    package mutating func removed(_ topics: [Topic], now: Instant) -> [Action] {
        changed(plan.remove(topics))
        return step(now: now)
    }

    /// These topics and no other ones.
    package mutating func replaced(with topics: [Topic], now: Instant) throws(ChannelFailure) -> [Action] {
        changed(try plan.replace(with: topics))
        return step(now: now)
    }

    private mutating func changed(_ changes: Set<Int>) {
        guard state == .open else { return }
        while shards.count < plan.shardCount { shards.append(.absent) }
        for shard in changes.sorted() {
            switch shards[shard] {
            case .absent, .refused: open(shard)
            case .running: actions.append(.setTopics(shard, plan.topics(of: shard)))
            // It gets its topics with its next channel.
            case .leaving, .failed: break
            }
        }
    }

    private mutating func open(_ shard: Int) {
        guard plan.placeCount(of: shard) > 0 else { return shards[shard] = .absent }
        shards[shard] = .running(Report(state: .connecting))
        actions.append(.open(shard, plan.topics(of: shard)))
    }

    // MARK: - Inputs of the channels

    /// Something about the channel of a shard changed.
    package mutating func reported(_ shard: Int, _ report: Report, now: Instant) -> [Action] {
        guard case .running(let before) = shards[shard], state == .open else { return [] }
        shards[shard] = .running(report)
        turns.changed(shard, report.wait, isMoving: report.isMoving, now: now)
        if report.state.isSubscribed {
            isConfirmed = true
            restarts[shard] = nil
        }
        if before.state != report.state { connectionsChanged(now: now) }
        return step(now: now)
    }

    /// The channel of a shard made its terminal call.
    ///
    /// - Parameter failure: nil if it was closed.
    package mutating func ended(_ shard: Int, _ failure: ChannelFailure?, now: Instant) -> [Action] {
        turns.changed(shard, nil, isMoving: false, now: now)
        guard state == .open else {
            shards[shard] = .absent
            finishIfClosed()
            return takeActions()
        }
        if let failure {
            shards[shard] = failure.isOfTopics ? .refused(failure) : .failed(failure)
            connectionsChanged(now: now)
            finishIfOver(failure)
        } else {
            open(shard)
        }
        return step(now: now)
    }

    private mutating func connectionsChanged(now: Instant) {
        let states = shards.compactMap(\.channelState)
        if !states.contains(.connecting) { isComplete = true }
        if states.contains(where: \.isSubscribed) {
            isCounted = false
            for shard in shards.indices { if case .failed = shards[shard] { scheduleRestart(of: shard, now: now) } }
        } else if isConfirmed, !isCounted {
            // While no channel is connected, another program that makes one removes one of ours.
            isCounted = true
            actions.append(.count)
        }
    }

    private mutating func scheduleRestart(of shard: Int, now: Instant) {
        var restart = restarts[shard] ?? Restart()
        guard restart.due == nil else { return }
        let upper = min(Duration.seconds(30) * (1 << min(restart.count, 4)), .seconds(300))
        restart.due = now + random.duration(in: upper / 2...upper)
        restart.count += 1
        restarts[shard] = restart
    }

    /// Whether nothing is left that could receive.
    private mutating func finishIfOver(_ failure: ChannelFailure) {
        let isOver = !shards.contains { $0.isRunning }
        let isFatal = !failure.isOfTopics && (!isPersistent || !isConfirmed)
        guard isOver || isFatal else { return }
        let others = shards.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }
        state = .closing
        ending = .failed(failure.isOfTopics ? others.last ?? failure : failure)
        for shard in shards.indices where shards[shard].isRunning { actions.append(.close(shard)) }
        finishIfClosed()
    }

    private var ending = ProvisionedChannelMachine.End.closed

    private mutating func finishIfClosed() {
        guard state == .closing, !shards.contains(where: \.isRunning) else { return }
        finish(ending)
    }

    private mutating func finish(_ end: ProvisionedChannelMachine.End) {
        state = .ended
        actions.append(.finish(end))
    }

    // MARK: - Time

    package var nextDeadline: Instant? {
        guard state == .open else { return nil }
        let restart = mayRestart ? restarts.values.compactMap(\.due).min() : nil
        return [turns.due, restart].compactMap { $0 }.min()
    }

    package mutating func deadlineReached(now: Instant) -> [Action] { step(now: now) }

    /// Whether a shard that was given up may start again: the account works, and a move does not need the place.
    private var mayRestart: Bool {
        let count = shards.count { $0.isRunning } + (turns.moving == nil ? 0 : 1)
        return isConnected && count < ChannelGroupMachine.placeCount
    }

    private var isConnected: Bool { shards.contains { $0.channelState?.isSubscribed ?? false } }

    /// Does what is due, and returns what the input emitted.
    private mutating func step(now: Instant) -> [Action] {
        guard state == .open else { return takeActions() }
        while let (shard, wait) = turns.take(now: now) { turn(of: shard, wait) }
        for shard in shards.indices where shards[shard].isFailed && mayRestart {
            guard let due = restarts[shard]?.due, due <= now else { continue }
            restarts[shard]?.due = nil
            open(shard)
        }
        return takeActions()
    }

    private mutating func turn(of shard: Int, _ wait: ShardTurns.Wait) {
        guard case .running(var report) = shards[shard] else { return }
        report.wait = nil
        shards[shard] = .running(report)
        guard wait.isMove else { return actions.append(.start(shard)) }
        guard plan.placeCount(of: shard) > 0 else {
            shards[shard] = .leaving
            return actions.append(.close(shard))
        }
        let isRoom = shards.count { $0.isRunning } < ChannelGroupMachine.placeCount
        if isRoom { return actions.append(.start(shard)) }
        // If the host wants no other channel after the first, there is none to exchange it for.
        if isPersistent { actions.append(.exchange(shard)) }
    }
}
