import GenesysLoop
import GenesysSimulator
import Testing

/// `state` and `channel(_:didChange:)`: each change is reported once, before what it consists of.
@Suite(.timeLimit(.minutes(patience(2)))) struct ChannelStateTests {
    /// Runs a channel whose host acts on events, and checks that a report and the property agree.
    private func story(
        of host: RecordingHost, on playground: Playground, onEvent: @escaping (RecordingHost.Event) -> Void,
        configure: (inout ChannelConfiguration) -> Void = { _ in }
    ) throws -> [String] {
        let channel = try playground.channel(host, configure: configure)
        #expect(channel.state == .idle)
        host.onChange = { state, channel in #expect(channel.state == state) }
        host.onEvent = { event, channel in
            onEvent(event)
            switch event {
            case .recovered: channel.close()
            case .failed, .closed: #expect(channel.state == .ended)
            default: break
            }
        }
        channel.open()
        #expect(channel.state == .connecting)
        playground.run(host)
        #expect(channel.state == .ended)
        return host.story
    }

    @Test func `a loss is told before the attempt, and the recovery before the gap`() throws {
        let playground = try Playground()
        let story = try story(of: RecordingHost(), on: playground) { event in
            if event == .subscribed { playground.server.disconnect(.all, .drop) }
        }
        #expect(
            story == [
                "→ connecting", "→ subscribed", "subscribed", "→ recovering", "willReconnect", "→ subscribed", "missed",
                "recovered by reconnect", "closed",
            ])
    }

    @Test func `a rollover is told when it starts and when it is over`() throws {
        let playground = try Playground { $0.endings.maintenanceLead = .seconds(1) }
        let story = try story(of: RecordingHost(), on: playground) { event in
            if event == .subscribed { playground.server.announceMaintenance(.all) }
        }
        #expect(
            story == [
                "→ connecting", "→ subscribed", "subscribed", "willExpire", "→ rollingOver", "→ subscribed",
                "recovered by rollover", "closed",
            ])
    }

    @Test func `the end by a failure is told just before it`() throws {
        let playground = try Playground()
        let story = try story(of: RecordingHost(), on: playground) { event in
            if event == .subscribed { playground.server.revokeToken(.all) }
        }
        #expect(story == ["→ connecting", "→ subscribed", "subscribed", "→ ended", "failed(tokenRevoked)"])
    }

    @Test func `a first connection that fails is tried again without another report`() throws {
        let playground = try Playground { $0.endings.supersededDelay = .zero ... .milliseconds(1) }
        let host = RecordingHost()
        var configuration = ChannelConfiguration()
        var backoff = ReconnectPolicy.Backoff()
        backoff.initialTotal = .milliseconds(50)
        backoff.base = .milliseconds(1)
        backoff.floor = .zero
        configuration.reconnect = .backoff(backoff)
        // Nothing listens there.
        let channel = try NotificationChannel(
            uri: "ws://127.0.0.1:1/", topics: [], on: playground.loop, delegate: host, configuration: configuration)
        channel.open()
        playground.run(host)
        #expect(host.story.first == "→ connecting")
        #expect(host.story.count { $0.hasPrefix("→") } == 2)
        #expect(host.story.suffix(2) == ["→ ended", "failed(connect)"])
    }

    @Test func `after close() the state is readable and no change of it is told`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        host.onEvent = { event, channel in
            guard event == .subscribed else { return }
            channel.close()
            #expect(channel.state == .closing)
        }
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.story == ["→ connecting", "→ subscribed", "subscribed", "closed"])
    }

    @Test func `close() in the report of a failure makes it a close`() throws {
        let playground = try Playground { $0.commands.subscribeReply = .failure }
        let host = RecordingHost()
        host.onChange = { state, channel in if state == .ended { channel.close() } }
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.story == ["→ connecting", "→ ended", "closed"])
    }

    @Test func `a change that the host causes in a report follows that report`() throws {
        let playground = try Playground()
        let host = RecordingHost()
        let other = try playground.server.createChannel().uri
        host.onChange = { state, channel in
            #expect(channel.state == state)
            if state == .subscribed, host.events.isEmpty {
                #expect(throws: Never.self) { try channel.rollover(to: other) }
                #expect(channel.state == .rollingOver)
            }
        }
        host.onEvent = { event, channel in if event == .recovered(.rollover) { channel.close() } }
        try playground.channel(host).open()
        playground.run(host)
        #expect(
            host.story == [
                "→ connecting", "→ subscribed", "subscribed", "→ rollingOver", "→ subscribed", "recovered by rollover",
                "closed",
            ])
    }
}
