import GenesysLoop

/// A stored closure would read the buffer after its reuse.
final class CapturedNotification: NotificationChannelDelegate {
    var later: () -> Void = {}

    func channel(_ channel: NotificationChannel, didReceive message: ChannelNotification) {  // error: escapes its scope
        later = { print(message.topic) }
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
}
