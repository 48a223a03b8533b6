/// Why a channel could not be opened, was lost, or could not be recovered.
///
/// `description` is one sentence that says what happened and, if there is something to do, what. It never holds the
/// channel URI, a token or a payload.
public struct ChannelFailure: Error, Hashable, Sendable {
    /// What the channel was doing, after the hierarchy of the reference package.
    public enum Kind: String, Hashable, Sendable {
        /// The first connection could not be made.
        case connection = "initialization.connection"
        /// The first connection was refused for lack of authorization (401, 403).
        case authorization = "initialization.authorization"
        /// The first subscription was refused or not confirmed.
        case subscription = "initialization.subscription"
        /// The connection was lost while receiving, and the policy does not reconnect.
        case receive
        /// The connection was lost and could not be recovered.
        case reconnect = "recovery.reconnect"
        /// The channel's life could not be extended.
        case lifetimeExtension = "recovery.lifetimeExtension"
        /// A rollover failed; the old connection continues.
        case rollover = "recovery.rollover"
    }

    /// The phase in which it failed: of a connection, or of the way to a channel over REST (`GenesysPlatform`).
    public enum Phase: String, Hashable, Sendable {
        /// Obtaining a token over REST.
        case token
        /// Making a channel and setting its topics over REST.
        case provision
        /// Resolving the host name.
        case dns
        /// Connecting over TCP.
        case connect
        /// Talking to the proxy.
        case proxy
        /// The TLS handshake.
        case tls
        /// The WebSocket upgrade (RFC 6455 §4).
        case upgrade
        /// Waiting for the service to confirm the subscription.
        case subscribe
        /// Open and confirmed.
        case open
        /// The closing handshake (RFC 6455 §7).
        case close
    }

    /// What the operating system, OpenSSL or the peer reported.
    public struct Underlying: Hashable, Sendable {
        /// The operation that failed, for example `connect` or `SSL_do_handshake`.
        public var operation: String
        /// Its number: a libuv, OpenSSL or X.509 code, or a WebSocket close code; 0 if there is none.
        public var code: Int
        /// Its text.
        public var text: String

        /// Creates the record of a lower-level error.
        public init(operation: String, code: Int, text: String) {
            self.operation = operation
            self.code = code
            self.text = text
        }
    }

    /// What the channel was doing.
    public var kind: Kind
    /// Why it failed.
    public var reason: FailureReason
    /// The phase of the connection that failed.
    public var phase: Phase
    /// What the service, another server in its place, or the proxy said; nil if nothing.
    ///
    /// For a refused upgrade or CONNECT this is an excerpt of the body, at most 1 KiB on one line: the `message` of a
    /// JSON object, the text of a page, else the body as it is. Text that repeats secret parts of the URI is left out.
    public var message: String?
    /// The `ININ-Correlation-Id` of an answer that refused the upgrade; the vendor's support finds the request by it.
    public var correlationID: String?
    /// The host in the `Location` of an answer that refused the upgrade: where a redirect leads.
    public var location: String?
    /// The HTTP status of the upgrade or of the proxy, or the `result` of a command reply.
    public var status: Int?
    /// The `Retry-After` of a 429 or 503; a date in it counts from the `Date` of the answer.
    public var retryAfter: Duration?
    /// The error below this one.
    public var underlying: Underlying?
    /// Whether a first connection is tried again after it: an unreachable network, a time-out, 429, 5xx.
    ///
    /// Not after a refusal, a violation or an untrusted certificate. `remedy` says what a host can do.
    public var isRetryable: Bool
    /// Whether the certificate (the peer's or ours) was not accepted.
    package var isCertificateFault: Bool
    /// Whether the proxy requires a user and a password, or different ones.
    package var isProxyAuthorizationFault = false
    /// The texts of the cause; nil for a failure that the channel's machine found.
    package var causeText: CauseText?

    /// What the cause of a link's failure adds to the sentence, rendered by the layer that found it.
    package struct CauseText: Hashable, Sendable {
        /// What happened, as a clause; nil where the reason says it all.
        package var clause: String?
        /// The reason of the Close frame, without secrets; empty without one.
        package var closeReason: String
        /// What to do about it, without a period; nil where the reason says it.
        package var advice: String?
    }

    /// Creates a failure.
    package init(
        kind: Kind = .connection, reason: FailureReason, phase: Phase, message: String? = nil, status: Int? = nil,
        retryAfter: Duration? = nil, underlying: Underlying? = nil, isRetryable: Bool? = nil,
        isCertificateFault: Bool = false, causeText: CauseText? = nil
    ) {
        self.kind = kind
        self.reason = reason
        self.phase = phase
        self.message = message
        self.status = status
        self.retryAfter = retryAfter
        self.underlying = underlying
        self.isRetryable = isRetryable ?? ChannelFailure.isRetryable(reason, status: status)
        self.isCertificateFault = isCertificateFault
        self.causeText = causeText
    }

    /// Creates a failure, for example for a test of a delegate.
    ///
    /// The other members can be set afterwards.
    ///
    /// - Parameters:
    ///   - kind: what the channel was doing.
    ///   - reason: why it failed.
    ///   - phase: the phase of the connection that failed.
    ///   - message: what the service, or another server, said.
    ///   - status: the HTTP status, or the `result` of a command reply.
    ///   - retryAfter: the `Retry-After` of a 429 or 503.
    ///   - underlying: the error below this one.
    ///   - isRetryable: whether it may pass by itself; nil means what the reason and the status say.
    public init(
        kind: Kind = .connection, reason: FailureReason, phase: Phase, message: String? = nil, status: Int? = nil,
        retryAfter: Duration? = nil, underlying: Underlying? = nil, isRetryable: Bool? = nil
    ) {
        self.init(
            kind: kind, reason: reason, phase: phase, message: message, status: status, retryAfter: retryAfter,
            underlying: underlying, isRetryable: isRetryable, isCertificateFault: false)
    }

    /// Creates a failure of the way to a channel, in words of the product that found it.
    ///
    /// The other members can be set afterwards.
    ///
    /// - Parameters:
    ///   - kind: what the channel was doing.
    ///   - reason: why it failed.
    ///   - phase: `token` or `provision`.
    ///   - clause: what happened, as a clause that follows a colon, without secrets.
    ///   - advice: what to do about it, without a period.
    ///   - status: the HTTP status.
    ///   - isRetryable: whether it may pass by itself.
    ///   - isCertificateFault: whether a certificate, the peer's or ours, was not accepted.
    ///   - isProxyAuthorizationFault: whether the proxy requires a user and a password, or different ones.
    public init(
        kind: Kind = .connection, reason: FailureReason, phase: Phase, clause: String, advice: String? = nil,
        status: Int? = nil, isRetryable: Bool, isCertificateFault: Bool = false, isProxyAuthorizationFault: Bool = false
    ) {
        self.init(
            kind: kind, reason: reason, phase: phase, status: status, isRetryable: isRetryable,
            isCertificateFault: isCertificateFault,
            causeText: CauseText(clause: clause, closeReason: "", advice: advice))
        self.isProxyAuthorizationFault = isProxyAuthorizationFault
    }

    private static func isRetryable(_ reason: FailureReason, status: Int?) -> Bool {
        switch reason {
        case .dns, .connect, .timeout, .httpTooManyRequests, .connectionClosed, .heartbeatLost, .channelClosing: true
        case .invalidStatusCode: (status ?? 0) >= 500
        default: false
        }
    }
}

/// Which failures may pass, and which are final (design of the channel: reconnects and first connections).
extension ChannelFailure {
    /// The same failure with another kind.
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

    /// Whether no policy tries again after a channel was confirmed: the service decided, or the next attempt would fail
    /// too.
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

    /// The text without characters that disturb a terminal or a log.
    static func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: " "
            default: scalar
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }
}

extension ChannelFailure.Kind: CustomStringConvertible {
    /// The stable name, for example `initialization.connection`.
    public var description: String { rawValue }
}

extension ChannelFailure.Underlying: CustomStringConvertible {
    /// The operation, its text, and its number where it has one.
    public var description: String {
        let parts = [operation, text].filter { !$0.isEmpty }.joined(separator: ": ")
        return ChannelFailure.printable(code == 0 ? parts : "\(parts) (\(code))")
    }
}
