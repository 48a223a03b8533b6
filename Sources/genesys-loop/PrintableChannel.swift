import GenesysLoop
import GenesysPlatform

/// A channel whose notifications are printed: one with a URI, or one that the tool makes.
protocol PrintableChannel: AnyObject {
    var state: ChannelState { get }
    /// The wanted topics.
    var topics: [Topic] { get }
    var statistics: ChannelStatistics { get }

    func open()
    func close()
    func pause()
    func resume()
}

extension NotificationChannel: PrintableChannel {}
extension ProvisionedChannel: PrintableChannel {}

extension ChannelGroup: PrintableChannel {}
