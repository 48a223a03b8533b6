public import CoreMetrics
public import GenesysLoop

/// Passes the statistics of a channel to swift-metrics.
///
///     let metrics = ChannelMetrics(channel, labels: [("team", "support")])
///     channel.open()
///     loop.run()
///
/// It reads `NotificationChannel.statistics` in regular intervals; between them the channel does nothing for it. The
/// page *Metrics* of the manual lists the metrics: each name is the label of a counter, a meter or a timer. Times are
/// in seconds, except those of timers, which have nanoseconds. An observation of a timer is exact to the width of its
/// range in `DurationHistogram.bounds`.
///
/// - Life: keep it; sampling ends with the last reference, with `stop()`, with the end of the channel, and when the
///   loop ends or is detached. It does not keep the loop running. It retains the channel; its metrics keep their
///   values.
/// - Thread: it belongs to the loop's thread, where the handlers of the metrics are called too: they must not block.
///   Its members, and the release of one that was not stopped, trap on another thread with a sentence.
/// - Re-entrancy: it may be made and stopped in every delegate callback, and in a handler of a metric.
public final class ChannelMetrics {
    private let loop: UVLoop
    private let sampler: Sampler<ChannelStatistics>

    /// Starts to sample `channel`. The first sample is taken after one interval.
    ///
    /// - Parameters:
    ///   - channel: may be opened later. Two objects for one channel with the same labels count everything twice.
    ///   - interval: between two samples; at least 100 ms.
    ///   - labels: are added to every metric, to distinguish several channels. A channel's URI is a secret and must not
    ///     be one.
    ///   - factory: where the metrics are made; by default that of `MetricsSystem.bootstrap(_:)`, which must be called
    ///     before.
    /// - Precondition: called on the loop's thread.
    public convenience init(
        _ channel: NotificationChannel, every interval: Duration = .seconds(10), labels: [(String, String)] = [],
        factory: any MetricsFactory = MetricsSystem.factory
    ) {
        self.init(on: channel.loop, every: interval, labels: labels, factory: factory) { channel.statistics }
    }

    /// Starts to sample statistics from elsewhere: of a `ProvisionedChannel`, or of several channels together.
    ///
    /// - Parameters:
    ///   - loop: calls `read`.
    ///   - interval: between two samples; at least 100 ms.
    ///   - labels: are added to every metric.
    ///   - factory: where the metrics are made.
    ///   - read: the statistics now. Sampling ends after a sample whose state is `ended`.
    /// - Precondition: called on the loop's thread.
    public init(
        on loop: UVLoop, every interval: Duration = .seconds(10), labels: [(String, String)] = [],
        factory: any MetricsFactory = MetricsSystem.factory, read: @escaping () -> ChannelStatistics
    ) {
        self.loop = loop
        loop.preconditionCurrent("ChannelMetrics.init")
        let instruments = Instruments(MetricTable.channel, dimensions: labels, factory: factory)
        sampler = Sampler(on: loop, every: interval, instruments) {
            let statistics = read()
            return (statistics, statistics.state == .ended)
        }
    }

    /// Takes a last sample and ends. Calling it again does nothing.
    public func stop() {
        loop.preconditionCurrent("ChannelMetrics.stop()")
        sampler.stop()
    }
}
