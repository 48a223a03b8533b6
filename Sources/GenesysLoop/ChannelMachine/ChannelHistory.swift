/// What happened to a channel since `open()`, for its statistics and reports. Nothing here decides anything.
package struct ChannelHistory: Equatable, Sendable {
    /// Confirmed connections that were lost, by the cause.
    package private(set) var losses: [FailureReason: Int] = [:]
    /// Reconnections, by the cause of the loss.
    package private(set) var reconnects: [FailureReason: Int] = [:]
    /// Attempts that failed while there was no other connection.
    package private(set) var failedAttempts: [FailureReason: Int] = [:]
    package var failedRolloverCount = 0
    package private(set) var pingRoundTrips = DurationHistogram()
    /// The pauses that are over.
    package var pausedTime: Duration = .zero
    /// Where the loss of the last link began, if that loss ended the channel.
    package var lastProof: ClockReading?

    mutating func lost(_ failure: ChannelFailure) {
        losses[failure.reason, default: 0] += 1
    }

    mutating func reconnected(after failure: ChannelFailure) {
        reconnects[failure.reason, default: 0] += 1
    }

    mutating func attemptFailed(_ failure: ChannelFailure) {
        failedAttempts[failure.reason, default: 0] += 1
    }

    mutating func pingAnswered(after roundTrip: Duration) {
        pingRoundTrips.record(roundTrip)
    }
}

extension ChannelMachine {
    /// Out of line: nothing of it happens to most channels.
    package internal(set) var history: ChannelHistory {
        get { boxedHistory?.value ?? ChannelHistory() }
        set { boxedHistory = Boxed(newValue) }
    }
}
