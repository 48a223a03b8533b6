import GenesysLoop

/// Keeps both, because the channel holds its delegate weakly. Belongs to the loop's thread.
struct Watch {
    let channel: NotificationChannel
    let host: Host
}

/// Opens a channel on the loop of `thread`.
///
/// - Returns: asks, on any other thread, whether notifications arrive.
func openWatch(_ uri: String, on thread: LoopThread) throws -> () -> Bool {
    let watch = try thread.submit { [loop = thread.loop] in
        let host = Host()
        let channel = try NotificationChannel(uri: uri, topics: ["v2.users.ID.presence"], on: loop, delegate: host)
        channel.open()
        return LoopBound(Watch(channel: channel, host: host), on: loop)
    }
    return {
        let isHealthy = (try? thread.submit { watch.value.channel.state.isSubscribed }) ?? false
        return isHealthy
    }
}
