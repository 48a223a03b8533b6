/// Why a confirmed subscription may not hold any longer, and since when nothing may have been delivered.
package struct SubscriptionLapse: Equatable, Sendable {
    /// The start of the gap; nil when nothing was missed.
    package var from: ClockReading?
    package var reason: FailureReason

    package init(from: ClockReading?, reason: FailureReason) {
        self.from = from
        self.reason = reason
    }
}
