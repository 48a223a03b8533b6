import GenesysLoop
import GenesysSimulator

/// A delegate that records its events and may act on them.
final class RecordingHost: NotificationChannelDelegate {
    enum Event: Equatable {
        case subscribed, willReconnect, failedRollover, rejected, missed, discarded, recovered(Recovery.Method)
        case willExpire, failed(FailureReason), closed
    }

    private(set) var events: [Event] = []
    /// The events and the changes of state, in order; the latter behind an arrow.
    private(set) var story: [String] = []
    private(set) var notifications: [OwnedNotification] = []
    private(set) var failure: ChannelFailure?
    private(set) var gaps: [Gap] = []
    /// Called with every event, after it was recorded.
    var onEvent: (Event, NotificationChannel) -> Void = { _, _ in }
    /// Called with every change of state, after it was recorded.
    var onChange: (ChannelState, NotificationChannel) -> Void = { _, _ in }
    /// Called with every notification, after it was recorded.
    var onNotification: (NotificationChannel) -> Void = { _ in }

    /// Releases the closures, which may hold the host itself.
    func forget() {
        onEvent = { _, _ in }
        onChange = { _, _ in }
        onNotification = { _ in }
    }

    private func note(_ event: Event, _ channel: NotificationChannel) {
        events.append(event)
        if case .recovered(let method) = event {
            story.append("recovered by \(method.rawValue)")
        } else {
            story.append("\(event)")
        }
        onEvent(event, channel)
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        notifications.append(notification.copy())
        onNotification(channel)
    }

    func channel(_ channel: NotificationChannel, didChange state: ChannelState) {
        story.append("→ \(state)")
        onChange(state, channel)
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        self.failure = failure
        note(.failed(failure.reason), channel)
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {
        gaps.append(gap)
        note(.missed, channel)
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) { note(.willExpire, channel) }
    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) { note(.subscribed, channel) }
    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        note(.willReconnect, channel)
    }
    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {
        note(.failedRollover, channel)
    }
    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) { note(.rejected, channel) }
    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) { note(.discarded, channel) }
    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {
        note(.recovered(recovery.method), channel)
    }
    func channelDidClose(_ channel: NotificationChannel) { note(.closed, channel) }
}

/// A simulator and its loop, and channels to it.
struct Playground {
    let loop: UVLoop
    let server: SimulatorServer
    let topics: [Topic] = ["v2.users.ID?presence&routingStatus", "v2.analytics.queues.q1.observations"]

    init(
        on loop: UVLoop? = nil, seed: UInt64 = 1,
        configure: (inout SimulatedService.Configuration) -> Void = { _ in }
    ) throws {
        self.loop = try loop ?? UVLoop()
        var configuration = SimulatedService.Configuration()
        configuration.publishing.rate = 1_000
        configure(&configuration)
        server = try SimulatorServer(on: self.loop, configuration: configuration, seed: seed)
        server.start()
    }

    /// A channel that trusts the simulator. Every terminal call closes the server, so that `run()` returns.
    func channel(
        _ host: RecordingHost, uri: String? = nil, configure: (inout ChannelConfiguration) -> Void = { _ in }
    ) throws -> NotificationChannel {
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .pem(server.caCertificatePEM)
        configure(&configuration)
        return try NotificationChannel(
            uri: try uri ?? server.createChannel().uri, topics: topics, on: loop, delegate: host,
            configuration: configuration)
    }

    /// Runs until the channel made its terminal call and the server is closed.
    func run(_ host: RecordingHost) {
        let previous = host.onEvent
        host.onEvent = { event, channel in
            previous(event, channel)
            switch event {
            case .failed, .closed: server.close {}
            default: break
            }
        }
        loop.run()
        host.forget()
    }
}
