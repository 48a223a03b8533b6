import GenesysLoop

/// A notification borrows the receive buffer: it cannot be stored. `copy()` can.
final class StoredNotification: ChannelDelegate {
    var last: ChannelNotification?  // error: ~Escapable result

    func channel(_ channel: Channel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: Channel, didFail failure: ChannelFailure) {}
    func channel(_ channel: Channel, willExpire expiry: Expiry) {}
}
