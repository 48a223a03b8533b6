internal import CoreMetrics
internal import GenesysLoop

/// The instruments of swift-metrics for one source, made when a metric has its first sample.
///
/// Counters of a table go there as increments: those in seconds as floating-point counters, the others as counters.
/// Gauges are meters, histograms are timers.
struct Instruments<Source> {
    private enum Instrument {
        case counter(Counter, last: Int)
        case seconds(FloatingPointCounter, last: Duration)
        case meter(Meter)
        case timer(CoreMetrics.Timer, last: DurationHistogram)
    }

    /// The most observations that one emission records with a timer.
    static var maxRecordCount: Int { 1_000 }

    private let table: [Metric<Source>]
    private let dimensions: [(String, String)]
    private let factory: any MetricsFactory
    /// By the value of the metric's label; empty for a metric without one.
    private var instruments: [[String: Instrument]]

    init(_ table: [Metric<Source>], dimensions: [(String, String)], factory: any MetricsFactory) {
        self.table = table
        self.dimensions = dimensions
        self.factory = factory
        instruments = Array(repeating: [:], count: table.count)
    }

    /// Passes what changed since the last call, and every gauge.
    mutating func emit(_ source: Source) {
        for (index, metric) in table.enumerated() {
            switch metric.read(source) {
            case .labeled(let samples):
                for (value, reading) in samples { emit(metric, at: index, value, reading) }
            case let reading:
                emit(metric, at: index, "", reading)
            }
        }
    }

    private mutating func emit(_ metric: Metric<Source>, at index: Int, _ labelValue: String, _ reading: Reading) {
        var dimensions = self.dimensions
        if let label = metric.label { dimensions.append((label, labelValue)) }
        let found = instruments[index][labelValue]
        guard let instrument = found ?? make(metric, reading, dimensions) else { return }
        instruments[index][labelValue] = Instruments.emit(reading, to: instrument)
    }

    private func make(_ metric: Metric<Source>, _ reading: Reading, _ dimensions: [(String, String)]) -> Instrument? {
        let name = metric.name
        switch (metric.kind, reading) {
        case (.counter, .count):
            return .counter(Counter(label: name, dimensions: dimensions, factory: factory), last: 0)
        case (.counter, .duration):
            return .seconds(FloatingPointCounter(label: name, dimensions: dimensions, factory: factory), last: .zero)
        case (.gauge, .count), (.gauge, .duration):
            return .meter(Meter(label: name, dimensions: dimensions, factory: factory))
        case (.histogram, .histogram):
            let timer = CoreMetrics.Timer(label: name, dimensions: dimensions, factory: factory)
            return .timer(timer, last: DurationHistogram())
        case (_, .unknown), (_, .labeled), (.counter, .histogram), (.gauge, .histogram), (.histogram, _):
            return nil
        }
    }

    /// - Returns: the instrument, with what it has now.
    private static func emit(_ reading: Reading, to instrument: Instrument) -> Instrument {
        switch (instrument, reading) {
        case (.counter(let counter, let last), .count(let count)):
            if count > last { counter.increment(by: count - last) }
            return .counter(counter, last: max(count, last))
        case (.seconds(let counter, let last), .duration(let duration)):
            if duration > last { counter.increment(by: (duration - last) / .seconds(1)) }
            return .seconds(counter, last: max(duration, last))
        case (.meter(let meter), .count(let count)):
            meter.set(count)
        case (.meter(let meter), .duration(let duration)):
            meter.set(duration / .seconds(1))
        case (.timer(let timer, let last), .histogram(let histogram)):
            record(histogram, since: last, with: timer)
            return .timer(timer, last: histogram)
        case (.counter, _), (.seconds, _), (.meter, _), (.timer, _):
            break
        }
        return instrument
    }

    /// Records the new observations. Their exact times are gone: if all are in one range, each counts as their mean,
    /// else as the middle of its range.
    private static func record(
        _ histogram: DurationHistogram, since last: DurationHistogram, with timer: CoreMetrics.Timer
    ) {
        let bounds = DurationHistogram.bounds
        let ranges = (0...bounds.count).filter { histogram[$0] > last[$0] }
        var budget = maxRecordCount
        for range in ranges {
            let count = histogram[range] - last[range]
            let middle =
                ranges.count == 1
                ? (histogram.sum - last.sum) / count
                : ((range == 0 ? .zero : bounds[range - 1]) + bounds[min(range, bounds.count - 1)]) / 2
            for _ in 0..<min(count, budget) { timer.recordNanoseconds(middle.wholeNanoseconds) }
            budget -= min(count, budget)
        }
    }
}
