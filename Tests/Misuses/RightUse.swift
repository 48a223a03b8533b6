import GenesysLoop

/// What is meant instead compiles: without it the other files could fail for any reason.
final class RightUse: ChannelDelegate {
    var kept: [OwnedNotification] = []

    func channel(_ channel: Channel, didReceive notification: ChannelNotification) {
        kept.append(notification.copy())
    }

    func channel(_ channel: Channel, didFail failure: ChannelFailure) {}
    func channel(_ channel: Channel, willExpire expiry: Expiry) {}
}

func close(_ bound: LoopBound<Channel>, on loop: EventLoop) {
    loop.execute { bound.value.close() }
}
