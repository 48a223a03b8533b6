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
        if isCertificateFault || isProxyAuthorizationFault { return true }
        switch reason {
        case .httpUnauthorized, .httpForbidden, .httpNotFound, .subscriptionRefused, .tokenRevoked, .messageTooLarge,
            .channelTakenOver, .channelExpired, .invalidURI:
            return true
        default:
            return false
        }
    }
}
