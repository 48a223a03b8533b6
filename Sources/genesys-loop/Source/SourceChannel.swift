import GenesysLoop
import GenesysPlatform

/// The channel of a command: one with a URI, or one, or several, that the tool makes.
protocol SourceChannel: AnyObject {
    var state: ChannelState { get }
    /// The wanted topics.
    var topics: [Topic] { get }
    var statistics: ChannelStatistics { get }
    /// The time since the last byte of the service; nil if it does not deliver now.
    var silence: Duration? { get }

    func open()
    func close()
    func pause()
    func resume()
}

extension SourceChannel {
    var silence: Duration? { state.isSubscribed ? statistics.silence : nil }
}

extension NotificationChannel: SourceChannel {}
extension ProvisionedChannel: SourceChannel {}

extension ChannelGroup: SourceChannel {
    /// The longest one of its channels.
    var silence: Duration? {
        guard state.isSubscribed else { return nil }
        var longest: Duration?
        for shard in shards {
            // A shard without topics has no channel.
            guard let channel = shard.channel else { continue }
            guard channel.state.isSubscribed, let silence = channel.statistics.silence else { return nil }
            longest = max(longest ?? silence, silence)
        }
        return longest
    }
}
