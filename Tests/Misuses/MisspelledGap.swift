import GenesysLoop

/// A misspelled `didMiss` is not called, so it does not compile.
final class MisspelledGap: NotificationChannelDelegate {
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMis gap: Gap) {}  // error: different argument labels
}
