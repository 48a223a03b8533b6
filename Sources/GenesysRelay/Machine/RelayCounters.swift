package import GenesysLoop

/// What a relay has done. Counts never decrease.
package struct RelayCounters: Equatable, Sendable {
    package internal(set) var receivedCount = 0
    package internal(set) var storedCount = 0
    package internal(set) var droppedCount = 0
    package internal(set) var refusedCount = 0
    /// The time from receipt to acknowledgment.
    package internal(set) var latencies = DurationHistogram()
    package internal(set) var gapDurations: [RelayGap.Reason: Duration] = [:]

    /// - Parameter latency: in nanoseconds.
    mutating func stored(after latency: Int64) {
        storedCount += 1
        latencies.record(nanoseconds: latency)
    }

    mutating func count(_ gap: RelayGap, dropped: Int = 0) {
        droppedCount += dropped
        gapDurations[gap.reason, default: .zero] += max(.zero, gap.to - gap.from)
    }
}
