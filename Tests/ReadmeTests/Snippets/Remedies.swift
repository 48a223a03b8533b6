import GenesysLoop

/// Does what can be done about a failure.
final class Remedies: NotificationChannelDelegate {
    let createChannel: () -> Void
    let fetchToken: () -> Void
    let reopen: (Duration) -> Void
    let report: (String) -> Void

    init(
        createChannel: @escaping () -> Void, fetchToken: @escaping () -> Void, reopen: @escaping (Duration) -> Void,
        report: @escaping (String) -> Void
    ) {
        self.createChannel = createChannel
        self.fetchToken = fetchToken
        self.reopen = reopen
        self.report = report
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        switch failure.remedy {
        case .retryLater: reopen(failure.retryAfter ?? .seconds(60))
        case .newChannel: createChannel()
        case .newToken: fetchToken()  // and create a channel with it
        case .fixConfiguration, .reportToPeer: report(failure.description)
        }
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
}
