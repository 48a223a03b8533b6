internal import GenesysLoop
internal import Logging

/// Performs what the machine decides: calls of the platform, the `NotificationChannel`, the delegate.
extension ProvisionedChannel: MachineDriver {
    // MARK: - Inputs

    /// The open `NotificationChannel` made its terminal call.
    func channelEnded() {
        guard let ended = current?.channel.statistics else { return }
        current = nil
        earlier.add(ended)
        earlier.silence = nil
        earlier.pingRoundTrip = nil
        if let age = ended.lastNotificationAge { lastNotificationAt = loop.now.instant + (.zero - age) }
    }

    func tokenDidChange(to token: Token) {
        input { machine, _ in machine.tokenChanged(to: token) }
    }

    var nextDeadline: Instant? { machine.nextDeadline }

    var isOpen: Bool { machine.state != .idle && machine.state != .ended }

    func deadlineReached(now: ClockReading) -> [ProvisionedChannelMachine.Action] {
        machine.deadlineReached(now: now.instant)
    }

    func didPerform() { reportToGroup() }

    // MARK: - Actions

    func perform(_ action: ProvisionedChannelMachine.Action) {
        switch action {
        case .call(let id, let call, let token, let limit):
            let held = PendingCall(id: id, call: call, token: token, limit: limit)
            if place != nil, machine.isFirst(id) { self.held = held } else { start(held) }
        case .cancel(let id):
            if held?.id == id { held = nil }
            calls.remove(id)
            platform.cancel(id)
        case .limit(let id, let limit):
            if held?.id == id { held?.limit = limit } else { platform.setLimit(limit, of: id) }
        case .discardToken(let id):
            platform.discard(id)
        case .openChannel(let uri, let topics, let total):
            openChannel(uri, topics, total: total)
        case .rollover(let uri):
            rollOver(to: uri)
        case .setTopics(let topics):
            setTopics(topics, of: current?.channel)
        case .closeChannel:
            current?.channel.close()
        case .tell(let event):
            tell(event)
        case .finish(let end):
            finish(end)
        }
    }

    private func start(_ call: PendingCall) {
        calls.insert(call.id)
        platform.call(call.id, call.call, token: call.token, limit: call.limit) { [unowned self] reply in
            calls.remove(call.id)
            input { $0.callAnswered(call.id, reply, now: $1.instant) }
        }
    }

    private func openChannel(_ uri: SecretBytes, _ topics: [Topic], total: Duration?) {
        var configuration = self.configuration
        if case .backoff(var backoff) = configuration.reconnect {
            backoff.initialTotal = total
            configuration.reconnect = .backoff(backoff)
        }
        let relay =
            if let place, let group = place.group.object {
                GroupChannelRelay(self, place.shard, of: group)
            } else {
                ChannelRelay(self)
            }
        do throws(ChannelFailure) {
            let channel = try NotificationChannel(
                uri: uri.text, topics: topics, on: loop, delegate: relay, configuration: configuration)
            current = (channel, relay)
            if isPaused { channel.pause() }
            channel.open()
        } catch {
            current = nil
            work.pending.append(
                contentsOf: machine.channelFailed(error, deliveredUntil: nil, now: loop.now.instant))
        }
    }

    private func rollOver(to uri: SecretBytes) {
        do throws(ChannelFailure) {
            try current?.channel.rollover(to: uri.text)
        } catch {
            work.pending.append(contentsOf: machine.channelFailedRollover(error, now: loop.now.instant))
        }
    }

    private func setTopics(_ topics: [Topic], of channel: NotificationChannel?) {
        do throws(ChannelFailure) {
            try channel?.setTopics(topics)
        } catch {
            work.pending.append(
                contentsOf: machine.channelRejected(RejectedTopics(topics: topics, message: "\(error)")))
        }
    }

    // MARK: - The end

    private func finish(_ end: ProvisionedChannelMachine.End) {
        work.end()
        for id in calls { platform.cancel(id) }
        calls = []
        current = nil
        platform.leave(self)
        let delegate = weakDelegate
        if case .failed = end, !isSilent { delegate?.channel(self, didChange: .ended) }
        weakDelegate = nil
        burst.end()
        loop.release(self)
        switch end {
        case .failed(let failure) where !isSilent:
            platform.logger.debug("failed: \(failure)")
            guard let delegate else {
                return platform.logger.warning("a channel failed, and no delegate was there: \(failure)")
            }
            delegate.channel(self, didFail: failure)
        case .closed, .failed:
            platform.logger.debug("closed")
            delegate?.channelDidClose(self)
        }
    }

    /// There is no delegate for a delivery: closes the channel.
    private func closeWithoutDelegate() {
        guard !isSilent else { return }
        platform.logger.warning("a channel is closed: its delegate is gone, which is held weakly: keep it")
        close()
    }

    // MARK: - The delegate

    @inline(__always)
    func received(_ notification: ChannelNotification) {
        guard !isSilent else { return }
        guard let held = burst.held else { return receivedAlone(notification) }
        held.received(notification, of: self)
    }

    @inline(never)
    private func receivedAlone(_ notification: ChannelNotification) {
        guard let weakDelegate else { return closeWithoutDelegate() }
        burst.willCall(weakDelegate, on: loop)
        weakDelegate.channel(self, didReceive: notification)
    }

    func discarded(_ message: DiscardedMessage) {
        if !isSilent { weakDelegate?.channel(self, didDiscard: message) }
    }

    func missed(_ gap: Gap) {
        performPending()
        guard !isSilent else { return }
        guard let weakDelegate else { return closeWithoutDelegate() }
        weakDelegate.channel(self, didMiss: gap)
    }

    /// Reports a changed state before what follows from it. The end is announced with the terminal call.
    func announceState() {
        let state = machine.channelState
        guard state != toldState, state != .ended, !isSilent else { return }
        toldState = state
        weakDelegate?.channel(self, didChange: state)
    }

    private func tell(_ event: ProvisionedChannelMachine.Event) {
        guard !isSilent else { return }
        guard let delegate = weakDelegate else { return closeWithoutDelegate() }
        switch event {
        case .channelMade(let ours, let all):
            delegate.channel(self, didMake: ChannelCount(ours: ours, all: all))
        case .channelGone(let reason): delegate.channel(self, didLoseChannel: reason)
        case .didSubscribe(let topics): delegate.channel(self, didSubscribe: topics)
        case .willReconnect(let attempt): delegate.channel(self, willReconnect: attempt)
        case .didFailRollover(let failure): delegate.channel(self, didFailRollover: failure)
        case .didReject(let topics): delegate.channel(self, didReject: topics)
        case .didMiss(let gap):
            earlier.count(gap)
            delegate.channel(self, didMiss: gap)
        case .didRecover(let recovery): delegate.channel(self, didRecover: recovery)
        case .willExpire(let expiry): delegate.channel(self, willExpire: expiry)
        }
    }
}

extension BurstDelegate.Held where Delegate == any ProvisionedChannelDelegate {
    /// Not inlined: inside, the delegate needs no reference of its own.
    @inline(never)
    fileprivate func received(_ notification: ChannelNotification, of channel: ProvisionedChannel) {
        delegate.channel(channel, didReceive: notification)
    }
}

/// The part of a channel in its group.
extension ProvisionedChannel {
    func reportToGroup() {
        guard let place, machine.state != .ended else { return }
        var report = machine.report(held: held?.id, limit: held?.limit)
        if isExchanging {
            report.isMoving = true
            report.wait = nil
        }
        place.group.object?.reported(place.shard, report)
    }

    /// The group's turn: makes a channel.
    func startHeldCall() {
        guard let held else { return }
        self.held = nil
        start(held)
        reportToGroup()
    }

    /// Ends the open channel, because there is no place for another one beside it, and makes the next one.
    func exchange() {
        guard let channel = current?.channel, machine.state == .live else { return startHeldCall() }
        isExchanging = true
        deliveredUntil = channel.deliveredUntil
        channel.close()
        reportToGroup()
    }

    /// The open channel is closed: by the host, or for the next one.
    func channelClosed() {
        channelEnded()
        guard isExchanging, !isSilent else { return input { machine, _ in machine.channelClosed() } }
        isExchanging = false
        let failure = ChannelFailure(
            kind: .reconnect, reason: .channelExpired, phase: .provision,
            clause: "the channel ends with its token, and no place is left for another one beside it",
            advice: "Use fewer topics, or another OAuth client", isRetryable: true)
        input { $0.channelFailed(failure, deliveredUntil: deliveredUntil, now: $1.instant) }
        startHeldCall()
    }

    /// The topics of the shard, which were checked.
    func replaceTopics(_ topics: [Topic]) { submit(machine.topicsChanged(to: topics)) }
}

extension ChannelStatistics {
    /// The gap between two channels, which no `NotificationChannel` knows.
    mutating func count(_ gap: Gap) {
        reconnectCount += 1
        reconnectsByReason[gap.reason, default: 0] += 1
        gapCount += 1
        gapsByReason[gap.reason, default: 0] += 1
        gapDurationsByReason[gap.reason, default: .zero] += gap.to - gap.from
    }
}
