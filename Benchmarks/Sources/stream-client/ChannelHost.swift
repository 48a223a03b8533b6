import GenesysLoop

/// The delegate of a channel: counts notifications, and decodes their bodies with `--parse`.
final class ChannelHost: NotificationChannelDelegate {
    /// One field of the body; hosts that need more declare more.
    private struct Body: Decodable {
        let id: String?
    }

    private let isParsing: Bool
    private(set) var tally = Tally()
    private(set) var undecodedCount = 0
    private(set) var ending: StreamClient.Ending?

    init(isParsing: Bool) {
        self.isParsing = isParsing
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        tally.count(notification.bytes)
        guard isParsing else { return }
        do {
            _ = try notification.decode(Body.self)
        } catch {
            undecodedCount += 1
        }
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        // Without a reconnect policy the server's close is the normal end of the channel.
        ending = failure.reason == .connectionClosed ? .closedByServer : .failed(failure.description)
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
}
