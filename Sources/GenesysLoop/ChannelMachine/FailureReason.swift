/// Why a channel, an attempt or a message failed.
///
/// A struct of statics rather than an enum, so that a later version can add a reason without breaking a `switch`. The
/// raw strings are a closed list shared with the tool's `--events` lines.
public struct FailureReason: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The stable name of the reason.
    public let rawValue: String

    /// Wraps a stable name.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The stable name.
    public var description: String { rawValue }

    /// The host name could not be resolved.
    public static let dns = FailureReason(rawValue: "dns")
    /// No TCP connection: refused, unreachable, reset.
    public static let connect = FailureReason(rawValue: "connect")
    /// A phase took longer than its deadline; `ChannelFailure.phase` names it.
    public static let timeout = FailureReason(rawValue: "timeout")
    /// The proxy refused the connection or ended it.
    public static let proxy = FailureReason(rawValue: "proxy")
    /// A certificate of the chain has expired.
    public static let tlsExpired = FailureReason(rawValue: "tlsExpired")
    /// A certificate of the chain is not valid yet.
    public static let tlsNotYetValid = FailureReason(rawValue: "tlsNotYetValid")
    /// The certificate does not name the host.
    public static let tlsHostMismatch = FailureReason(rawValue: "tlsHostMismatch")
    /// No trusted authority issued the certificate.
    public static let tlsUnknownIssuer = FailureReason(rawValue: "tlsUnknownIssuer")
    /// The certificate is signed by its own, untrusted key.
    public static let tlsSelfSigned = FailureReason(rawValue: "tlsSelfSigned")
    /// No certificate of the chain matches a configured pin.
    public static let tlsPinMismatch = FailureReason(rawValue: "tlsPinMismatch")
    /// The peer wants a client certificate, or refused ours.
    public static let tlsClientCertificate = FailureReason(rawValue: "tlsClientCertificate")
    /// The TLS handshake failed for another reason.
    public static let tlsHandshake = FailureReason(rawValue: "tlsHandshake")
    /// 401, at the upgrade or in a command reply.
    public static let httpUnauthorized = FailureReason(rawValue: "httpUnauthorized")
    /// 403, at the upgrade or in a command reply.
    public static let httpForbidden = FailureReason(rawValue: "httpForbidden")
    /// 404: the channel is gone (expired, evicted, or its token expired).
    public static let httpNotFound = FailureReason(rawValue: "httpNotFound")
    /// 429: too many requests.
    public static let httpTooManyRequests = FailureReason(rawValue: "httpTooManyRequests")
    /// An HTTP status other than 101 and the ones above at the upgrade.
    public static let invalidStatusCode = FailureReason(rawValue: "invalidStatusCode")
    /// The upgrade response breaks HTTP or RFC 6455 §4.
    public static let invalidHandshake = FailureReason(rawValue: "invalidHandshake")
    /// The URI is not a usable `ws:` or `wss:` URI.
    public static let invalidURI = FailureReason(rawValue: "invalidURI")
    /// A message that is not a JSON object in a text frame.
    public static let invalidMessage = FailureReason(rawValue: "invalidMessage")
    /// A JSON object that is neither a notification nor a known reply or system message.
    public static let unrecognizedMessage = FailureReason(rawValue: "unrecognizedMessage")
    /// The peer ended the connection.
    public static let connectionClosed = FailureReason(rawValue: "connectionClosed")
    /// Nothing arrived for the watchdog's time, and its ping was not answered.
    public static let heartbeatLost = FailureReason(rawValue: "heartbeatLost")
    /// The channel's life ended and could not be extended.
    public static let channelExpired = FailureReason(rawValue: "channelExpired")
    /// The service closes the socket for maintenance.
    public static let channelClosing = FailureReason(rawValue: "channelClosing")
    /// Another client uses the same channel.
    public static let channelTakenOver = FailureReason(rawValue: "channelTakenOver")
    /// The service refused the subscription.
    public static let subscriptionRefused = FailureReason(rawValue: "subscriptionRefused")
    /// The service did not answer the subscription in time.
    public static let subscriptionTimeout = FailureReason(rawValue: "subscriptionTimeout")
    /// A message exceeded `maxMessageSize`.
    public static let messageTooLarge = FailureReason(rawValue: "messageTooLarge")
    /// The peer broke a rule of TLS or of the WebSocket protocol.
    public static let protocolViolation = FailureReason(rawValue: "protocolViolation")
    /// The tokens of the channel's user were revoked.
    public static let tokenRevoked = FailureReason(rawValue: "tokenRevoked")
    /// The reason could not be determined.
    public static let ambiguous = FailureReason(rawValue: "ambiguous")
}
