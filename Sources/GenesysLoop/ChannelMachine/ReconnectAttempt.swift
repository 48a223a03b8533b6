/// A reconnect attempt that is about to start.
public struct ReconnectAttempt: Hashable, Sendable {
    /// 1 for the first attempt of this outage.
    public var number: Int
    /// The time until the attempt starts.
    public var delay: Duration
    /// What made it necessary: the loss, or the failure of the previous attempt.
    public var failure: ChannelFailure

    /// Creates the announcement of an attempt.
    public init(number: Int, delay: Duration, failure: ChannelFailure) {
        self.number = number
        self.delay = delay
        self.failure = failure
    }

    /// Why it is necessary.
    public var reason: FailureReason { failure.reason }
}

extension ReconnectAttempt: CustomStringConvertible {
    /// The number, the delay in seconds, and the sentence of the failure.
    public var description: String { "Attempt \(number) starts in \(delay.secondsText) s. \(failure)" }
}
