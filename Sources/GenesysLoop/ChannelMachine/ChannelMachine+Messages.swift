/// Inputs from messages. `notificationReceived` is on the hot path: no array, no time, no copy.
extension ChannelMachine {
    /// Whether the driver must pass fingerprints: only during an overlap and its echo.
    package var wantsFingerprints: Bool { deduplicator.isActive }

    /// Whether messages other than notifications are still reported.
    package var isDelivering: Bool {
        switch state {
        case .attempting, .live, .rollingOver, .handedOver, .draining: true
        case .idle, .waiting, .closing, .ended: false
        }
    }

    /// Whether messages on `link` must wait for the end of the old socket.
    package func isHolding(_ link: LinkID) -> Bool {
        guard !leftBehind.links.contains(link) else { return true }
        return switch state {
        case .rollingOver, .draining: candidate?.id == link
        case .idle, .waiting, .attempting, .live, .handedOver, .closing, .ended: false
        }
    }

    /// Whether every notification on `link` is delivered immediately, until the machine gets another input.
    package func deliversDirectly(on link: LinkID) -> Bool {
        switch state {
        case .live: current?.id == link && !deduplicator.isActive
        case .idle, .waiting, .attempting, .rollingOver, .handedOver, .draining, .closing, .ended: false
        }
    }

    /// A notification arrived on `link`.
    ///
    /// - Parameters:
    ///   - fingerprint: of its bytes, where `wantsFingerprints`; otherwise any number.
    ///   - byteCount: of the message.
    package mutating func notificationReceived(
        on link: LinkID, fingerprint: UInt64, byteCount: Int
    ) -> Verdict {
        switch state {
        case .live:
            guard current?.id == link else { return .ignore }
            return admitted(fingerprint, from: link)
        case .attempting:
            // Topics may have been set over REST, so notifications before the confirmation are delivered.
            guard candidate?.id == link, candidate?.openedAt != nil else { return .ignore }
            return admitted(fingerprint, from: link)
        case .rollingOver, .draining:
            if current?.id == link { return admitted(fingerprint, from: link) }
            return candidate?.id == link ? hold(fingerprint, byteCount, from: link) : .ignore
        case .handedOver:
            return candidate?.id == link ? admitted(fingerprint, from: link) : .ignore
        case .idle, .waiting, .closing, .ended:
            return .ignore
        }
    }

    /// A notification that was held for `link` is about to be delivered.
    ///
    /// The link itself may have ended, and a failed channel still delivers what it held.
    package mutating func heldNotificationReleased(from link: LinkID, fingerprint: UInt64) -> Verdict {
        switch state {
        case .waiting, .attempting, .live, .rollingOver, .handedOver, .draining:
            admitted(fingerprint, from: link)
        case .ended:
            isSilent ? .ignore : admitted(fingerprint, from: link)
        case .idle, .closing:
            .ignore
        }
    }

    private mutating func admitted(_ fingerprint: UInt64, from link: LinkID) -> Verdict {
        guard deduplicator.isActive else { return .deliver }
        return deduplicator.admit(fingerprint, from: link, keeping: current?.id) ? .deliver : .ignore
    }

    private mutating func hold(_ fingerprint: UInt64, _ byteCount: Int, from link: LinkID) -> Verdict {
        heldByteCount += byteCount
        // Beyond the limit nothing is lost, but the two sockets may interleave: the rest is delivered immediately.
        guard heldByteCount > settings.maxHeldByteCount else { return .hold }
        return admitted(fingerprint, from: link)
    }

    /// A message other than a notification arrived on `link`.
    ///
    /// - Parameters:
    ///   - kind: the class of `message`.
    ///   - envelope: the result of scanning it.
    /// - Returns: the actions; nil if the message means nothing to a channel, which is reported to the host.
    package mutating func controlMessageReceived(
        _ kind: MessageClass, _ envelope: Envelope, in message: Span<UInt8>, on link: LinkID, now: ClockReading
    ) -> [Action]? {
        switch kind {
        case .notification, .unrecognized, .system(.unknown):
            return nil
        case .heartbeat:
            return []
        case .pong:
            pongReceived(on: link, now: now)
            return []
        case .socketClosing:
            return socketClosingReceived(on: link, now: now)
        case .reply(let reply):
            return replyReceived(reply, on: link, now: now)
        case .system(let topic):
            let text = envelope.members(of: envelope.eventBody, in: message).message?.string(in: message)
            return systemMessageReceived(topic, on: link, message: text, now: now)
        }
    }

    /// A pong answered the application ping on `link`.
    package mutating func pongReceived(on link: LinkID, now: ClockReading) {
        guard current?.id == link else { return }
        current?.heartbeat.pongReceived(now: now.instant)
        guard let count = current?.unansweredPingCount, count > 0 else { return }
        current?.unansweredPingCount = count - 1
        if case .draining = state, count == 1 { current?.isProven = true }
    }
}
