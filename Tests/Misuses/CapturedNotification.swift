import GenesysLoop

/// A closure that is kept would read the buffer after it was used again.
final class CapturedNotification: ChannelDelegate {
    var later: () -> Void = {}

    func channel(_ channel: Channel, didReceive notification: ChannelNotification) {  // error: escapes its scope
        later = { print(notification.topic) }
    }

    func channel(_ channel: Channel, didFail failure: ChannelFailure) {}
    func channel(_ channel: Channel, willExpire expiry: Expiry) {}
}
