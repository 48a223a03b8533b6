public import CoreMetrics
public import GenesysLoop

/// Passes the statistics of a loop to swift-metrics.
///
/// One is enough for a loop, whatever the number of its channels, each of which has a ``ChannelMetrics``. Everything
/// that is said there is true here, except that sampling does not end with a channel.
public final class LoopMetrics {
    private let loop: UVLoop
    private let sampler: Sampler<LoopStatistics>

    /// Starts to sample `loop`. The first sample is taken after one interval.
    ///
    /// - Parameters:
    ///   - loop: the loop.
    ///   - interval: between two samples; at least 100 ms.
    ///   - labels: are added to every metric, to distinguish several loops.
    ///   - factory: where the metrics are made; by default that of `MetricsSystem.bootstrap(_:)`, which must be called
    ///     before.
    /// - Precondition: called on the loop's thread.
    public init(
        _ loop: UVLoop, every interval: Duration = .seconds(10), labels: [(String, String)] = [],
        factory: any MetricsFactory = MetricsSystem.factory
    ) {
        self.loop = loop
        loop.preconditionCurrent("LoopMetrics.init")
        let instruments = Instruments(MetricTable.loop, dimensions: labels, factory: factory)
        sampler = Sampler(on: loop, every: interval, instruments) { [unowned loop] in (loop.statistics, false) }
    }

    /// Takes a last sample and ends. Calling it again does nothing.
    public func stop() {
        loop.preconditionCurrent("LoopMetrics.stop()")
        sampler.stop()
    }
}
