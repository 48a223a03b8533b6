/// The way of a message from a link to the delegate.
extension Channel: LinkOwner {
    private enum Progress {
        case needMore
        case reload
    }

    package func linkDidOpen(_ link: Link) {
        enqueue(machine.linkOpened(link.id, now: loop.now))
        performPending()
        // The timer is set when this read is over.
        loop.schedule(self)
    }

    package func linkDidChangeDeadline(_ link: Link) {
        // An advance under way sets the timer at its end.
        if !driver.isAdvancing { setTimer() }
    }

    package func linkDidDrain(_ link: Link) {}

    package func link(_ link: Link, didEnd end: LinkEnd) {
        enqueue(machine.linkEnded(link.id, end, now: loop.now))
        advance()
    }

    package func linkDidFinish(_ link: Link) {
        driver.links.removeAll { $0 === link }
        advance()
    }

    package func linkDidReceive(_ link: Link) {
        guard !link.isWindingDown else { return link.discardInput() }
        let now = loop.now
        tally.readAt = now.instant
        machine.bytesReceived(on: link.id, isDrained: link.isDrained, now: now)
        while true {
            let progress = drain(link, to: delegate ?? AbsentDelegate())
            performPending()
            guard progress == .reload, !link.isPaused, link.phase == .open || link.phase == .closing else { break }
        }
        advance()
    }

    /// Delivers until there is nothing more, or until a callout changed the world.
    private func drain(_ link: Link, to delegate: any ChannelDelegate) -> Progress {
        let generation = self.generation
        let isDirect = machine.deliversDirectly(on: link.id)
        return link.withStream { stream in
            while true {
                switch link.nextEvent(from: &stream) {
                case .needMore:
                    return .needMore
                case .message(.text, let range) where isDirect:
                    receiveDirectly(stream.payload(range), on: link, delegate)
                case .message(let kind, let range):
                    receive(stream.payload(range), kind, on: link, delegate)
                case .assembledMessage(let kind):
                    let message = stream.takeMessage()
                    receive(message.span, kind, on: link, delegate)
                    stream.recycle(consume message)
                case .pong:
                    break
                }
                if generation != self.generation { return .reload }
            }
        }
    }

    /// The short way of nearly every message: the machine need not be asked about it.
    @inline(__always)
    private func receiveDirectly(_ message: Span<UInt8>, on link: Link, _ delegate: any ChannelDelegate) {
        do throws(EnvelopeError) {
            let envelope = try EnvelopeScanner.scan(message)
            guard MessageClass.isPlainNotification(envelope, in: message) else {
                return receive(message, .text, on: link, delegate)
            }
            tally.receivedByteCount &+= message.count
            tally.delivered()
            delegate.channel(self, didReceive: ChannelNotification(message, envelope: envelope))
        } catch {
            receive(message, .text, on: link, delegate)
        }
    }

    @inline(never)
    private func receive(
        _ message: Span<UInt8>, _ kind: MessageKind, on link: Link, _ delegate: any ChannelDelegate
    ) {
        tally.receivedByteCount &+= message.count
        guard kind == .text else { return discard(message, .invalidMessage, delegate) }
        do throws(EnvelopeError) {
            let envelope = try EnvelopeScanner.scan(message)
            switch MessageClass(envelope, in: message) {
            case .notification:
                let fingerprint = machine.wantsFingerprints ? Fingerprint.of(message) : 0
                switch machine.notificationReceived(
                    on: link.id, fingerprint: fingerprint, byteCount: message.count)
                {
                case .deliver:
                    tally.delivered()
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
        } catch {
            discard(message, .invalidMessage, delegate)
        }
    }

    private func discard(_ message: Span<UInt8>, _ reason: FailureReason, _ delegate: any ChannelDelegate) {
        guard machine.isDelivering else { return }
        tally.discardedCount &+= 1
        delegate.channel(self, didDiscard: DiscardedMessage(reason: reason, bytes: message.byteArray()))
    }

    /// Delivers what was held until the old socket of a rollover ended; what a pause leaves waits for `resume()`.
    func releaseHeld(_ id: LinkID, evenIfPaused: Bool = false) {
        guard let messages = driver.held.removeValue(forKey: id) else { return }
        tally.readAt = loop.now.instant
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
        // It was scanned when it arrived: only what the scanner accepted is held.
        guard let envelope = try? EnvelopeScanner.scan(message.span) else { return }
        tally.delivered()
        (delegate ?? AbsentDelegate()).channel(self, didReceive: ChannelNotification(message.span, envelope: envelope))
    }
}
