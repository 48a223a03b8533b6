import GenesysLoop

/// A notification borrows the receive buffer: it cannot be stored. `copy()` can.
final class StoredNotification: NotificationChannelDelegate {
    var last: ChannelNotification?  // error: accessor cannot return a ~Escapable result

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
}
