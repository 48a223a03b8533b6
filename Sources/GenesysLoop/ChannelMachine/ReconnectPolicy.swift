/// What a channel does about a loss.
public enum ReconnectPolicy: Hashable, Sendable {
    /// Nothing: a loss ends the channel.
    case never
    /// One attempt for each outage; an outage within 60 s of a recovery is the same outage.
    case once
    /// Attempts with growing, random delays until the total is spent.
    indirect case backoff(Backoff)

    /// Exponential back-off with full jitter.
    ///
    /// The delay before attempt *n* (from 0) is uniform between `floor` and the smaller of `cap` and `base · 2ⁿ`. A delay
    /// beyond the end of a total is cut to it, so the last attempt starts at that moment. An attempt is never cut short by
    /// a total: the channel fails when the last one has, after at most the `Deadlines` of its phases. A `Retry-After`
    /// beyond the end ends the channel at once.
    public struct Backoff: Hashable, Sendable {
        /// The upper end of the first delay.
        ///
        /// Default 0.5 s.
        public var base: Duration = .milliseconds(500)
        /// The least delay.
        ///
        /// Default 0.1 s.
        public var floor: Duration = .milliseconds(100)
        /// The upper end of every delay.
        ///
        /// Default 90 s.
        public var cap: Duration = .seconds(90)
        /// The time a connection must live for the next loss to start afresh.
        ///
        /// Default 60 s.
        public var stability: Duration = .seconds(60)
        /// The total for the first connection: the time from `open()` to the start of the last attempt.
        ///
        /// Nil is no limit; zero makes one attempt only. Default 60 s.
        public var initialTotal: Duration? = .seconds(60)
        /// The total for each later outage: the time from the loss to the start of the last attempt.
        ///
        /// Nil is no limit; zero makes no attempt. Default 15 min.
        public var outageTotal: Duration? = .seconds(15 * 60)

        /// The defaults.
        public init() {}
    }
}
