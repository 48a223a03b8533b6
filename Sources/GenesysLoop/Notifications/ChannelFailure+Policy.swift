/// Which failures may pass, and which are decisions (design of the channel: reconnects and first connections).
extension ChannelFailure {
    /// The same failure, seen from what the channel was doing.
    package func asKind(_ kind: Kind) -> ChannelFailure {
        var failure = self
        failure.kind = kind
        return failure
    }

    /// Its kind when the first connection fails with it.
    package var initializationKind: Kind {
        switch reason {
        case .httpUnauthorized, .httpForbidden: .authorization
        case .subscriptionRefused, .subscriptionTimeout: .subscription
        case .httpNotFound where phase == .subscribe: .subscription
        default: .connection
        }
    }

    /// Whether no policy tries again once a channel was confirmed: the service decided, or an attempt would meet the same.
    package var isFinalOnReconnect: Bool {
        if isCertificateFault { return true }
        switch reason {
        case .httpUnauthorized, .httpForbidden, .httpNotFound, .subscriptionRefused, .tokenRevoked, .messageTooLarge,
            .channelTakenOver, .channelExpired, .invalidURI:
            return true
        default:
            return false
        }
    }
}

extension ChannelMachine {
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
            underlying: end?.underlying)
    }

    func tokenRevokedFailure(_ message: String?) -> ChannelFailure {
        ChannelFailure(
            kind: isEverConfirmed ? .receive : .authorization, reason: .tokenRevoked,
            phase: isEverConfirmed ? .open : .subscribe, message: message.map { String($0.prefix(500)) })
    }

    func expiredFailure(_ end: ChannelFailure) -> ChannelFailure {
        ChannelFailure(
            kind: settings.extendsLifetime ? .lifetimeExtension : .receive, reason: .channelExpired, phase: .open,
            message: end.message, underlying: end.underlying)
    }
}
