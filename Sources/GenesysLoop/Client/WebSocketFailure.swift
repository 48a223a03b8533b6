/// Why a WebSocket could not be opened, or was lost.
///
/// `description` is one sentence that says what happened and, if there is something to do, what. It never holds the
/// URI, a header or a payload.
public struct WebSocketFailure: Error, Hashable, Sendable {
    /// The rendered cause: the fields and the sentence are those of a channel, except for its kind.
    private let failure: ChannelFailure

    init(_ failure: LinkFailure) {
        self.failure = ChannelFailure(failure)
    }

    /// Creates a failure, for example for a test of a delegate.
    ///
    /// - Parameters:
    ///   - reason: why it failed.
    ///   - phase: the phase of the connection in which it failed.
    ///   - message: what an answer that refused the upgrade or CONNECT says.
    ///   - status: the HTTP status of that answer.
    ///   - retryAfter: the `Retry-After` of that answer.
    ///   - correlationID: the `ININ-Correlation-Id` of that answer.
    ///   - location: the host in the `Location` of that answer.
    ///   - underlying: the error below this one.
    public init(
        reason: FailureReason, phase: ChannelFailure.Phase, message: String? = nil, status: Int? = nil,
        retryAfter: Duration? = nil, correlationID: String? = nil, location: String? = nil,
        underlying: ChannelFailure.Underlying? = nil
    ) {
        var failure = ChannelFailure(
            reason: reason, phase: phase, message: message, status: status, retryAfter: retryAfter,
            underlying: underlying)
        failure.correlationID = correlationID
        failure.location = location
        self.failure = failure
    }

    /// Why it failed: a reason of a connection, never one of a channel's service.
    ///
    /// If the peer broke a rule: `protocolViolation` (of the WebSocket protocol, or of TLS), `messageTooLarge` or
    /// `invalidHandshake` (of HTTP).
    public var reason: FailureReason { failure.reason }

    /// The phase of the connection in which it failed.
    public var phase: ChannelFailure.Phase { failure.phase }

    /// The HTTP status, if the server answered the upgrade with another status than 101, or the proxy answered CONNECT
    /// with one outside 2xx.
    public var status: Int? { failure.status }

    /// The `Retry-After` of that answer; a date in it counts from the `Date` of the answer.
    public var retryAfter: Duration? { failure.retryAfter }

    /// What that answer, or the proxy's, says about it: an excerpt of its body, at most 1 KiB on one line.
    public var message: String? { failure.message }

    /// The `ININ-Correlation-Id` of that answer.
    public var correlationID: String? { failure.correlationID }

    /// The host in the `Location` of that answer: where a redirect leads.
    public var location: String? { failure.location }

    /// The underlying error of the operating system, OpenSSL or the codec.
    ///
    /// If the peer violated the WebSocket protocol, `code` is the close code that was sent to it.
    public var underlying: ChannelFailure.Underlying? { failure.underlying }

    /// Whether the failure may pass by itself: an unreachable network, a time-out, 429, 5xx, an end of the connection.
    public var isRetryable: Bool { failure.isRetryable }
}

extension WebSocketFailure: CustomStringConvertible {
    /// One sentence, then what to do about it, if anything.
    public var description: String {
        var plain = failure
        // An HTTP status has a specific meaning only to a channel.
        if status != nil, phase == .upgrade { plain.reason = .invalidStatusCode }
        return plain.sentence(after: wasOpen ? "The WebSocket was lost: " : "The WebSocket could not be opened: ")
    }

    private var wasOpen: Bool { phase == .open || phase == .close }
}
