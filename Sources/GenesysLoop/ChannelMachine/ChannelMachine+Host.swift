/// Inputs from the host.
extension ChannelMachine {
    /// `open()`.
    ///
    /// Calling it again does nothing.
    package mutating func openRequested(now: ClockReading) -> [Action] {
        switch state {
        case .idle:
            reconnect.opened(now: now.instant)
            clocks = now
            return startAttempt(now: now)
        case .waiting, .attempting, .live, .rollingOver, .handedOver, .draining, .closing, .ended:
            return []
        }
    }

    /// `close()`.
    ///
    /// Idempotent; after it only the terminal call follows.
    package mutating func closeRequested(now: ClockReading) -> [Action] {
        isSilent = true
        switch state {
        case .idle, .waiting:
            state = .ended
            return [.finish(.closed)]
        case .attempting, .live, .rollingOver, .handedOver, .draining:
            return startClosing(now: now)
        case .closing, .ended:
            return []
        }
    }

    /// `rollover(to:)`, with the name that the driver gave to the new URI.
    package mutating func rolloverRequested(to endpoint: EndpointID, now: ClockReading) -> [Action] {
        switch state {
        case .idle:
            self.endpoint = endpoint
            return []
        case .waiting, .attempting:
            redirect(to: endpoint)
            return dropCandidate(now: now) + startAttempt(now: now)
        case .live:
            return startRollover(.requested, to: endpoint, now: now)
        case .rollingOver:
            return dropCandidate(now: now) + startRollover(.requested, to: endpoint, now: now)
        case .handedOver, .draining:
            // Data that exists only on the new socket would be lost with it, so that socket takes over first.
            queuedRollover = endpoint
            return []
        case .closing, .ended:
            return []
        }
    }

    /// `pause()`: nothing is read until `resume()`, and silence does not count in the meantime.
    package mutating func pauseRequested(now: ClockReading) -> [Action] {
        guard !isPaused else { return [] }
        isPaused = true
        pausedAt = now.instant
        switch state {
        case .idle, .waiting, .closing, .ended:
            return []
        case .attempting, .live, .rollingOver, .handedOver, .draining:
            return openLinks { link in
                link.suspend()
                return .pauseReading(link.id)
            }
        }
    }

    /// `resume()`.
    package mutating func resumeRequested(now: ClockReading) -> [Action] {
        guard isPaused else { return [] }
        isPaused = false
        let pause = Pause(from: pausedAt ?? now.instant, to: now.instant)
        pausedAt = nil
        if let candidate { current?.missed(candidate, during: pause) }
        reconnect.postpone(by: pause)
        leftBehind.lookAgain(now: now.instant)
        overlapEnd = overlapEnd.map { pause.postponed($0, limit: ChannelMachine.overlapEcho) }
        switch state {
        case .idle, .waiting, .closing, .ended:
            return []
        case .attempting, .live, .rollingOver, .handedOver:
            return openLinks { link in
                link.resume(after: pause)
                return .resumeReading(link.id)
            }
        case .draining(let until):
            state = .draining(until: pause.postponed(until, limit: settings.drainTimeout))
            // The new link stays unread until the old one ends.
            current?.resume(after: pause)
            return current.map { [.resumeReading($0.id)] } ?? []
        }
    }

    /// `subscribe`, `unsubscribe` and `setTopics`: only the difference goes to the service.
    package mutating func topicsChanged(to wanted: [Topic], now: ClockReading) -> [Action] {
        topics = wanted
        granted.formIntersection(wanted)
        switch state {
        case .live, .rollingOver:
            return synchronizeCurrent(now: now)
        case .draining:
            return candidate.map { synchronizeTopics(of: $0, now: now) } ?? []
        case .idle, .waiting, .attempting, .handedOver, .closing, .ended:
            return []
        }
    }

    private mutating func startClosing(now: ClockReading) -> [Action] {
        var actions: [Action] = []
        leftBehind = DeferredRelease()
        for link in [current, candidate].compactMap(\.self) {
            if link.openedAt == nil {
                actions.append(.drop(link.id))
                forget(link.id)
            } else {
                actions.append(.sendClose(link.id))
                if isPaused || isDrainingCandidate(link) { actions.append(.resumeReading(link.id)) }
            }
        }
        guard current != nil || candidate != nil else {
            state = .ended
            return actions + [.finish(.closed)]
        }
        state = .closing(until: now.instant + settings.closeTimeout)
        return actions
    }

    private func isDrainingCandidate(_ link: LinkRecord) -> Bool {
        guard case .draining = state else { return false }
        return link.id == candidate?.id
    }

    /// Applies `body` to every open link whose upgrade was accepted.
    private mutating func openLinks(_ body: (inout LinkRecord) -> Action) -> [Action] {
        var actions: [Action] = []
        if var link = current {
            actions.append(body(&link))
            current = link
        }
        if var link = candidate, link.openedAt != nil {
            actions.append(body(&link))
            candidate = link
        }
        return actions
    }

    /// Sends the next attempt to `endpoint` and remembers where the channel was confirmed last.
    private mutating func redirect(to endpoint: EndpointID) {
        if isEverConfirmed, fallback == nil { fallback = self.endpoint }
        self.endpoint = endpoint
        if fallback == endpoint { fallback = nil }
    }
}
