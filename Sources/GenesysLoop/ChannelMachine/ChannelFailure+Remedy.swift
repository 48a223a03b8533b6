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
        /// A number of `sysexits.h`.
        package let exitStatus: Int32

        fileprivate init(_ remedy: Remedy, _ exitStatus: Int32) {
            self.remedy = remedy
            self.exitStatus = exitStatus
        }

        /// That of `ambiguous`, and of a reason that the table does not have.
        fileprivate static let ambiguous = Consequence(.reportToPeer, 69)
    }

    /// The row of its reason, unless the failure says more than the reason.
    package var consequence: Consequence {
        if isCertificateFault || isProxyAuthorizationFault || (reason == .proxy && status == 407) {
            return Consequence(.fixConfiguration, 77)
        }
        let row = ChannelFailure.consequences[reason] ?? .ambiguous
        switch reason {
        case .httpForbidden where phase == .subscribe:
            // The topics need permissions, which a new token would not have either.
            return Consequence(.fixConfiguration, row.exitStatus)
        case .dns, .connect, .proxy, .invalidStatusCode, .connectionClosed:
            return isRetryable ? Consequence(.retryLater, row.exitStatus) : row
        default:
            return row
        }
    }

    /// One row for each reason. Those of `dns`, `connect`, `proxy`, `invalidStatusCode` and `connectionClosed` are for
    /// failures that do not pass by themselves.
    private static let consequences: [FailureReason: Consequence] = [
        .dns: Consequence(.fixConfiguration, 69),
        .connect: Consequence(.fixConfiguration, 69),
        .timeout: Consequence(.retryLater, 69),
        .proxy: Consequence(.fixConfiguration, 69),
        .tlsExpired: Consequence(.fixConfiguration, 77),
        .tlsNotYetValid: Consequence(.fixConfiguration, 77),
        .tlsHostMismatch: Consequence(.fixConfiguration, 77),
        .tlsUnknownIssuer: Consequence(.fixConfiguration, 77),
        .tlsSelfSigned: Consequence(.fixConfiguration, 77),
        .tlsPinMismatch: Consequence(.fixConfiguration, 77),
        .tlsClientCertificate: Consequence(.fixConfiguration, 77),
        .tlsHandshake: Consequence(.fixConfiguration, 69),
        .httpUnauthorized: Consequence(.newToken, 77),
        .httpForbidden: Consequence(.newToken, 77),
        .httpNotFound: Consequence(.newChannel, 66),
        .httpTooManyRequests: Consequence(.retryLater, 69),
        .invalidStatusCode: Consequence(.fixConfiguration, 69),
        .invalidHandshake: Consequence(.reportToPeer, 76),
        .invalidURI: Consequence(.fixConfiguration, 64),
        .invalidMessage: Consequence(.reportToPeer, 76),
        .unrecognizedMessage: Consequence(.reportToPeer, 76),
        .connectionClosed: Consequence(.reportToPeer, 69),
        .heartbeatLost: Consequence(.retryLater, 69),
        .channelExpired: Consequence(.newChannel, 66),
        .channelClosing: Consequence(.retryLater, 69),
        .channelTakenOver: Consequence(.newChannel, 66),
        .subscriptionRefused: Consequence(.fixConfiguration, 78),
        .subscriptionTimeout: Consequence(.retryLater, 69),
        .messageTooLarge: Consequence(.fixConfiguration, 76),
        .protocolViolation: Consequence(.reportToPeer, 76),
        .tokenRevoked: Consequence(.newToken, 77),
        .ambiguous: .ambiguous,
    ]
}
