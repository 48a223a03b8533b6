import GenesysLoop

/// Correct use compiles: without this file the others could fail for any reason.
final class RightUse: NotificationChannelDelegate {
    var kept: [OwnedNotification] = []

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        kept.append(notification.copy())
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
}

func close(_ bound: LoopBound<NotificationChannel>, on loop: UVLoop) {
    loop.execute { bound.value.close() }
}
