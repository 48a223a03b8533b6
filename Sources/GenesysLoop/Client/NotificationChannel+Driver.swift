internal import Logging

/// Performs the machine's actions.
///
/// Public calls touch only the machine and the queue of pending actions. Links, timer and delegate are touched here,
/// from the loop, one action after the other.
extension NotificationChannel: LoopTask, TimerOwner, LoopCloseable {
    /// Queues actions and schedules a task that performs them.
    func submit(_ actions: [ChannelMachine.Action]) {
        guard enqueue(actions), !driver.isAdvancing else { return }
        loop.schedule(self)
    }

    @discardableResult
    func enqueue(_ actions: [ChannelMachine.Action]) -> Bool {
        guard !actions.isEmpty else { return false }
        driver.pending.append(actions)
        generation &+= 1
        return true
    }

    package func closeByLoop() {
        close()
    }

    package func runTask() {
        advance()
    }

    package func loopWasLate(now: ClockReading) {
        machine.loopWasLate(now: now)
    }

    package func timerDidFire(_ timer: Timer) {
        driver.handles.timerDidFire()
        let now = loop.now
        for link in driver.links {
            link.deadlineReached(now: now.instant)
            link.reportEndIfDue()
        }
        enqueue(machine.deadlineReached(now: now))
        advance()
    }

    /// Performs all pending actions, resumes links and sets the timer.
    ///
    /// Inside another call of it, or of `performPending`, it leaves the work to that call.
    func advance() {
        guard !driver.isAdvancing, !driver.pending.isBusy else { return }
        driver.isAdvancing = true
        repeat {
            performPending()
            releaseLeftovers()
            if driver.pending.isEmpty, !driver.resuming.isEmpty {
                let id = driver.resuming.removeFirst()
                driver.link(id)?.resumeReading()
            }
            for link in driver.links {
                link.flush()
                link.reportEndIfDue()
            }
        } while !driver.pending.isEmpty || !driver.resuming.isEmpty
        driver.isAdvancing = false
        setTimer()
        endIfDone()
    }

    func performPending() {
        guard driver.pending.begin() else { return }
        while let action = driver.pending.pop() {
            announceState()
            perform(action)
        }
    }

    private func perform(_ action: ChannelMachine.Action) {
        switch action {
        case .connect(let id, let endpoint):
            connect(id, to: endpoint)
        case .send(let id, let command):
            driver.link(id)?.send(.text, command.encoded())
        case .sendClose(let id):
            withLink(id) { $0.sendClose(.normal) }
        case .retire(let id):
            driver.link(id)?.retire()
        case .drop(let id):
            guard let link = driver.link(id) else { return }
            if link.establishment != nil { driver.addresses.withdrawn() }
            link.drop()
        case .pauseReading(let id):
            driver.resuming.removeAll { $0 == id }
            driver.link(id)?.pauseReading()
        case .resumeReading(let id):
            driver.resuming.append(id)
        case .releaseHeld(let id):
            releaseHeld(id)
        case .tell(let event):
            tell(event)
        case .warn(let topics):
            logger.warning("\(NotificationChannel.warning(unconfirmed: topics))")
        case .finish(let end):
            finish(end)
        }
    }

    private func withLink(_ id: LinkID, _ body: (Link) -> Void) {
        guard let link = driver.link(id) else { return }
        body(link)
        link.reportEndIfDue()
    }

    private func connect(_ id: LinkID, to endpoint: EndpointID) {
        let uri = driver[endpoint]
        guard let target = try? linkOptions.link(to: uri, on: loop) else {
            preconditionFailure("the rules of links to an endpoint were not made when it was added")
        }
        connect(id, to: uri, target)
    }

    func connect(_ id: LinkID, to uri: WebSocketURI, _ target: LinkConfiguration) {
        let link = Link(id: id, uri: uri, configuration: target, loop: loop, group: driver.handles.group, owner: self)
        driver.links.append(link)
        let proxy = (try? target.proxy?.check(uri)).map { " through the proxy \($0)" } ?? ""
        logger.debug("connecting to \(uri.redacted)\(proxy)")
        link.connect(memory: driver.addresses)
    }

    // MARK: - Time

    func setTimer() {
        guard driver.end == nil || !driver.links.isEmpty else { return }
        var deadline = machine.nextDeadline
        for link in driver.links {
            guard let own = link.deadline else { continue }
            deadline = min(deadline ?? own, own)
        }
        driver.handles.setTimer(at: deadline, owner: self)
    }

    // MARK: - The end

    private func finish(_ end: ChannelMachine.End) {
        driver.end = Boxed(end)
        driver.resuming = []
        // What a pause still holds must be delivered now; after `close()` it is dropped.
        for id in driver.held.keys.sorted(by: { $0.rawValue < $1.rawValue }) { releaseHeld(id, evenIfPaused: true) }
        for link in driver.links where !link.isWindingDown { link.drop() }
    }

    /// Makes the terminal call when the last handle is closed.
    private func endIfDone() {
        guard let end = driver.end?.value, driver.links.isEmpty else { return }
        guard driver.handles.close(then: self) else { return }
        driver.end = nil
        if case .failed = end, delegate != nil { announce(.ended) }
        let delegate = takeDelegate()
        loop.release(self)
        switch end {
        case .closed:
            logger.debug("closed")
            delegate?.channelDidClose(self)
        case .failed(let failure) where machine.isSilent:
            // The host's `close()` overtook this failure, so it is not reported: only `channelDidClose` follows.
            logger.debug("closed, after it failed: \(driver.withoutSecrets(failure))")
            delegate?.channelDidClose(self)
        case .failed(let failure):
            let failure = driver.withoutSecrets(failure)
            logger.debug("failed: \(failure)")
            guard let delegate else { return noteMissingDelegate("failed, and no delegate was there") }
            delegate.channel(self, didFail: failure)
        }
    }

    /// There is no delegate for a delivery: closes the channel.
    func closeWithoutDelegate() {
        noteMissingDelegate("is closed")
        submit(machine.closeRequested(now: loop.now))
    }

    private func noteMissingDelegate(_ consequence: String) {
        guard let why = delegateWatch.missed() else { return }
        loop.forgotten.lackedDelegate()
        logger.warning("\(driver.redactedURI) \(consequence): \(why)")
    }

    /// Reports a changed state before the actions that follow from it: what changes the state also has actions.
    ///
    /// The end is announced with the terminal call, which notifications that were held precede.
    private func announceState() {
        let state = machine.channelState
        if state != driver.toldState, state != .ended { announce(state) }
    }

    private func announce(_ state: ChannelState) {
        guard !machine.isSilent else { return }
        guard let delegate else { return closeWithoutDelegate() }
        logger.debug("state: \(state)")
        driver.toldState = state
        delegate.channel(self, didChange: state)
    }

    private func tell(_ event: ChannelMachine.Event) {
        // Events decided before the host's `close()` and not reported yet are dropped; events of a failure are
        // reported.
        guard !machine.isSilent else { return }
        guard let delegate else { return closeWithoutDelegate() }
        let event = driver.withoutSecrets(event)
        logger.debug("\(event.summary)")
        switch event {
        case .didSubscribe(let topics):
            driver.addresses.succeeded()
            delegate.channel(self, didSubscribe: topics)
        case .willReconnect(let attempt): delegate.channel(self, willReconnect: attempt)
        case .didFailRollover(let failure): delegate.channel(self, didFailRollover: failure)
        case .didReject(let topics): delegate.channel(self, didReject: topics)
        case .didMiss(let gap):
            counters.gapCount += 1
            delegate.channel(self, didMiss: gap)
        case .didRecover(let recovery):
            // An extension proves nothing about a successor that is connecting.
            if recovery.method != .extension { driver.addresses.succeeded() }
            delegate.channel(self, didRecover: recovery)
        case .willExpire(let expiry): delegate.channel(self, willExpire: expiry)
        }
    }
}

extension ChannelMachine.Event {
    /// A line for the log, with counts instead of topics.
    var summary: String {
        switch self {
        case .didSubscribe(let topics): "subscribed to \(topics.count) topics"
        case .willReconnect(let attempt): "\(attempt)"
        case .didFailRollover(let failure): "\(failure)"
        case .didReject(let topics): "\(topics.topics.count) topics refused with \(topics.status)"
        case .didMiss(let gap): "\(gap)"
        case .didRecover(let recovery): "\(recovery)"
        case .willExpire(let expiry): "\(expiry)"
        }
    }
}

extension NotificationChannel {
    /// The warning about a confirmation that did not name all topics; it names only the first ones, to stay one line.
    static func warning(unconfirmed topics: [Topic]) -> String {
        let names = topics.prefix(20).map(\.rawValue).joined(separator: ", ")
        let more = topics.count > 20 ? " and \(topics.count - 20) more" : ""
        return "the service's confirmation does not name \(names)\(more): they may not be subscribed"
    }
}
