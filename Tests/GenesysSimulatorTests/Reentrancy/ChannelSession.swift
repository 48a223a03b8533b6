import GenesysLoop
import GenesysSimulator
import Testing

/// One round of a cell: a channel whose host does one thing inside one delegate method.
final class ChannelSession: NotificationChannelDelegate {
    private let stage: MatrixStage
    private let moment: ChannelMoment
    private let deed: Deed
    private let id: String
    private let patience: Int
    private(set) var log = MomentLog<ChannelMoment>()
    private(set) var other: ChannelSession?
    /// Retained until the action; after it only the loop retains it.
    private var channel: NotificationChannel?
    private weak var remembered: NotificationChannel?

    /// - Parameter patience: turns of the loop from the action to the end.
    init(_ stage: MatrixStage, _ moment: ChannelMoment, _ deed: Deed, patience: Int) throws {
        self.stage = stage
        self.moment = moment
        self.deed = deed
        self.patience = patience
        let (uri, id) = try stage.server.createChannel()
        self.id = id
        var configuration = ChannelConfiguration()
        configuration.tls = stage.trust
        var backoff = ReconnectPolicy.Backoff()
        backoff.base = .milliseconds(1)
        backoff.floor = .zero
        configuration.reconnect = moment == .didFail || moment == .becameEnded ? .never : .backoff(backoff)
        let channel = try NotificationChannel(
            uri: uri, topics: stage.topics, on: stage.loop, delegate: self, configuration: configuration)
        self.channel = channel
        remembered = channel
        stage.sessionDidBegin()
        channel.open()
        watch()
    }

    func check() {
        log.check(deed, at: moment)
        #expect(remembered == nil)
        if deed == .openAnother { other?.checkEnd() }
    }

    private func checkEnd() {
        #expect(log.terminalCount == 1 && log.moments.last?.isTerminal == true, "\(log.moments)")
        #expect(remembered == nil)
    }

    /// Ends the session when the channel is deallocated, even if its delegate was not called.
    private func watch() {
        if log.hasEnded { channel = nil }
        guard remembered != nil else { return stage.sessionDidEnd() }
        stage.afterTurns(1) { self.watch() }
    }

    // MARK: - Callbacks

    private func heard(_ now: ChannelMoment, _ sender: NotificationChannel) {
        log.note(now)
        #expect(sender.state != .idle && (sender.state == .ended || !now.isTerminal), "\(now)")
        if log.countAtDeed == nil {
            if now == moment {
                log.noteDeed()
                do { try act(sender) } catch { Issue.record("\(error)") }
                settle()
            } else if now == .didSubscribe {
                do { try bringAbout(sender) } catch { Issue.record("\(error)") }
            }
        }
    }

    /// Makes the moment happen.
    private func bringAbout(_ channel: NotificationChannel) throws {
        let target = SimulatedService.Target.channel(id)
        switch moment {
        case .didReceive, .didSubscribe, .becameConnecting, .becameSubscribed: break
        case .didFail, .willReconnect, .didMiss, .didRecover, .becameRecovering, .becameEnded:
            stage.server.disconnect(target, .drop)
        case .willExpire, .becameRollingOver: stage.server.announceMaintenance(target)
        case .didFailRollover: try channel.rollover(to: stage.server.uri(ofChannel: "streaming-0-unknown"))
        case .didReject: try channel.subscribe([MatrixStage.forbiddenTopic])
        case .didDiscard: stage.server.inject(Array("no JSON".utf8), into: target)
        case .didClose: channel.close()
        }
    }

    private func act(_ channel: NotificationChannel) throws {
        switch deed {
        case .close: channel.close()
        case .rollover: try channel.rollover(to: stage.server.createChannel().uri)
        case .subscribe: try channel.subscribe(["v2.users.d.presence"])
        case .unsubscribe: channel.unsubscribe([stage.topics[0]])
        case .setTopics: try channel.setTopics(["v2.users.e.presence", stage.topics[1]])
        case .pause: channel.pause()
        case .resume: channel.resume()
        case .forgetDelegate: channel.delegate = nil
        case .dropLastReference: self.channel = nil
        case .openAnother: other = try ChannelSession(stage, .didReceive, .close, patience: 0)
        case .stopLoop: stage.stopLoop()
        case .useLoop: stage.useLoop { _ = channel.state }
        case .send, .ping: Issue.record("a channel does not send")
        }
    }

    /// After the action the session continues for a while; then everything ends.
    private func settle() {
        // A channel without a delegate ends by itself, because the next delivery closes it.
        guard deed != .forgetDelegate, !moment.isTerminal else { return channel = nil }
        stage.afterTurns(patience) {
            self.remembered?.close()
            self.channel = nil
        }
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        heard(.didReceive, channel)
    }
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { heard(.didFail, channel) }
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) { heard(.willExpire, channel) }
    func channel(_ channel: NotificationChannel, didChange state: ChannelState) {
        #expect(channel.state == state)
        if let now = ChannelMoment(state) { heard(now, channel) } else { Issue.record("told of \(state)") }
    }
    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) { heard(.didSubscribe, channel) }
    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        heard(.willReconnect, channel)
    }
    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {
        heard(.didFailRollover, channel)
    }
    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) { heard(.didReject, channel) }
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { heard(.didMiss, channel) }
    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) { heard(.didDiscard, channel) }
    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) { heard(.didRecover, channel) }
    func channelDidClose(_ channel: NotificationChannel) { heard(.didClose, channel) }
}
