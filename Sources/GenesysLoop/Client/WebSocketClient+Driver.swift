internal import Logging

/// Performs the machine's actions.
///
/// Public calls touch only the machine, the queue of pending actions and, for sends, the link's outbox. Link, timer and
/// delegate are touched here, from the loop, one action after the other.
extension WebSocketClient: LoopTask, TimerOwner, LoopCloseable {
    /// Queues actions and schedules a task that performs them.
    func submit(_ actions: [WebSocketClientMachine.Action]) {
        if enqueue(actions) { schedulePass() }
    }

    @discardableResult
    func enqueue(_ actions: [WebSocketClientMachine.Action]) -> Bool {
        guard !actions.isEmpty else { return false }
        driver.pending.append(actions)
        generation &+= 1
        return true
    }

    func schedulePass() {
        guard !driver.isScheduled, !driver.isReceiving else { return }
        driver.isScheduled = true
        loop.schedule(self)
    }

    /// The host paused or resumed.
    func readingDidChange() {
        guard let link = driver.link, link.isPaused != machine.wantsPause else { return }
        generation &+= 1
        schedulePass()
    }

    package func closeByLoop() {
        close()
    }

    package func runTask() {
        driver.isScheduled = false
        advance()
    }

    package func timerDidFire(_ timer: Timer) {
        driver.handles.timerDidFire()
        driver.link?.deadlineReached(now: loop.now.instant)
        driver.link?.reportEndIfDue()
        advance()
    }

    /// Performs all pending actions, sends what is queued, resumes reading if allowed, and sets the timer.
    ///
    /// Inside another call of it, or of `performPending`, it leaves the work to that call.
    func advance() {
        guard !driver.isAdvancing, !driver.pending.isBusy else { return }
        driver.isAdvancing = true
        repeat {
            performPending()
            if let link = driver.link {
                adjustReading(of: link)
                link.flush()
                link.reportEndIfDue()
            }
        } while !driver.pending.isEmpty
        driver.isAdvancing = false
        awaitTurn()
        setTimer()
        endIfDone()
    }

    func performPending() {
        guard driver.pending.begin() else { return }
        while let action = driver.pending.pop() { perform(action) }
    }

    private func perform(_ action: WebSocketClientMachine.Action) {
        switch action {
        case .connect:
            let link = Link(
                id: LinkID(rawValue: 0), uri: driver.uri,
                configuration: configuration.link(context: driver.context, proxy: driver.proxy, trail: driver.trail),
                loop: loop, group: driver.handles.group, owner: self)
            driver.link = link
            link.connect()
        case .sendClose(let code, let reason):
            driver.link?.sendClose(code, reason: reason)
        case .tell(let event):
            tell(event)
        case .finish:
            driver.isFinishing = true
            if let link = driver.link, !link.isWindingDown { link.drop() }
        }
    }

    /// Pauses or resumes the link as the host requested.
    func adjustReading(of link: Link) {
        if machine.wantsPause { link.pauseReading() } else { link.resumeReading() }
    }

    func setTimer() {
        guard !driver.isFinishing || driver.link != nil else { return }
        driver.handles.setTimer(at: driver.link?.deadline, owner: self)
    }

    // MARK: - Flow control

    /// Reports room to send, and completed sends, at the next turn of the loop.
    ///
    /// A pass may fill the queue and empty it at its end. Other clients get their turn in between, however fast the
    /// peer reads.
    private func awaitTurn() {
        guard !driver.isTurnAwaited, let link = driver.link,
            machine.hasRoomToTell(at: link.queuedByteCount) || link.sends.hasDone(at: link.sentByteCount)
        else { return }
        driver.isTurnAwaited = true
        let bound = LoopBound(self, on: loop)
        loop.execute { bound.value.turnCame() }
    }

    private func turnCame() {
        driver.isTurnAwaited = false
        guard let link = driver.link else { return }
        linkDidDrain(link)
    }

    func linkDidDrain(_ link: Link) {
        while let completion = link.sends.popDone(at: link.sentByteCount) { completion(nil) }
        guard enqueue(machine.queueShrank(to: link.queuedByteCount)) else { return }
        advance()
    }

    // MARK: - The end

    /// Makes the terminal call when the last handle is closed.
    private func endIfDone() {
        guard driver.isFinishing, driver.link == nil, case .ended(let end) = machine.state,
            driver.handles.close(then: self)
        else { return }
        driver.isFinishing = false
        let delegate = weakDelegate
        weakDelegate = nil
        generation &+= 1
        loop.release(self)
        switch end {
        case .closed(let code, let reason):
            configuration.logger.debug("closed with \(code)")
            delegate?.webSocket(self, didClose: code, reason: reason)
        case .failed:
            guard let cause = driver.failure else { preconditionFailure("a client failed without a failure") }
            let failure = WebSocketFailure(cause)
            configuration.logger.debug("failed: \(failure)")
            guard let delegate else { return noteMissingDelegate("failed, and no delegate was there") }
            delegate.webSocket(self, didFail: failure)
        }
    }

    /// There is no delegate for a delivery: closes the client.
    func closeWithoutDelegate() {
        noteMissingDelegate("is closed")
        closeNow(.normal, reason: "")
    }

    private func noteMissingDelegate(_ consequence: String) {
        guard let why = delegateWatch.missed() else { return }
        loop.forgotten.lackedDelegate()
        configuration.logger.warning("\(driver.uri.redacted) \(consequence): \(why)")
    }

    private func tell(_ event: WebSocketClientMachine.Event) {
        guard machine.isDelivering else { return }
        guard let delegate = weakDelegate else { return closeWithoutDelegate() }
        switch event {
        case .didOpen:
            configuration.logger.debug("open")
            delegate.webSocketDidOpen(self)
        case .didBecomeWritable:
            delegate.webSocketDidBecomeWritable(self)
        }
    }
}

/// What the driver of a client owns: its link, handles, pending actions.
struct WebSocketClientDriver {
    /// The current target, and the redirects that led to it.
    var trail: RedirectTrail
    /// For `wss:` only.
    var context: TLSContext?
    let proxy: ProxyRules?
    /// The link ended with a redirect; the next one follows when this one has released its socket.
    var isRedirected = false
    /// Performed only in a pass, never during a callout.
    var pending = ActionQueue<WebSocketClientMachine.Action>()
    var isAdvancing = false
    /// A pass is scheduled.
    var isScheduled = false
    /// The link is being read: the host's requests are performed when the read ends.
    var isReceiving = false
    /// The queue is checked again at the next turn of the loop.
    var isTurnAwaited = false
    var link: Link?
    var subprotocol: String?
    var isCompressed = false
    var handles: DriverHandles
    /// Why the link failed.
    var failure: LinkFailure?
    /// Only the terminal call is missing.
    var isFinishing = false

    init(uri: String, loop: UVLoop, configuration: WebSocketClientConfiguration) throws {
        do throws(LinkFailure) {
            trail = RedirectTrail(try WebSocketURI(checking: uri), limit: configuration.maxRedirects)
            context =
                trail.uri.isSecure
                ? try loop.sharedContext(checking: configuration.tls, logger: configuration.logger) : nil
            proxy = try loop.proxyRules(configuration.proxy, tls: configuration.proxyTLS, logger: configuration.logger)
            _ = try proxy?.check(trail.uri)
        } catch {
            throw WebSocketFailure(error)
        }
        try configuration.check(for: trail.uri)
        handles = DriverHandles(loop: loop)
    }

    /// The current target.
    var uri: WebSocketURI { trail.uri }
}
