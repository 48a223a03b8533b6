import GenesysLoop

/// Gaps are the product's promise: a delegate must say what it does about them.
final class MissingGap: NotificationChannelDelegate {  // error: does not conform to protocol
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
}
