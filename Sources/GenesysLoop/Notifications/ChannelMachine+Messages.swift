/// Inputs from messages. The hot one is `notificationReceived`: no array, no time, no copy.
extension ChannelMachine {
    /// Whether the driver must pass fingerprints: only during an overlap and its echo.
    package var wantsFingerprints: Bool { deduplicator.isActive }

    /// Whether messages that are no notifications are still told.
    package var isDelivering: Bool {
        switch state {
        case .attempting, .live, .rollingOver, .handedOver, .draining: true
        case .idle, .waiting, .closing, .ended: false
        }
    }

    /// Whether what `link` brings must wait for the end of the old socket.
    package func isHolding(_ link: LinkID) -> Bool {
        switch state {
        case .rollingOver, .draining: candidate?.id == link
        case .idle, .waiting, .attempting, .live, .handedOver, .closing, .ended: false
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
            return admitted(fingerprint, on: .new)
        case .attempting:
            // Topics may have been set by REST: what comes before the confirmation is delivered.
            guard candidate?.id == link, candidate?.openedAt != nil else { return .ignore }
            return admitted(fingerprint, on: .new)
        case .rollingOver, .draining:
            if current?.id == link { return admitted(fingerprint, on: .old) }
            return candidate?.id == link ? hold(fingerprint, byteCount) : .ignore
        case .handedOver:
            return candidate?.id == link ? admitted(fingerprint, on: .new) : .ignore
        case .idle, .waiting, .closing, .ended:
            return .ignore
        }
    }

    /// A held notification is about to be delivered.
    package mutating func heldNotificationReleased(fingerprint: UInt64) -> Verdict {
        switch state {
        case .waiting, .attempting, .live, .rollingOver, .handedOver, .draining:
            admitted(fingerprint, on: .new)
        case .idle, .closing, .ended:
            .ignore
        }
    }

    private mutating func admitted(_ fingerprint: UInt64, on side: Deduplicator.Side) -> Verdict {
        guard deduplicator.isActive else { return .deliver }
        return deduplicator.admit(fingerprint, on: side) ? .deliver : .ignore
    }

    private mutating func hold(_ fingerprint: UInt64, _ byteCount: Int) -> Verdict {
        heldByteCount += byteCount
        // Beyond the bound nothing is lost, but the two sockets may interleave: the rest is delivered as it comes.
        guard heldByteCount > settings.maxHeldByteCount else { return .hold }
        return admitted(fingerprint, on: .new)
    }

    /// A pong answered the application ping on `link`.
    package mutating func pongReceived(on link: LinkID, now: Moment) {
        guard current?.id == link else { return }
        current?.heartbeat.pongReceived(now: now.instant)
    }

    /// A system message other than the maintenance notice arrived on `link`.
    package mutating func systemMessageReceived(
        _ topic: SystemTopic, on link: LinkID, message: String?, now: Moment
    ) -> [Action] {
        switch state {
        case .live, .attempting:
            break
        case .rollingOver, .handedOver, .draining:
            // Our own second socket makes the service say so on the first one.
            guard topic == .tokenRevoked else { return [] }
        case .idle, .waiting, .closing, .ended:
            return []
        }
        guard current?.id == link || candidate?.id == link else { return [] }
        switch topic {
        case .tokenRevoked:
            return finishAll(tokenRevokedFailure(message))
        case .noLongerSubscribed, .duplicateID:
            return takenOver(link, message, now: now)
        case .subscriptionChanged:
            return restore(link, gapFrom: nil, now: now)
        case .unknown:
            return []
        }
    }

    private mutating func takenOver(_ link: LinkID, _ message: String?, now: Moment) -> [Action] {
        guard state == .live, var record = current, record.id == link else { return [] }
        record.isTakenOver = true
        current = record
        if takeover.lossCounted(now: now.instant) {
            return finishAll(takenOverFailure(nil, message: message))
        }
        return restore(link, gapFrom: record.previouslyHeard.wall, now: now)
    }

    /// Subscribes again on a live link, unless that is under way.
    private mutating func restore(_ link: LinkID, gapFrom: WallTime?, now: Moment) -> [Action] {
        guard state == .live, let record = current, record.id == link, !topics.isEmpty else { return [] }
        let isUnderWay = record.pending.contains { command in
            if case .restore = command.purpose { return true }
            return false
        }
        return isUnderWay ? [] : command(.restore(gapFrom: gapFrom), topics, on: link, now: now)
    }

    /// Ends with every link closed in order.
    mutating func finishAll(_ failure: ChannelFailure) -> [Action] {
        let links = [current, candidate].compactMap(\.self)
        let retired: [Action] = links.map { $0.openedAt == nil ? .drop($0.id) : .retire($0.id) }
        return retired + finish(failure)
    }
}
