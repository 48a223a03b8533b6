internal import GenesysLoop
internal import Logging

/// Performs what the machine decides: the channels of the shards, the delegate.
extension ChannelGroup: MachineDriver {
    var nextDeadline: Instant? { machine.nextDeadline }

    var isOpen: Bool { machine.state != .idle && machine.state != .ended }

    func deadlineReached(now: ClockReading) -> [ChannelGroupMachine.Action] {
        machine.deadlineReached(now: now.instant)
    }

    func didPerform() {}

    // MARK: - Actions

    func perform(_ action: ChannelGroupMachine.Action) {
        switch action {
        case .open(let shard, let topics): open(shard, topics)
        case .setTopics(let shard, let topics): channels[shard]?.channel.replaceTopics(topics)
        case .start(let shard): channels[shard]?.channel.startHeldCall()
        case .exchange(let shard): channels[shard]?.channel.exchange()
        case .close(let shard): channels[shard]?.channel.close()
        case .count: countChannels()
        case .finish(let end): finish(end)
        }
    }

    private func open(_ shard: Int, _ topics: [Topic]) {
        let relay = ShardRelay(shard, of: self)
        do throws(ChannelFailure) {
            let channel = try ProvisionedChannel(
                topics: topics, on: platform, delegate: relay, configuration: configuration)
            channel.place = (Weak(self), shard)
            channels[shard] = (channel, relay)
            if isPaused { channel.pause() }
            channel.open()
        } catch {
            work.pending.append(contentsOf: machine.ended(shard, error, now: loop.now.instant))
        }
    }

    /// Which of the group's channels still exist, while none is connected.
    private func countChannels() {
        guard count == nil else { return }
        let id = CallID(rawValue: platform.nextCallRange())
        count = id
        platform.call(id, .listChannels, token: nil, limit: nil) { [unowned self] reply in
            count = nil
            guard case .success(.channels(let listed)) = reply.result else { return }
            let own = Set(channels.values.compactMap { $0.channel.machine.channel?.id })
            let left = listed.count { channel in channel.id.map(own.contains) ?? false }
            tell { $0.group($1, didCount: ChannelCount(ours: left, all: listed.count)) }
        }
    }

    private func finish(_ end: ProvisionedChannelMachine.End) {
        work.end()
        if let count { platform.cancel(count) }
        let delegate = weakDelegate
        if case .failed = end, !isSilent { delegate?.group(self, didChange: .ended) }
        weakDelegate = nil
        burst.end()
        loop.release(self)
        switch end {
        case .failed(let failure) where !isSilent:
            guard let delegate else {
                return platform.logger.warning("a group failed, and no delegate was there: \(failure)")
            }
            delegate.group(self, didFail: failure)
        case .closed, .failed:
            delegate?.groupDidClose(self)
        }
    }

    // MARK: - What the channels report

    /// A channel waits for its turn, moves, or has another state.
    func reported(_ shard: Int, _ report: ChannelGroupMachine.Report) {
        input { $0.reported(shard, report, now: $1.instant) }
    }

    func channelChanged(_ shard: Int, to state: ChannelState) {
        guard state != .ended else { return }
        tell { $0.group($1, didChange: state, of: shard) }
        channels[shard]?.channel.reportToGroup()
    }

    func channelEnded(_ shard: Int, _ failure: ChannelFailure?) {
        guard let (channel, _) = channels.removeValue(forKey: shard) else { return }
        earlier.add(channel.statistics)
        if let failure, !failure.isOfTopics {
            if losses[shard] == nil, let from = channel.deliveredUntil { losses[shard] = (from, failure.reason) }
        } else {
            losses[shard] = nil
        }
        // Topics that the host added when it was told about the refusals were not asked for.
        let isOutdated =
            failure?.isOfTopics == true
            && machine.plan.topics(of: shard).flatMap(machine.plan.members).contains {
                !rejected.contains($0)
            }
        work.pending.append(contentsOf: machine.ended(shard, isOutdated ? nil : failure, now: loop.now.instant))
        if !isOutdated { tell { $0.group($1, didEnd: shard, failure: failure) } }
        performPending()
    }

    /// The first confirmation of a channel: of a shard that was given up, what it missed meanwhile is known now.
    func channelSubscribed(_ shard: Int, to topics: [Topic]) {
        guard let loss = losses.removeValue(forKey: shard) else {
            let wanted = topics.flatMap(machine.plan.members)
            return tell { $0.group($1, didSubscribe: wanted, on: shard) }
        }
        let gap = Gap(from: loss.from, to: max(loss.from, loop.now.wall), reason: loss.reason)
        earlier.count(gap)
        tell { $0.group($1, didMiss: gap, on: shard) }
        tell { $0.group($1, didRecover: Recovery(method: .replacement), on: shard) }
    }

    /// Reports each wanted topic once, until it is removed.
    func channelRejected(_ shard: Int, _ topics: RejectedTopics) {
        var rest: [RejectedTopics.Rejection] = []
        for rejection in topics.rejections {
            for topic in machine.plan.members(of: rejection.topic) where rejected.insert(topic).inserted {
                var rejection = rejection
                rejection.topic = topic
                // Over the WebSocket a command is refused as a whole; of a combined topic of the host, names may be.
                let isSingle = topics.message == nil && topics.status == 0 && machine.plan.isWanted(topic)
                guard isSingle else {
                    rest.append(rejection)
                    continue
                }
                tell { $0.group($1, didReject: RejectedTopics([rejection]), on: shard) }
            }
        }
        guard !rest.isEmpty else { return }
        let others = RejectedTopics(rest, status: topics.status, message: topics.message)
        tell { $0.group($1, didReject: others, on: shard) }
    }

    // MARK: - The delegate

    @inline(__always)
    func received(_ notification: ChannelNotification, on shard: Int) {
        guard !isSilent else { return }
        guard let held = burst.held else { return receivedAlone(notification, on: shard) }
        held.received(notification, of: self, on: shard)
    }

    @inline(never)
    private func receivedAlone(_ notification: ChannelNotification, on shard: Int) {
        guard let weakDelegate else { return closeWithoutDelegate() }
        burst.willCall(weakDelegate, on: loop)
        weakDelegate.group(self, didReceive: notification, on: shard)
    }

    func tell(_ body: (any ChannelGroupDelegate, ChannelGroup) -> Void) {
        guard !isSilent else { return }
        guard let weakDelegate else { return closeWithoutDelegate() }
        body(weakDelegate, self)
    }

    /// Reports a changed state before what follows from it. The end is announced with the terminal call.
    func announceState() {
        let state = machine.channelState
        guard state != toldState, state != .ended, state != .closing, !isSilent else { return }
        toldState = state
        weakDelegate?.group(self, didChange: state)
    }

    private func closeWithoutDelegate() {
        guard !isSilent else { return }
        platform.logger.warning("a group is closed: its delegate is gone, which is held weakly: keep it")
        close()
    }
}

extension BurstDelegate.Held where Delegate == any ChannelGroupDelegate {
    /// Not inlined: inside, the delegate needs no reference of its own.
    @inline(never)
    fileprivate func received(_ notification: ChannelNotification, of group: ChannelGroup, on shard: Int) {
        delegate.group(group, didReceive: notification, on: shard)
    }
}
