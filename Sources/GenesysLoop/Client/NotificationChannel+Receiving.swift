/// Takes messages from a link to the delegate.
extension NotificationChannel {
    func link(_ link: Link, didReach address: SocketAddress) {
        driver.addresses.reached(address)
    }

    func linkDidOpen(_ link: Link) {
        enqueue(machine.linkOpened(link.id, now: loop.now))
        performPending()
        // The timer is set when this read is over.
        schedule()
    }

    func linkDidDrain(_ link: Link) {}

    func link(_ link: Link, didEnd failure: LinkFailure) {
        var failure = failure
        if !redirect(link, &failure) { enqueue(machine.linkEnded(link.id, LinkEnd(failure), now: loop.now)) }
        advance()
    }

    func linkDidFinish(_ link: Link) {
        driver.count(link.traffic)
        core.links.removeAll { $0 === link }
        if self.link(link.id) == nil { driver.trails[link.id] = nil }
        advance()
    }

    func linkDidReceive(_ link: Link, isDrained: Bool) {
        guard !link.isWindingDown else { return link.discardInput() }
        let now = loop.now
        counters.readAt = now.instant
        core.handles.timer?.noticeLateness(now: now)
        machine.bytesReceived(on: link.id, isDrained: isDrained, now: now)
        beginReceiving()
        while receiveMessages(of: link, delegate ?? AbsentDelegate()) { performPending() }
        endReceiving()
    }

    /// Delivers until there is nothing more, or until a callout changed the state: then there may be more.
    private func receiveMessages(of link: Link, _ delegate: any NotificationChannelDelegate) -> Bool {
        let generation = self.generation
        let isDirect = machine.deliversDirectly(on: link.id)
        return link.deliver { kind, message in
            switch kind {
            case .text: receive(message, isDirect, on: link, delegate)
            case .binary: receiveBinary(message, delegate)
            case .pong: break
            }
            return generation == self.generation
        }
    }

    /// One text message; almost every one goes to the delegate without asking the machine.
    @inline(__always)
    private func receive(
        _ message: Span<UInt8>, _ isDirect: Bool, on link: Link, _ delegate: any NotificationChannelDelegate
    ) {
        counters.receivedByteCount &+= message.count
        do throws(EnvelopeError) {
            let envelope = try EnvelopeScanner.scan(message)
            guard isDirect, MessageClass.isPlainNotification(envelope, in: message) else {
                return routeViaMachine(message, envelope, on: link, delegate)
            }
            counters.delivered()
            delegate.channel(self, didReceive: ChannelNotification(message, envelope: envelope))
        } catch {
            discard(message, .invalidMessage, delegate)
        }
    }

    /// All other messages: the machine decides what happens.
    @inline(never)
    private func routeViaMachine(
        _ message: Span<UInt8>, _ envelope: Envelope, on link: Link, _ delegate: any NotificationChannelDelegate
    ) {
        switch MessageClass(envelope, in: message) {
        case .notification:
            let fingerprint = machine.wantsFingerprints ? Fingerprint.of(message) : 0
            switch machine.notificationReceived(on: link.id, fingerprint: fingerprint, byteCount: message.count) {
            case .deliver:
                counters.delivered()
                delegate.channel(self, didReceive: ChannelNotification(message, envelope: envelope))
            case .hold:
                driver.held[link.id, default: []].append(message.byteArray())
            case .ignore:
                break
            }
        case let kind:
            let actions = machine.controlMessageReceived(kind, envelope, in: message, on: link.id, now: loop.now)
            guard let actions else { return discard(message, .unrecognizedMessage, delegate) }
            enqueue(actions)
        }
    }

    /// Channels do not send binary messages.
    private func receiveBinary(_ message: Span<UInt8>, _ delegate: any NotificationChannelDelegate) {
        counters.receivedByteCount &+= message.count
        discard(message, .invalidMessage, delegate)
    }

    @inline(never)
    private func discard(_ message: Span<UInt8>, _ reason: FailureReason, _ delegate: any NotificationChannelDelegate) {
        guard machine.isDelivering else { return }
        counters.discardedCount &+= 1
        delegate.channel(self, didDiscard: DiscardedMessage(reason: reason, bytes: message.byteArray()))
    }

    /// Delivers messages held until the old socket of a rollover ended; after a pause the rest waits for `resume()`.
    func releaseHeld(_ id: LinkID, evenIfPaused: Bool = false) {
        guard let messages = driver.held.removeValue(forKey: id) else { return }
        counters.readAt = loop.now.instant
        for (index, message) in messages.enumerated() {
            guard evenIfPaused || !machine.isPaused else {
                driver.held[id] = Array(messages[index...])
                return
            }
            deliverHeld(message, of: id)
        }
    }

    /// Delivers what a pause left, in the order of the links.
    func releaseLeftovers() {
        guard !driver.held.isEmpty, !machine.isPaused else { return }
        for id in driver.held.keys.sorted(by: { $0.rawValue < $1.rawValue }) where !machine.isHolding(id) {
            releaseHeld(id)
        }
    }

    private func deliverHeld(_ message: [UInt8], of link: LinkID) {
        let fingerprint = machine.wantsFingerprints ? Fingerprint.of(message.span) : 0
        guard machine.heldNotificationReleased(from: link, fingerprint: fingerprint) == .deliver else { return }
        // It was scanned on arrival: only accepted messages are held.
        guard let envelope = try? EnvelopeScanner.scan(message.span) else { return }
        counters.delivered()
        (delegate ?? AbsentDelegate()).channel(self, didReceive: ChannelNotification(message.span, envelope: envelope))
    }
}

/// Redirects at the upgrade: a link ends, and another with the same id opens at the target. The machine is not
/// notified.
extension NotificationChannel {
    /// Follows a redirect at the end of a link, if there is one and it is allowed.
    ///
    /// - Returns: whether another link is opening; if false, `failure` says why.
    func redirect(_ link: Link, _ failure: inout LinkFailure) -> Bool {
        let limit = linkOptions.configuration.maxRedirects
        guard limit > 0, case .refused(let refusal) = failure else { return false }
        var trail = driver.trails[link.id] ?? RedirectTrail(link.uri, limit: limit)
        do throws(LinkFailure) {
            guard try trail.follow(refusal) else { return false }
            let target = try linkOptions.link(along: trail, on: loop)
            driver.trails[link.id] = trail
            driver.addresses.succeeded()
            connect(link.id, to: trail.uri, target)
        } catch {
            failure = error
            return false
        }
        return true
    }
}

extension TLSConfiguration {
    /// The configuration for a server that the host did not choose: it shows no identity.
    var crossOrigin: TLSConfiguration {
        var tls = self
        tls.identity = nil
        tls.serverName = nil
        return tls
    }
}
