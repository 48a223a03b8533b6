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
    /// The delay before attempt *n* (from 0) is uniform between `floor` and the smaller of `cap` and `base · 2ⁿ`. A
    /// delay that exceeds the total is cut, so the last attempt starts at the end of the total. The total never cuts an
    /// attempt short: the channel fails when the last attempt has failed, after at most the `Deadlines` of its phases.
    /// A `Retry-After` beyond the end ends the channel at once.
    public struct Backoff: Hashable, Sendable {
        /// The upper end of the first delay.
        ///
        /// Default 0.5 s.
        public var base: Duration
        /// The shortest delay.
        ///
        /// Default 0.1 s.
        public var floor: Duration
        /// The upper end of every delay.
        ///
        /// Default 90 s.
        public var cap: Duration
        /// The time a connection must live before the next loss starts a new outage.
        ///
        /// Default 60 s.
        public var stability: Duration
        /// The total for the first connection: the time from `open()` to the start of the last attempt.
        ///
        /// Nil means no limit; zero allows one attempt. Default 60 s.
        public var initialTotal: Duration?
        /// The total for each later outage: the time from the loss to the start of the last attempt.
        ///
        /// Nil means no limit; zero allows no attempt. Default 15 min.
        public var outageTotal: Duration?

        /// Creates a back-off; without arguments it has the defaults.
        public init(
            base: Duration = .milliseconds(500), floor: Duration = .milliseconds(100), cap: Duration = .seconds(90),
            stability: Duration = .seconds(60), initialTotal: Duration? = .seconds(60),
            outageTotal: Duration? = .seconds(15 * 60)
        ) {
            self.base = base
            self.floor = floor
            self.cap = cap
            self.stability = stability
            self.initialTotal = initialTotal
            self.outageTotal = outageTotal
        }
    }
}
