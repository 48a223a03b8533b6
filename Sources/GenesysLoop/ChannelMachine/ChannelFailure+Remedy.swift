/// What can be done about a failure, and the exit status of the tool: one table for both.
extension ChannelFailure {
    /// What can be done about a failure.
    public enum Remedy: String, Hashable, Sendable, CaseIterable {
        /// Open a channel again after a while: the failure may pass by itself.
        case retryLater
        /// Create a new channel over REST: this one is gone, or another client uses it.
        case newChannel
        /// Get a new token, and create a new channel with it.
        case newToken
        /// Change what the host chose: the URI, the topics or their permissions, trust, identity, proxy or limits.
        case fixConfiguration
        /// Tell those who run the server, or what stands before it.
        case reportToPeer
    }

    /// What can be done about it. `description` says it in words.
    public var remedy: Remedy { consequence.remedy }

    /// What a failure means for the host and for a program that ends with it.
    package struct Consequence: Equatable, Sendable {
        package let remedy: Remedy
        package let exitStatus: ExitStatus

        fileprivate init(_ remedy: Remedy, _ exitStatus: ExitStatus) {
            self.remedy = remedy
            self.exitStatus = exitStatus
        }

        /// That of `ambiguous`, and of a reason that the table does not have.
        fileprivate static let ambiguous = Consequence(.reportToPeer, .unavailable)
    }

    /// The row of its reason, unless the failure says more than the reason.
    package var consequence: Consequence {
        if isCertificateFault || isProxyAuthorizationFault || (reason == .proxy && status == 407) {
            return Consequence(.fixConfiguration, .notPermitted)
        }
        let row = ChannelFailure.consequences[reason] ?? .ambiguous
        switch reason {
        case .httpForbidden where phase == .subscribe:
            // The topics need permissions, which a new token would not have either.
            return Consequence(.fixConfiguration, row.exitStatus)
        case .httpNotFound where phase == .provision, .channelExpired where phase == .provision,
            .channelTakenOver where phase == .provision:
            // Another channel was made in its place, and is gone too.
            return Consequence(.retryLater, .unavailable)
        case .dns, .connect, .proxy, .invalidStatusCode, .connectionClosed:
            return isRetryable ? Consequence(.retryLater, row.exitStatus) : row
        default:
            return row
        }
    }

    /// One row for each reason. Those of `dns`, `connect`, `proxy`, `invalidStatusCode` and `connectionClosed` are for
    /// failures that do not pass by themselves.
    private static let consequences: [FailureReason: Consequence] = [
        .dns: Consequence(.fixConfiguration, .unavailable),
        .connect: Consequence(.fixConfiguration, .unavailable),
        .timeout: Consequence(.retryLater, .unavailable),
        .proxy: Consequence(.fixConfiguration, .unavailable),
        .tlsExpired: Consequence(.fixConfiguration, .notPermitted),
        .tlsNotYetValid: Consequence(.fixConfiguration, .notPermitted),
        .tlsHostMismatch: Consequence(.fixConfiguration, .notPermitted),
        .tlsUnknownIssuer: Consequence(.fixConfiguration, .notPermitted),
        .tlsSelfSigned: Consequence(.fixConfiguration, .notPermitted),
        .tlsPinMismatch: Consequence(.fixConfiguration, .notPermitted),
        .tlsClientCertificate: Consequence(.fixConfiguration, .notPermitted),
        .tlsHandshake: Consequence(.fixConfiguration, .unavailable),
        .httpUnauthorized: Consequence(.newToken, .notPermitted),
        .httpForbidden: Consequence(.newToken, .notPermitted),
        .httpNotFound: Consequence(.newChannel, .channelGone),
        .httpTooManyRequests: Consequence(.retryLater, .unavailable),
        .invalidStatusCode: Consequence(.fixConfiguration, .unavailable),
        .invalidHandshake: Consequence(.reportToPeer, .protocolBroken),
        .invalidURI: Consequence(.fixConfiguration, .usage),
        .invalidMessage: Consequence(.reportToPeer, .protocolBroken),
        .unrecognizedMessage: Consequence(.reportToPeer, .protocolBroken),
        .connectionClosed: Consequence(.reportToPeer, .unavailable),
        .heartbeatLost: Consequence(.retryLater, .unavailable),
        .channelExpired: Consequence(.newChannel, .channelGone),
        .channelClosing: Consequence(.retryLater, .unavailable),
        .channelTakenOver: Consequence(.newChannel, .channelGone),
        .subscriptionRefused: Consequence(.fixConfiguration, .refused),
        .subscriptionTimeout: Consequence(.retryLater, .unavailable),
        .messageTooLarge: Consequence(.fixConfiguration, .protocolBroken),
        .protocolViolation: Consequence(.reportToPeer, .protocolBroken),
        .tokenRevoked: Consequence(.newToken, .notPermitted),
        .ambiguous: .ambiguous,
    ]
}
