/// Why a WebSocket could not be opened, or was lost.
///
/// `description` is one sentence that says what happened and, where there is something to do, what. It never holds the
/// URI, a header or a payload.
public struct WebSocketFailure: Error, Hashable, Sendable {
    /// The failure in the linkOptions of the transport, which channels share.
    private let failure: ChannelFailure

    init(_ failure: ChannelFailure) {
        self.failure = failure
    }

    /// Why it failed: one of the reasons of a connection, none of those of a channel's service.
    ///
    /// The peer broke a rule: `protocolViolation` (of the WebSocket protocol, or of TLS), `messageTooLarge` and
    /// `invalidHandshake` (of HTTP).
    public var reason: FailureReason { failure.reason }

    /// The phase of the connection in which it failed.
    public var phase: ChannelFailure.Phase { failure.phase }

    /// The HTTP status, when the server answered the upgrade with another one than 101, or the proxy CONNECT with none
    /// of 2xx.
    public var status: Int? { failure.status }

    /// The `Retry-After` of that answer, a date in it counted from the `Date` of the answer.
    public var retryAfter: Duration? { failure.retryAfter }

    /// What that answer, or the proxy's, says about it: an excerpt of its body, at most 1 KiB in one line.
    public var message: String? { failure.message }

    /// The `ININ-Correlation-Id` of that answer.
    public var correlationID: String? { failure.correlationID }

    /// The host in the `Location` of that answer: where a redirect leads.
    public var location: String? { failure.location }

    /// The error below this one: what the operating system, OpenSSL or the codec said.
    ///
    /// Where the peer broke a rule of the WebSocket protocol, `code` is the close code that it was sent.
    public var underlying: ChannelFailure.Underlying? { failure.underlying }

    /// Whether it may pass by itself: an unreachable network, a time-out, 429, 5xx, an end of the connection.
    public var isRetryable: Bool { failure.isRetryable }
}

extension WebSocketFailure: CustomStringConvertible {
    /// One sentence, then what to do about it where there is something to do.
    public var description: String {
        var plain = failure
        // To a channel an HTTP status says more than to any other WebSocket.
        if status != nil, phase == .upgrade { plain.reason = .invalidStatusCode }
        return plain.sentence(after: wasOpen ? "The WebSocket was lost: " : "The WebSocket could not be opened: ")
    }

    private var wasOpen: Bool { phase == .open || phase == .close }
}
