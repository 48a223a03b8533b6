import GenesysLoop
import GenesysSimulator
import Testing

@Suite(.timeLimit(.minutes(patience(1)))) struct StatisticsTests {
    @Test func `a channel that was not opened has nothing to count`() throws {
        let playground = try Playground()
        let channel = try playground.channel(RecordingHost())
        #expect(channel.statistics == ChannelStatistics())
        let host = RecordingHost()
        host.onEvent = { event, channel in if event == .subscribed { channel.close() } }
        try playground.channel(host).open()
        playground.run(host)
    }

    @Test func `what the host was told is what is counted`() throws {
        let playground = try Playground { $0.endings.maintenanceLead = .seconds(1) }
        let host = RecordingHost()
        var last = ChannelStatistics()
        host.onEvent = { event, channel in
            if event == .subscribed { playground.server.announceMaintenance(.all) }
            if event == .recovered(.rollover) { playground.server.disconnect(.all, .drop) }
            last = channel.statistics
        }
        host.onNotification = { channel in
            last = channel.statistics
            if host.events.contains(.recovered(.reconnect)) { channel.close() }
        }
        try playground.channel(host).open()
        playground.run(host)
        #expect(last.receivedCount == host.notifications.count)
        #expect(last.receivedByteCount >= host.notifications.reduce(0) { $0 + $1.bytes.count })
        #expect(last.discardedCount == 0)
        #expect(last.rolloverCount == 1 && last.reconnectCount == 1 && last.extensionCount == 0)
        #expect(last.gapCount == host.gaps.count)
        #expect(last.gapsByReason.values.reduce(0, +) == host.gaps.count)
        let missed = host.gaps.reduce(Duration.zero) { $0 + ($1.to - $1.from) }
        #expect(last.gapDurationsByReason.values.reduce(.zero, +) == missed)
        #expect(last.lossesByReason == [.connectionClosed: 1] && last.reconnectsByReason == [.connectionClosed: 1])
        #expect(last.pendingCommandCount == 0)
    }

    @Test func `bytes on the wire are those of all connections`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        var snapshots: [ChannelStatistics] = []
        host.onEvent = { event, channel in
            snapshots.append(channel.statistics)
            if event == .subscribed { playground.server.disconnect(.all, .drop) }
            if event == .recovered(.reconnect) { channel.close() }
        }
        let channel = try playground.channel(host)
        channel.open()
        playground.run(host)
        let end = channel.statistics
        #expect(end.state == .ended && end.connectionCount == 0)
        // TLS alone takes more than a thousand bytes for each of the two connections.
        #expect(end.wireReceivedByteCount > end.receivedByteCount + 2_000)
        #expect(end.wireSentByteCount > 1_000)
        snapshots.append(end)
        for (earlier, later) in zip(snapshots, snapshots.dropFirst()) {
            #expect(later.wireReceivedByteCount >= earlier.wireReceivedByteCount)
            #expect(later.wireSentByteCount >= earlier.wireSentByteCount)
        }
    }

    @Test func `a pause in progress is part of the paused time`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        var during: Duration = .zero
        host.onEvent = { event, channel in
            guard event == .subscribed else { return }
            #expect(channel.statistics.pausedDuration == .zero)
            channel.pause()
            playground.loop.schedule(after: .milliseconds(5)) {
                during = channel.statistics.pausedDuration
                channel.close()
            }
        }
        try playground.channel(host).open()
        playground.run(host)
        #expect(during >= .milliseconds(5))
    }

    @Test func `topics that the confirmation does not name are counted, and none is rejected`() throws {
        let playground = try Playground { $0.commands.unnamedTopics = ["v2.analytics.queues.q1.observations"] }
        let host = RecordingHost()
        var last = ChannelStatistics()
        let lines = RecordedLog()
        host.onEvent = { event, channel in
            if event == .subscribed { playground.server.disconnect(.all, .drop) }
            if event == .recovered(.reconnect) {
                last = channel.statistics
                channel.close()
            }
        }
        try playground.channel(host) { $0.logger = lines.logger }.open()
        playground.run(host)
        #expect(last.unconfirmedTopicCount == 1)
        #expect(!host.events.contains(.rejected))
        #expect(lines.warnings.count == 1)
        #expect(lines.warnings.first?.contains("v2.analytics.queues.q1.observations") == true)
    }

    @Test func `ages, queues and connections are those of the moment`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        var inFlight: ChannelStatistics?
        var live: ChannelStatistics?
        host.onNotification = { channel in
            guard live == nil else { return }
            live = channel.statistics
            try? channel.subscribe(["v2.users.other.presence"])
            inFlight = channel.statistics
            channel.close()
        }
        try playground.channel(host).open()
        playground.run(host)
        let first = try #require(live)
        #expect(first.receivedCount == 1 && first.connectionCount == 1)
        #expect(try #require(first.lastNotificationAge) >= .zero)
        #expect(try #require(first.silence) < .seconds(10))
        #expect(first.pingRoundTrip == nil && first.heldCount == 0 && first.heldByteCount == 0)
        #expect(try #require(inFlight).pendingCommandCount == 1)
    }
}
