package import GenesysLoop

/// Performs what the machine decides: calls of the sink and of the delegate, from the loop, one after the other.
extension Relay: LoopTask, LoopCloseable, TimerOwner {
    /// What the driver remembers for the statistics and the end.
    struct Record {
        var isClosing = false
        var lastNotificationAt: Instant?
        var engineConnectCount = 0
        var duplicateCount = 0
        var fencedCount = 0
        var pausedDuration: Duration = .zero
        var pausedAt: Instant?
    }

    /// How long the sink may take to close: when everything is stored, and when it does not even take records.
    static let closeLimit: (drained: Duration, undelivered: Duration) = (.seconds(1), .milliseconds(100))

    var isTaking: Bool { isOpen && ending == nil && !record.isClosing }

    func begin() {
        isOpen = true
        loop.retain(self)
    }

    // MARK: - Inputs

    /// Queues the actions of a call of the host, which are performed from the loop.
    func submit(_ actions: [RelayMachine.Action]) {
        pending.append(contentsOf: actions)
        schedule()
    }

    func schedule() {
        guard isOpen, !isScheduled, !isPerforming else { return }
        isScheduled = true
        loop.schedule(self)
    }

    /// Something happened on the loop: what the machine decided before is performed first, because it speaks of the
    /// queue as it is; what follows from it is performed before the return.
    func input(_ body: (inout RelayMachine, ClockReading) -> [RelayMachine.Action]) {
        guard isOpen, ending == nil else { return }
        askSource()
        performPending()
        guard ending == nil else { return }
        pending.append(contentsOf: body(&machine, loop.now))
        performPending()
        noteEpoch()
    }

    /// A topic or a correlation id with escapes is decoded.
    func appendDecoded(_ notification: borrowing ChannelNotification, now: ClockReading) {
        let topic = Array(notification.topic.utf8)
        let correlation = Array((notification.correlationID ?? "").utf8)
        if machine.received(topic: topic.span, correlation: correlation.span, data: notification.bytes, now: now) {
            pending.append(contentsOf: machine.takeActions())
        }
    }

    /// Asks until when the source delivers.
    private func askSource() {
        guard machine.isLeading, !record.isClosing, let silence = weakDelegate?.relaySourceSilence(self) else { return }
        machine.sourceHeard(at: loop.now.wall + (.zero - max(.zero, silence)), now: loop.now.wall)
    }

    package func runTask() {
        isScheduled = false
        guard isOpen, ending == nil else { return }
        askSource()
        performPending()
    }

    package func closeByLoop() { close() }

    package func timerDidFire(_ timer: Timer) {
        deadline = nil
        guard ending == nil else { return finish() }
        input { $0.deadlineReached(now: $1) }
        leaseInput { [covered = machine.coveredUntil] in $0.deadlineReached(now: $1, coveredUntil: covered) }
    }

    // MARK: - Actions

    func performPending() {
        guard !isPerforming else { return }
        isPerforming = true
        while let action = pending.popFirst() { perform(action) }
        isPerforming = false
        setTimer()
    }

    func setTimer() {
        guard isOpen, ending == nil else { return }
        let next = [machine.nextDeadline, holding?.machine.nextDeadline].compactMap { $0 }.min()
        guard next != deadline else { return }
        deadline = next
        guard let next else {
            timer?.stop()
            return
        }
        arm(at: next)
    }

    private func arm(at instant: Instant) {
        if timer == nil {
            timer = Timer(loop: loop, group: HandleGroup(loop: loop), owner: self, keepsRunning: false)
        }
        timer?.start(at: instant)
    }

    private func perform(_ action: RelayMachine.Action) {
        switch action {
        case .openSink: sink.open(after: lastStored)
        case .append(let range): sink.append(machine.batch(range))
        case .closeSink(let coveredUntil, let isReleased): closeSink(coveredUntil, isReleased: isReleased)
        case .openSource: tell { $0.relayWantsSource($1) }
        case .pauseSource: setPaused(true)
        case .resumeSource: setPaused(false)
        case .deadLetter(let line): deadLetters?.append(line)
        case .tell(let event): tell(event)
        case .finish(let end): beginEnd(end)
        }
    }

    private var lastStored: RecordID? {
        guard machine.isLeading, let epoch = machine.epoch else { return nil }
        return RecordID(epoch: epoch, sequence: machine.storedSequence)
    }

    private func setPaused(_ isPaused: Bool) {
        let now = loop.now.instant
        if let since = record.pausedAt { record.pausedDuration += now - since }
        record.pausedAt = isPaused ? now : nil
        tell { isPaused ? $0.relayWantsPause($1) : $0.relayWantsResume($1) }
    }

    // MARK: - The delegate

    private func tell(_ body: (any RelayDelegate, Relay) -> Void) {
        guard let delegate = weakDelegate else {
            // No one would get the failure.
            return close()
        }
        body(delegate, self)
    }

    func tell(_ event: RelayMachine.Event) {
        if event == .fenced { record.fencedCount = 1 }
        if case .engineLost = event { isConnected = false }
        let told: RelayEvent =
            switch event {
            case .engineLost(let reason): .engineLost(reason: reason)
            case .engineUnavailable(let reason): .engineUnavailable(reason: reason)
            case .overflow: .overflow
            case .dropped(let sequences): .dropped(sequences: sequences)
            case .refused(let sequence, let reason): .refused(sequence: sequence, reason: reason)
            case .leading(let epoch): .leading(epoch: epoch)
            case .fenced: .fenced
            case .engineRolledBack(let lost): .engineRolledBack(epoch: lost.epoch, sequences: lost.sequences)
            case .drained: .drained
            }
        report(told)
    }

    func report(_ event: RelayEvent) { tell { $0.relay($1, didReport: event) } }

    // MARK: - Dead letters

    func openDeadLetters() {
        deadLetters?.open { [unowned self] reason in
            report(.deadLetterFailed(reason: reason))
        }
    }

    // MARK: - The end

    private func closeSink(_ coveredUntil: WallTime?, isReleased: Bool) {
        openCount += 1
        sink.close(coveredUntil: coveredUntil, isReleased: isReleased) { [weak self] in self?.didClose() }
        guard let deadLetters else { return }
        openCount += 1
        deadLetters.close { [weak self] in self?.didClose() }
    }

    private func didClose() {
        openCount -= 1
        if openCount == 0, ending != nil { finish() }
    }

    /// The terminal call waits until the sink is closed, but not for long.
    private func beginEnd(_ end: RelayMachine.End) {
        ending = end
        pending.removeAll()
        if let since = record.pausedAt { record.pausedDuration += loop.now.instant - since }
        record.pausedAt = nil
        isConnected = false
        if openCount == 0 {
            // It was never open: the terminal call comes from the loop as well.
            arm(at: loop.now.instant)
        } else {
            arm(at: loop.now.instant + (end == .drained ? Relay.closeLimit.drained : Relay.closeLimit.undelivered))
        }
    }

    private func finish() {
        guard isOpen, let end = ending else { return }
        isOpen = false
        timer?.close()
        timer = nil
        deadLetters?.silence()
        let delegate = weakDelegate
        weakDelegate = nil
        loop.release(self)
        if let failure = RelayFailure(end, endReason) {
            delegate?.relay(self, didFail: failure)
        } else {
            delegate?.relayDidClose(self)
        }
    }
}

extension RelayFailure {
    /// Nil if everything is stored.
    init?(_ end: RelayMachine.End, _ reason: Reason?) {
        switch end {
        case .drained: return nil
        case .undelivered(let count):
            self.init(
                reason: .undelivered, message: "The engine did not store everything in time.", undeliveredCount: count)
        case .fenced(let count):
            self.init(reason: .fenced, message: "Another relay writes the stream.", undeliveredCount: count)
        case .unreachable(let reason):
            self.init(
                reason: .unreachable, message: "The engine cannot be reached: \(reason)", undeliveredCount: 0)
        case .refused(let message, let count):
            guard reason != .undelivered || count > 0 else { return nil }
            self.init(reason: reason ?? .refused, message: message, undeliveredCount: count)
        }
    }
}

extension RelayFailure.Reason {
    init(_ kind: RelaySinkFailure.Kind) {
        switch kind {
        case .output: self = .outputFailed
        case .closed: self = .undelivered
        case .held: self = .leaseHeld
        case .protocolViolation: self = .protocolViolation
        case .authorization: self = .notAuthorized
        case .configuration: self = .refused
        }
    }
}

extension Span<UInt8> {
    /// Whether a string of JSON has an escape.
    var hasEscape: Bool {
        // Without a branch, so that many bytes are compared at once.
        var found: UInt8 = 0
        for index in indices { found |= self[index] == UInt8(ascii: "\\") ? 1 : 0 }
        return found != 0
    }
}
