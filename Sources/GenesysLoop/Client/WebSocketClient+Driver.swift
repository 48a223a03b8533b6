internal import Logging

extension WebSocketClient: Driver {
    var logger: Logger { configuration.logger }
    var redactedURI: String { driver.uri.redacted }
    var isFinishing: Bool { driver.isFinishing }

    /// The only link: that of the first target, or of a redirect.
    var link: Link? { core.links.first }

    /// Pauses or resumes the link as the host requested.
    func adjustReading() -> Bool {
        if let link { adjustReading(of: link) }
        return false
    }

    func adjustReading(of link: Link) {
        if machine.wantsPause { link.pauseReading() } else { link.resumeReading() }
    }

    /// The host paused or resumed.
    func readingDidChange() {
        guard let link, link.isPaused != machine.wantsPause else { return }
        generation &+= 1
        schedule()
    }

    func perform(_ action: WebSocketClientMachine.Action) {
        switch action {
        case .connect:
            let link = Link(
                id: LinkID(rawValue: 0), uri: driver.uri,
                configuration: configuration.link(context: driver.context, proxy: driver.proxy, trail: driver.trail),
                loop: loop, group: core.handles.group, owner: self)
            core.links.append(link)
            link.connect()
        case .sendClose(let code, let reason):
            link?.sendClose(code, reason: reason)
        case .tell(let event):
            tell(event)
        case .finish:
            driver.isFinishing = true
            if let link, !link.isWindingDown { link.drop() }
        }
    }

    // MARK: - Flow control

    /// Reports room to send, and completed sends, at the next turn of the loop.
    ///
    /// A pass may fill the queue and empty it at its end. Other clients get their turn in between, however fast the
    /// peer reads.
    func didAdvance() {
        guard !driver.isTurnAwaited, let link,
            machine.hasRoomToTell(at: link.queuedByteCount) || link.sends.hasDone(at: link.sentByteCount)
        else { return }
        driver.isTurnAwaited = true
        let bound = LoopBound(self, on: loop)
        loop.execute { bound.value.turnCame() }
    }

    private func turnCame() {
        driver.isTurnAwaited = false
        guard let link else { return }
        linkDidDrain(link)
    }

    func linkDidDrain(_ link: Link) {
        while let completion = link.sends.popDone(at: link.sentByteCount) { completion(nil) }
        guard enqueue(machine.queueShrank(to: link.queuedByteCount)) else { return }
        advance()
    }

    // MARK: - The end

    func makeTerminalCall() {
        guard case .ended(let end) = machine.state else { return }
        driver.isFinishing = false
        let delegate = weakDelegate
        weakDelegate = nil
        generation &+= 1
        loop.release(self)
        switch end {
        case .closed(let code, let reason):
            logger.debug("closed with \(code)")
            delegate?.webSocket(self, didClose: code, reason: reason)
        case .failed:
            guard let cause = driver.failure else { preconditionFailure("a client failed without a failure") }
            let failure = WebSocketFailure(cause)
            logger.debug("failed: \(failure)")
            guard let delegate else { return noteMissingDelegate("failed, and no delegate was there") }
            delegate.webSocket(self, didFail: failure)
        }
    }

    private func tell(_ event: WebSocketClientMachine.Event) {
        guard machine.isDelivering else { return }
        guard let delegate = weakDelegate else { return closeWithoutDelegate() }
        switch event {
        case .didOpen:
            logger.debug("open")
            delegate.webSocketDidOpen(self)
        case .didBecomeWritable:
            delegate.webSocketDidBecomeWritable(self)
        }
    }
}

/// What the driver of a client owns beside its `DriverCore`.
struct WebSocketClientDriver {
    /// The current target, and the redirects that led to it.
    var trail: RedirectTrail
    /// For `wss:` only.
    var context: TLSContext?
    let proxy: ProxyRules?
    /// The link ended with a redirect; the next one follows when this one has released its socket.
    var isRedirected = false
    /// The queue is checked again at the next turn of the loop.
    var isTurnAwaited = false
    var subprotocol: String?
    var isCompressed = false
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
    }

    /// The current target.
    var uri: WebSocketURI { trail.uri }
}
