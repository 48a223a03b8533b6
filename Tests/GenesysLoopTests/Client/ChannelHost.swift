import Testing

@testable import GenesysLoop

/// A delegate that records what it receives, and opens a channel to a scripted server.
final class ChannelHost: NotificationChannelDelegate {
    enum Event: Equatable {
        case subscribed, reconnecting(FailureReason), failedRollover, rejected, missed, discarded, recovered, expiring
        case failed(FailureReason), closed
    }

    struct Body: Decodable { let n: Int }

    private(set) var events: [Event] = []
    private(set) var numbers: [Int] = []
    private(set) var failure: ChannelFailure?
    private(set) var rolloverFailure: ChannelFailure?
    /// Whether a handle of the channel was open at the terminal call.
    private(set) var openCountAtEnd: Int?
    var didHear: (NotificationChannel, Event) -> Void = { _, _ in }
    var didReceive: (NotificationChannel, Int) -> Void = { _, _ in }

    /// A channel that trusts the server, gives up at its first loss, and ends the server at its own end.
    func channel(
        to server: ScriptedServer, host: String = "localhost", topics: [Topic] = ["v2.users.ID.presence"],
        _ change: (inout ChannelConfiguration) -> Void = { _ in }
    ) throws -> NotificationChannel {
        var configuration = ChannelConfiguration()
        configuration.tls = try ScriptedServer.trust()
        configuration.reconnect = .never
        change(&configuration)
        let channel = try NotificationChannel(
            uri: server.uri(host), topics: topics, on: server.loop, delegate: self, configuration: configuration)
        didEnd = { server.clientDidFinish() }
        return channel
    }

    /// Opens such a channel, which only the loop retains, and runs until its end.
    func run(
        on server: ScriptedServer, host: String = "localhost", topics: [Topic] = ["v2.users.ID.presence"],
        _ change: (inout ChannelConfiguration) -> Void = { _ in }
    ) throws {
        try channel(to: server, host: host, topics: topics, change).open()
        server.run()
        forget()
    }

    func forget() {
        didHear = { _, _ in }
        didReceive = { _, _ in }
        didEnd = {}
    }

    var didEnd: () -> Void = {}

    private func note(_ event: Event, _ channel: NotificationChannel) {
        events.append(event)
        didHear(channel, event)
    }

    private func noteEnd(_ event: Event, _ channel: NotificationChannel) {
        openCountAtEnd = channel.core.handles.group.openCount
        note(event, channel)
        didEnd()
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        guard let body = try? notification.decode(Body.self) else { return }
        numbers.append(body.n)
        didReceive(channel, body.n)
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        self.failure = failure
        noteEnd(.failed(failure.reason), channel)
    }

    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        note(.reconnecting(attempt.reason), channel)
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) { note(.expiring, channel) }
    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) { note(.subscribed, channel) }
    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {
        rolloverFailure = failure
        note(.failedRollover, channel)
    }
    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) { note(.rejected, channel) }
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { note(.missed, channel) }
    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) { note(.discarded, channel) }
    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) { note(.recovered, channel) }
    func channelDidClose(_ channel: NotificationChannel) { noteEnd(.closed, channel) }
}
