import Testing

@testable import GenesysLoop

@Suite struct ChannelStatisticsTests {
    /// Statistics of which each member differs from that of an unused channel.
    private func full() throws -> ChannelStatistics {
        var statistics = ChannelStatistics()
        statistics.state = .recovering
        for path in Self.counts { statistics[keyPath: path] = 3 }
        for path in Self.countsByReason { statistics[keyPath: path] = [.timeout: 2] }
        statistics.gapDurationsByReason = [.timeout: .seconds(4)]
        statistics.pausedDuration = .seconds(5)
        statistics.pingRoundTrips.record(.milliseconds(7))
        for path in Self.ages { statistics[keyPath: path] = .seconds(6) }
        let unused = Mirror(reflecting: ChannelStatistics()).children.map { "\($0.value)" }
        for (child, before) in zip(Mirror(reflecting: statistics).children, unused) {
            try #require("\(child.value)" != before, "\(child.label ?? "") is in no list of this test")
        }
        return statistics
    }

    private static var counts: [WritableKeyPath<ChannelStatistics, Int>] {
        [
            \.receivedCount, \.discardedCount, \.receivedByteCount, \.wireReceivedByteCount, \.wireSentByteCount,
            \.reconnectCount, \.rolloverCount, \.failedRolloverCount, \.extensionCount, \.gapCount,
            \.unconfirmedTopicCount, \.mergedRepeats, \.connectionCount, \.heldCount, \.heldByteCount,
            \.pendingCommandCount, \.queuedByteCount,
        ]
    }
    private static var countsByReason: [WritableKeyPath<ChannelStatistics, [FailureReason: Int]>] {
        [\.lossesByReason, \.failedAttemptsByReason, \.reconnectsByReason, \.gapsByReason]
    }
    private static var ages: [WritableKeyPath<ChannelStatistics, Duration?>] {
        [\.lastNotificationAge, \.silence, \.pingRoundTrip]
    }

    @Test func `adding to an unused channel's statistics gives the other's, but for the state`() throws {
        var sum = ChannelStatistics()
        var expected = try full()
        sum.add(expected)
        expected.state = .idle
        #expect(sum == expected)
        sum.add(ChannelStatistics())
        #expect(sum == expected)
    }

    @Test func `counts and times are added, and of the ages the lower ones count`() throws {
        var sum = try full()
        var other = try full()
        other.silence = .seconds(1)
        sum.add(other)
        for path in Self.counts { #expect(sum[keyPath: path] == 6) }
        for path in Self.countsByReason { #expect(sum[keyPath: path] == [.timeout: 4]) }
        #expect(sum.gapDurationsByReason == [.timeout: .seconds(8)])
        #expect(sum.pausedDuration == .seconds(10))
        #expect(sum.pingRoundTrips.count == 2 && sum.pingRoundTrips.sum == .milliseconds(14))
        #expect(sum.silence == .seconds(1) && sum.lastNotificationAge == .seconds(6))
        #expect(sum.state == .recovering)
    }
}
