import GenesysLoop
import GenesysSimulator
import Testing

/// What a host may do inside a delegate method: everything.
@Suite(.timeLimit(.minutes(patience(2)))) struct ReentrancyTests {
    enum Deed: CaseIterable {
        case close, closeTwice, rollover, forgetDelegate, pauseAndResume, changeTopics, openAnother
    }

    static let moments: [RecordingHost.Event?] = [
        .subscribed, .willReconnect, .missed, .recovered(.reconnect), .willExpire, .recovered(.extension), nil,
    ]

    @Test(arguments: Deed.allCases, moments)
    func `everything is legal in every callback`(_ deed: Deed, _ moment: RecordingHost.Event?) throws {
        let playground = try Playground()
        let host = RecordingHost()
        var isDone = false
        let act = { (channel: Channel) in
            guard !isDone else { return }
            isDone = true
            try? perform(deed, on: channel, in: playground)
        }
        host.onNotification = { channel in
            if moment == nil { act(channel) }
            if host.notifications.count == 200, deed != .forgetDelegate { channel.close() }
        }
        host.onEvent = { event, channel in
            if event == moment { act(channel) }
            if event == .subscribed {
                if moment == .willExpire { playground.server.announceMaintenance(.all) }
                if [.willReconnect, .missed, .recovered(.reconnect)].contains(moment) {
                    playground.server.disconnect(.all, .drop)
                }
            }
        }
        let watch = ChannelWatch(playground.server)
        try watch.open(
            playground.channel(host) {
                if moment == .recovered(.extension) { $0.lifetime = .milliseconds(20) }
            })
        if deed == .forgetDelegate {
            // Nobody is left to be told: the channel must end all the same.
            watch.closeServerWhenChannelIsGone()
            playground.loop.run()
            host.forget()
            #expect(host.events.last != .closed)
        } else {
            playground.run(host)
            #expect(host.events.last == .closed)
            #expect(host.events.filter { $0 == .closed }.count == 1)
        }
        #expect(isDone)
    }

    private func perform(_ deed: Deed, on channel: Channel, in playground: Playground) throws {
        switch deed {
        case .close: channel.close()
        case .closeTwice:
            channel.close()
            channel.close()
        case .rollover: channel.rollover(to: try playground.server.createChannel().uri)
        case .forgetDelegate: channel.delegate = nil
        case .pauseAndResume:
            channel.pause()
            channel.resume()
        case .changeTopics: try channel.setTopics(["v2.users.other.presence"])
        case .openAnother:
            let other = RecordingHost()
            other.onNotification = { $0.close() }
            // Held by nobody but the loop, and its delegate by this closure until its end.
            other.onEvent = { event, _ in
                switch event {
                case .closed, .failed: other.forget()
                default: break
                }
            }
            // The server may be closed before it gets one: then it ends, too.
            try playground.channel(other) { $0.reconnect = .never }.open()
        }
    }
}

/// Closes the server when the channel is gone, which nobody but the loop holds.
private final class ChannelWatch {
    private let server: SimulatorServer
    private weak var channel: Channel?

    init(_ server: SimulatorServer) {
        self.server = server
    }

    func open(_ channel: Channel) {
        self.channel = channel
        channel.open()
    }

    func closeServerWhenChannelIsGone() {
        guard channel != nil else { return server.close {} }
        let bound = LoopBound(self, on: server.loop)
        server.loop.execute { bound.value.closeServerWhenChannelIsGone() }
    }
}
