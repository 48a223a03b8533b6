/// Judges ends and replies; nothing here changes the machine.
extension ChannelMachine {
    /// Close codes with which a service announces that it may soon be back (RFC 6455 §7.4.1, IANA registry).
    static let passingCloseCodes: Set<UInt16> = [1001, 1012, 1013]

    /// Why an attempt failed.
    ///
    /// A link that opened was waiting for its confirmation. Before the first confirmation a Close frame is an answer,
    /// and only some codes mean that the failure may pass.
    func attemptFailure(_ end: LinkEnd, _ link: LinkRecord) -> ChannelFailure {
        var failure = end.failure
        if link.openedAt != nil, failure.phase == .open { failure.phase = .subscribe }
        if !isEverConfirmed, let code = end.closeCode, !ChannelMachine.passingCloseCodes.contains(code) {
            failure.isRetryable = false
        }
        return failure
    }

    func lossFailure(_ end: LinkEnd, _ link: LinkRecord) -> ChannelFailure {
        var failure = end.failure.asKind(.receive)
        if link.isClosingSoon, failure.reason == .connectionClosed { failure.reason = .channelClosing }
        return failure
    }

    /// A Close frame soon after a confirmation looks like another client on the same channel.
    func isTakeover(_ end: LinkEnd, _ link: LinkRecord, now: ClockReading) -> Bool {
        guard let confirmedAt = link.confirmedAt, let code = end.closeCode else { return false }
        return code != 1012 && code != 1013 && !link.isClosingSoon && !link.isTakenOver
            && now.instant - confirmedAt.instant <= Takeover.suspicion
    }

    /// Reports that notifications may have been missed from `from` until now.
    ///
    /// If the civil clock was set back in the meantime, the elapsed monotonic time counts.
    func gapAction(from: ClockReading?, now: ClockReading, reason: FailureReason) -> [Action] {
        guard let from else { return [] }
        let passed = now.instant - from.instant
        let start = min(from.wall, now.wall + (.zero - passed))
        return [.tell(.didMiss(Gap(from: start, to: now.wall, reason: reason)))]
    }

    func commandFailure(_ reply: CommandReply) -> ChannelFailure {
        let reason: FailureReason
        switch reply.status {
        case 401: reason = .httpUnauthorized
        case 403: reason = .httpForbidden
        case 404: reason = .httpNotFound
        default: reason = .subscriptionRefused
        }
        return ChannelFailure(
            kind: .subscription, reason: reason, phase: .subscribe,
            message: reply.message.map { String($0.prefix(500)) },
            status: reply.status)
    }

    func unansweredFailure() -> ChannelFailure {
        ChannelFailure(kind: .subscription, reason: .subscriptionTimeout, phase: .subscribe)
    }

    func heartbeatFailure() -> ChannelFailure {
        ChannelFailure(kind: .receive, reason: .heartbeatLost, phase: .open)
    }

    func takenOverFailure(_ end: ChannelFailure?, message: String? = nil) -> ChannelFailure {
        ChannelFailure(
            kind: .reconnect, reason: .channelTakenOver, phase: .open, message: message ?? end?.message,
            underlying: end?.underlying, causeText: end?.causeText)
    }

    func tokenRevokedFailure(_ message: String?) -> ChannelFailure {
        let kind: ChannelFailure.Kind = isEverConfirmed ? current == nil ? .reconnect : .receive : .authorization
        return ChannelFailure(
            kind: kind, reason: .tokenRevoked, phase: current == nil ? .subscribe : .open,
            message: message.map { String($0.prefix(500)) })
    }

    func expiredFailure(_ end: ChannelFailure) -> ChannelFailure {
        ChannelFailure(
            kind: settings.extendsLifetime ? .lifetimeExtension : .receive, reason: .channelExpired, phase: .open,
            message: end.message, underlying: end.underlying, causeText: end.causeText)
    }
}
