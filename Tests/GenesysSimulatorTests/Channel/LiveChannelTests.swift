import GenesysLoop
import GenesysSimulator
import Testing

@Suite(.timeLimit(.minutes(patience(2)))) struct LiveChannelTests {
    @Test func `a channel subscribes, delivers in order and closes`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        host.onNotification = { if host.notifications.count == 100 { $0.close() } }
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.events == [.subscribed, .closed])
        #expect(host.notifications.count == 100)
        #expect(sequences(of: host) == Array(1...100))
    }

    @Test func `a maintenance rollover loses, repeats and reorders nothing`() throws {
        let playground = try Playground { $0.endings.maintenanceLead = .seconds(1) }
        let host = RecordingHost()
        host.onEvent = { event, channel in
            if event == .subscribed { playground.server.announceMaintenance(.all) }
        }
        host.onNotification = { channel in
            if host.events.contains(.recovered(.rollover)), host.notifications.count > 2_000 { channel.close() }
        }
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.events == [.subscribed, .willExpire, .recovered(.rollover), .closed])
        #expect(sequences(of: host) == Array(1...host.notifications.count))
    }

    @Test func `what repeats a rollover's notifications is delivered once the new socket has answered`() throws {
        let playground = try Playground {
            $0.publishing.rate = 0
            $0.endings.maintenanceLead = .seconds(1)
        }
        let host = RecordingHost()
        let topic = playground.topics[1]
        func publish(_ count: Int) {
            let message = NumberedFeed.message(#"{"same":true}"#, topic: topic)
            for _ in 0..<count { playground.server.publish(message, to: topic) }
        }
        func repeatWhenAnswered(_ channel: NotificationChannel) {
            guard channel.statistics.pingRoundTrip == nil else { return publish(3) }
            playground.loop.schedule(after: .milliseconds(1)) { repeatWhenAnswered(channel) }
        }
        host.onChange = { state, _ in if state == .rollingOver { publish(2) } }
        host.onEvent = { event, channel in
            if event == .subscribed { playground.server.announceMaintenance(.all) }
            if event == .recovered(.rollover) { repeatWhenAnswered(channel) }
        }
        host.onNotification = { if host.notifications.count == 5 { $0.close() } }
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.events == [.subscribed, .willExpire, .recovered(.rollover), .closed])
        #expect(host.notifications.count == 5)
    }

    @Test func `a cut connection is reported at once, recovered, and the gap told once`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        host.onEvent = { event, channel in
            if event == .subscribed { playground.server.disconnect(.all, .drop) }
            if event == .recovered(.reconnect) { channel.close() }
        }
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.events == [.subscribed, .willReconnect, .missed, .recovered(.reconnect), .closed])
        #expect(host.gaps.allSatisfy { $0.from < $0.to && $0.reason == .connectionClosed })
    }

    @Test func `the life of a channel is extended before it is over`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        host.onEvent = { event, channel in
            if event == .recovered(.extension) { channel.close() }
        }
        try playground.channel(host) { $0.lifetime = .milliseconds(50) }.open()
        playground.run(host)
        #expect(host.events == [.subscribed, .recovered(.extension), .closed])
    }

    @Test func `an expired channel ends with a failure that says so`() throws {
        let playground = try Playground { $0.channels.life = .milliseconds(200) }
        let host = RecordingHost()
        try playground.channel(host) {
            $0.lifetime = .milliseconds(50)
            $0.extendsLifetime = false
        }.open()
        playground.run(host)
        #expect(host.events == [.subscribed, .willExpire, .failed(.channelExpired)])
        #expect(host.failure?.kind == .receive)
    }

    @Test func `revoked tokens end the channel`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        host.onEvent = { event, _ in
            if event == .subscribed { playground.server.revokeToken(.all) }
        }
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.events == [.subscribed, .failed(.tokenRevoked)])
    }

    @Test func `a refused subscription is a failure, not a success`() throws {
        let playground = try Playground { $0.commands.subscribeReply = .failure }
        let host = RecordingHost()
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.events == [.failed(.subscriptionRefused)])
        #expect(host.failure?.kind == .subscription)
        #expect(host.failure?.message?.isEmpty == false)
    }

    @Test func `rollover(to:) moves to another channel without a break`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        let first = try playground.server.createChannel().uri
        let other = try playground.server.createChannel().uri
        host.onEvent = { event, channel in
            if event == .subscribed {
                #expect(channel.isConnected(to: first))
                #expect(channel.deliveredUntil != nil)
                try? channel.rollover(to: other)
                #expect(!channel.isConnected(to: other))
            }
            if event == .recovered(.rollover) {
                #expect(channel.isConnected(to: other))
                #expect(!channel.isConnected(to: first))
                #expect(!channel.isConnected(to: "no URI"))
                channel.close()
            }
        }
        let channel = try playground.channel(host, uri: first)
        #expect(channel.deliveredUntil == nil)
        #expect(!channel.isConnected(to: first))
        channel.open()
        playground.run(host)
        #expect(host.events == [.subscribed, .recovered(.rollover), .closed])
    }

    @Test func `a failed rollover leaves the old connection at work`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        var lastCount: Int?
        host.onEvent = { event, channel in
            if event == .subscribed {
                try? channel.rollover(to: "wss://localhost:\(playground.server.port)/channels/streaming-0-none")
            }
            if event == .failedRollover { lastCount = host.notifications.count + 20 }
        }
        host.onNotification = { if host.notifications.count == lastCount { $0.close() } }
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.events == [.subscribed, .failedRollover, .closed])
        #expect(sequences(of: host) == Array(1...host.notifications.count))
    }

    @Test func `a paused channel reads nothing and goes on where it stopped`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        host.onNotification = { channel in
            switch host.notifications.count {
            case 10:
                channel.pause()
                let bound = LoopBound(channel, on: playground.loop)
                playground.loop.execute { bound.value.resume() }
            case 50: channel.close()
            default: break
            }
        }
        try playground.channel(host).open()
        playground.run(host)
        #expect(sequences(of: host) == Array(1...50))
    }

    /// The running numbers that the simulator's feed puts into its notifications.
    private func sequences(of host: RecordingHost) -> [Int] {
        struct Body: Decodable { let sequence: Int }
        return host.notifications.compactMap { try? $0.decode(Body.self).sequence }
    }
}
