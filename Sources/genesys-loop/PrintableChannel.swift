import GenesysLoop
import GenesysPlatform

/// A channel whose notifications are printed: one with a URI, or one that the tool makes.
protocol PrintableChannel: AnyObject {
    var state: ChannelState { get }
    /// The wanted topics.
    var topics: [Topic] { get }
    /// Those of the connection; only the state while there is none.
    var printedStatistics: ChannelStatistics { get }

    func open()
    func close()
    func pause()
    func resume()
}

extension NotificationChannel: PrintableChannel {
    var printedStatistics: ChannelStatistics { statistics }
}

extension ProvisionedChannel: PrintableChannel {
    var printedStatistics: ChannelStatistics {
        var statistics = notificationChannel?.statistics ?? ChannelStatistics()
        statistics.state = state
        return statistics
    }
}
