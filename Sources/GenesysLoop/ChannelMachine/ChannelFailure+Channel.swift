/// The failures that the channel's machine finds itself.
extension ChannelFailure {
    /// The service refused a command.
    init(refusal reply: CommandReply) {
        let reason: FailureReason =
            switch reply.status {
            case 401: .httpUnauthorized
            case 403: .httpForbidden
            case 404: .httpNotFound
            default: .subscriptionRefused
            }
        self.init(
            kind: .subscription, reason: reason, phase: .subscribe,
            message: reply.message.map { String($0.prefix(500)) },
            status: reply.status)
    }

    /// The service did not answer a command.
    static var unansweredCommand: ChannelFailure {
        ChannelFailure(kind: .subscription, reason: .subscriptionTimeout, phase: .subscribe)
    }

    /// The link is silent, and its ping was not answered.
    static var heartbeatLost: ChannelFailure {
        ChannelFailure(kind: .receive, reason: .heartbeatLost, phase: .open)
    }

    /// Another client has taken the channel, or keeps taking it.
    static func takenOver(
        _ policy: TakeoverPolicy, _ end: ChannelFailure?, message: String? = nil
    ) -> ChannelFailure {
        ChannelFailure(
            kind: policy == .yield ? .receive : .reconnect, reason: .channelTakenOver, phase: .open,
            message: message ?? end?.message,
            underlying: end?.underlying, causeText: end?.causeText)
    }
}

extension LinkEnd {
    /// Close codes with which a service announces that it may soon be back (RFC 6455 §7.4.1, IANA registry).
    private static let passingCloseCodes: Set<UInt16> = [1001, 1012, 1013]

    /// Why an attempt failed.
    ///
    /// A link that opened was waiting for its confirmation. Before the first confirmation a Close frame is an answer,
    /// and only some codes mean that the failure may pass.
    func attemptFailure(of link: LinkRecord, isFirst: Bool) -> ChannelFailure {
        var failure = failure
        if link.openedAt != nil, failure.phase == .open { failure.phase = .subscribe }
        if isFirst, let closeCode, !LinkEnd.passingCloseCodes.contains(closeCode) { failure.isRetryable = false }
        return failure
    }

    /// Why a confirmed link was lost.
    func lossFailure(of link: LinkRecord) -> ChannelFailure {
        var failure = failure.asKind(.receive)
        if link.isClosingSoon, failure.reason == .connectionClosed { failure.reason = .channelClosing }
        return failure
    }

    /// Whether another client on the same channel may have caused it: a Close frame soon after a confirmation.
    func isTakeover(of link: LinkRecord, now: ClockReading) -> Bool {
        guard let confirmedAt = link.confirmedAt, let closeCode else { return false }
        return closeCode != 1012 && closeCode != 1013 && !link.isClosingSoon && !link.isTakenOver
            && now.instant - confirmedAt.instant <= Takeover.suspicion
    }
}

extension Gap {
    /// From the last moment at which everything is known to have arrived until `now`.
    ///
    /// If the civil clock was set back in the meantime, the elapsed monotonic time counts.
    init(from: ClockReading, until now: ClockReading, reason: FailureReason) {
        let passed = now.instant - from.instant
        self.init(from: min(from.wall, now.wall + (.zero - passed)), to: now.wall, reason: reason)
    }
}
