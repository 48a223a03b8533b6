internal import Logging

extension NotificationChannel: Driver {
    var redactedURI: String { driver.redactedURI }
    var nextDeadline: Instant? { machine.nextDeadline }
    var isFinishing: Bool { driver.end != nil }

    func deadlineReached(now: ClockReading) -> [ChannelMachine.Action] {
        machine.deadlineReached(now: now)
    }

    package func loopWasLate() {
        machine.loopWasLate()
    }

    /// Delivers what a pause left, and resumes one link when all actions are performed.
    func adjustReading() -> Bool {
        releaseLeftovers()
        if core.pending.isEmpty, !driver.resuming.isEmpty {
            let id = driver.resuming.removeFirst()
            link(id)?.resumeReading()
        }
        return !driver.resuming.isEmpty
    }

    func perform(_ action: ChannelMachine.Action) {
        announceState()
        switch action {
        case .connect(let id, let endpoint):
            connect(id, to: endpoint)
        case .send(let id, let command):
            link(id)?.send(.text, command.encoded())
        case .sendClose(let id):
            withLink(id) { $0.sendClose(.normal) }
        case .retire(let id):
            link(id)?.retire()
        case .drop(let id):
            guard let link = link(id) else { return }
            if link.establishment != nil { driver.addresses.withdrawn() }
            link.drop()
        case .pauseReading(let id):
            driver.resuming.removeAll { $0 == id }
            link(id)?.pauseReading()
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
        guard let link = link(id) else { return }
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

    /// The link with that id: the last one, if earlier ones were redirected to it.
    func link(_ id: LinkID) -> Link? {
        core.links.last { $0.id == id }
    }

    func connect(_ id: LinkID, to uri: WebSocketURI, _ target: LinkConfiguration) {
        let link = Link(id: id, uri: uri, configuration: target, loop: loop, group: core.handles.group, owner: self)
        core.links.append(link)
        let proxy = (try? target.proxy?.check(uri)).map { " through the proxy \($0)" } ?? ""
        logger.debug("connecting to \(uri.redacted)\(proxy)")
        link.connect(memory: driver.addresses)
    }

    // MARK: - The end

    private func finish(_ end: ChannelMachine.End) {
        driver.end = Boxed(end)
        driver.resuming = []
        // What a pause still holds must be delivered now; after `close()` it is dropped.
        for id in driver.held.keys.sorted(by: { $0.rawValue < $1.rawValue }) { releaseHeld(id, evenIfPaused: true) }
        for link in core.links where !link.isWindingDown { link.drop() }
    }

    func makeTerminalCall() {
        guard let end = driver.end?.value else { return }
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
            logger.debug("closed, after it failed: \(driver.withoutSecrets(failure, on: loop))")
            delegate?.channelDidClose(self)
        case .failed(let failure):
            let failure = driver.withoutSecrets(failure, on: loop)
            logger.debug("failed: \(failure)")
            guard let delegate else { return noteMissingDelegate("failed, and no delegate was there") }
            delegate.channel(self, didFail: failure)
        }
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
        let event = driver.withoutSecrets(event, on: loop)
        logger.debug("\(event.summary)")
        switch event {
        case .didSubscribe(let topics):
            driver.addresses.succeeded()
            delegate.channel(self, didSubscribe: topics)
        case .willReconnect(let attempt): delegate.channel(self, willReconnect: attempt)
        case .didFailRollover(let failure): delegate.channel(self, didFailRollover: failure)
        case .didReject(let topics): delegate.channel(self, didReject: topics)
        case .didMiss(let gap):
            driver.count(gap)
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
