import ArgumentParser
import GenesysLoop

/// The tool's exit statuses, with the numbers of `sysexits.h`. Other programs rely on them.
enum ExitStatus: Int32 {
    /// Done, or interrupted and closed cleanly.
    case success = 0
    /// Wrong usage: an invalid or missing argument, a file that cannot be used.
    case usage = 64
    /// The channel is gone, or belongs to another client: a new one is needed.
    case channelGone = 66
    /// The connection could not be made or recovered.
    case unavailable = 69
    /// Standard output could not be written.
    case outputFailed = 74
    /// The peer broke the protocol.
    case protocolBroken = 76
    /// Authorization refused, or a certificate not trusted.
    case notPermitted = 77
    /// The service refused the subscription.
    case refused = 78

    /// The status for a channel's failure.
    init(_ failure: ChannelFailure) {
        let isRefusal = failure.isCertificateFault || failure.isProxyAuthorizationFault
        self = isRefusal ? .notPermitted : ExitStatus(failure.reason, status: failure.status)
    }

    private init(_ reason: FailureReason, status: Int?) {
        switch reason {
        case .httpUnauthorized, .httpForbidden, .tokenRevoked, .tlsExpired, .tlsNotYetValid, .tlsHostMismatch,
            .tlsUnknownIssuer, .tlsSelfSigned, .tlsPinMismatch, .tlsClientCertificate:
            self = .notPermitted
        case .proxy where status == 407:
            self = .notPermitted
        case .invalidHandshake, .protocolViolation, .messageTooLarge, .invalidMessage, .unrecognizedMessage:
            self = .protocolBroken
        case .subscriptionRefused:
            self = .refused
        case .httpNotFound, .channelExpired, .channelTakenOver:
            self = .channelGone
        case .invalidURI:
            self = .usage
        default:
            // dns, connect, timeout, proxy, tlsHandshake, the other HTTP statuses, subscriptionTimeout, and the ends of
            // a confirmed connection: closed, heartbeat lost.
            self = .unavailable
        }
    }

    /// Ends the command with this status.
    func end() throws {
        guard self != .success else { return }
        throw ExitCode(rawValue)
    }
}
