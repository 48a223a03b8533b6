/// Why a confirmed subscription may not hold any longer, and since when nothing may have been delivered.
package struct Lapse: Equatable, Sendable {
    /// The start of the gap; nil when nothing was missed.
    package var from: Moment?
    package var reason: FailureReason

    package init(from: Moment?, reason: FailureReason) {
        self.from = from
        self.reason = reason
    }
}
