/// What a host does inside a delegate method.
enum Deed: CaseIterable {
    case close, rollover, subscribe, unsubscribe, setTopics, pause, resume
    /// Sets `delegate` to nil.
    case forgetDelegate
    /// Drops its last reference to the channel or client.
    case dropLastReference
    case openAnother, stopLoop
    /// Schedules and cancels timers, hands blocks to the loop, and makes it run on and not.
    case useLoop
    /// WebSocketClient only.
    case send, ping

    static let ofChannels: [Deed] = [
        .close, .rollover, .subscribe, .unsubscribe, .setTopics, .pause, .resume, .forgetDelegate, .dropLastReference,
        .openAnother, .stopLoop, .useLoop,
    ]
    static let ofClients: [Deed] = [
        .close, .send, .ping, .pause, .resume, .forgetDelegate, .dropLastReference, .openAnother, .stopLoop,
        .useLoop,
    ]
}
