package import GenesysLoop

/// One metric: a line of a table that describes everything that is measured about a `Source`, such as a channel.
///
/// The tables are the only place where a metric is named. What goes to swift-metrics, the text for Prometheus and the
/// page of metrics in the manual are made from them, or compared with them by a test.
package struct Metric<Source>: Sendable {
    package enum Kind: String, Sendable {
        /// Never decreases. The name ends in `_total`.
        case counter
        case gauge
        case histogram
    }

    package let kind: Kind
    /// In the style of Prometheus: the unit is a part of the name, in base units.
    package let name: String
    package let help: String
    /// The label that distinguishes the samples of a metric that has several, for example `reason`.
    package let label: String?
    /// The value in a source.
    package let read: @Sendable (Source) -> Reading

    /// The bytes of the name.
    let nameText: [UInt8]
    /// The lines that precede the samples in the text for Prometheus.
    let head: [UInt8]

    private init(
        _ kind: Kind, _ name: String, _ help: String, label: String?, _ read: @escaping @Sendable (Source) -> Reading
    ) {
        self.kind = kind
        self.name = name
        self.help = help
        self.label = label
        self.read = read
        nameText = Array(name.utf8)
        head = PrometheusText.head(kind: kind.rawValue, name: name, help: help)
    }

    package static func counter(
        _ name: String, _ help: String, label: String? = nil, _ read: @escaping @Sendable (Source) -> Reading
    ) -> Metric {
        Metric(.counter, name, help, label: label, read)
    }

    package static func gauge(
        _ name: String, _ help: String, label: String? = nil, _ read: @escaping @Sendable (Source) -> Reading
    ) -> Metric {
        Metric(.gauge, name, help, label: label, read)
    }

    package static func histogram(
        _ name: String, _ help: String, _ read: @escaping @Sendable (Source) -> DurationHistogram
    ) -> Metric {
        Metric(.histogram, name, help, label: nil) { .histogram(read($0)) }
    }
}

/// What a source says about a metric.
package enum Reading: Sendable {
    /// Not known now: there is no sample.
    case unknown
    case count(Int)
    /// In seconds.
    case duration(Duration)
    case histogram(DurationHistogram)
    /// A sample for each value of the metric's label. The values differ, and are neither histograms nor labeled.
    case labeled([(value: String, reading: Reading)])

    /// A value that may be unknown.
    package init(_ duration: Duration?) {
        self = duration.map { .duration($0) } ?? .unknown
    }

    /// A value that may be unknown.
    package init(_ count: Int?) {
        self = count.map { .count($0) } ?? .unknown
    }
}

/// Labels that all metrics of a source have in common, for example `shard="3"`.
package struct MetricLabels: Sendable, ExpressibleByDictionaryLiteral {
    /// In the order in which they were given.
    package let pairs: [(name: String, value: String)]
    /// `name="value"`, separated by commas.
    let text: [UInt8]

    /// - Parameter pairs: names of letters, digits and underscores that do not begin with a digit, and any values.
    package init(_ pairs: [(name: String, value: String)] = []) {
        self.pairs = pairs
        var text: [UInt8] = []
        for (name, value) in pairs {
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            PrometheusText.append(label: name, value, to: &text)
        }
        self.text = text
    }

    package init(dictionaryLiteral pairs: (String, String)...) {
        self.init(pairs.map { (name: $0.0, value: $0.1) })
    }
}
