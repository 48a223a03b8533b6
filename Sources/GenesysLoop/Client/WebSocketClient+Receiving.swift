internal import Logging

/// Takes messages from the link to the delegate.
extension WebSocketClient {
    func linkDidOpen(_ link: Link) {
        driver.subprotocol = link.subprotocol
        driver.isCompressed = link.isCompressed
        enqueue(machine.linkOpened())
        performPending()
        adjustReading(of: link)
        // The timer is set when this read is over.
        schedule()
    }

    func link(_ link: Link, didEnd failure: LinkFailure) {
        driver.failure = failure
        if machine.state == .connecting, redirect(failure) { return }
        if let frame = failure.closeFrame {
            enqueue(machine.linkEnded(.closed(frame.code, reason: frame.reason)))
        } else {
            enqueue(machine.linkEnded(.failed))
        }
        advance()
    }

    func linkDidFinish(_ link: Link) {
        core.links.removeAll { $0 === link }
        while let completion = link.sends.popDone(at: 0) { completion(nil) }
        let failure = driver.failure ?? .abandoned
        while let completion = link.sends.popFirst() { completion(failure) }
        if driver.isRedirected {
            driver.isRedirected = false
            enqueue(machine.linkRedirected())
        }
        advance()
    }

    func linkDidReceive(_ link: Link, isDrained: Bool) {
        beginReceiving()
        while receiveMessages(of: link, weakDelegate ?? AbsentSocketDelegate()) {
            performPending()
            adjustReading(of: link)
        }
        endReceiving()
    }

    /// Delivers until there is nothing more, or until a callout changed the state: then there may be more.
    private func receiveMessages(of link: Link, _ delegate: any WebSocketClientDelegate) -> Bool {
        guard machine.isDelivering else {
            link.discardInput()
            return false
        }
        let generation = self.generation
        return link.deliver { kind, message in
            switch kind {
            case .text: delegate.webSocket(self, didReceiveText: message)
            case .binary: delegate.webSocket(self, didReceiveBinary: message)
            case .pong: delegate.webSocket(self, didReceivePong: message)
            }
            return generation == self.generation
        }
    }
}

/// Redirects at the upgrade: the link ends, and another one opens at the target.
extension WebSocketClient {
    /// Follows a redirect at the end of a link, if there is one.
    ///
    /// - Returns: whether another link will follow; if false, `driver.failure` says why.
    func redirect(_ failure: LinkFailure) -> Bool {
        guard case .refused(let refusal) = failure else { return false }
        let former = driver.trail
        do throws(LinkFailure) {
            guard try driver.trail.follow(refusal) else { return false }
            driver.context = try context(for: driver.trail)
            _ = try driver.proxy?.check(driver.uri)
        } catch {
            driver.failure = error
            return false
        }
        configuration.logger.debug("redirected by \(former.uri.redacted) to \(driver.uri.redacted)")
        driver.isRedirected = true
        return true
    }

    /// The TLS context for the target of the trail.
    private func context(for trail: RedirectTrail) throws(LinkFailure) -> TLSContext? {
        guard trail.uri.isSecure else { return nil }
        let tls = trail.hasLeftOrigin ? configuration.tls.crossOrigin : configuration.tls
        return try loop.sharedContext(checking: tls, logger: configuration.logger)
    }
}
