internal import GenesysLoop

/// A page in Prometheus' text exposition format 0.0.4.
///
///     var text = PrometheusText()
///     text.append(MetricTable.loop, loop.statistics)
///     text.append(MetricTable.channel, channel.statistics)
///     respond(text.bytes, type: PrometheusText.contentType)
///
/// Each table is appended once, with all its sources: the format wants the samples of a metric together. It is pure: no
/// I/O, no clock.
package struct PrometheusText: Sendable {
    /// The value of the Content-Type header.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The page; empty, or ends with a line feed.
    package private(set) var bytes: [UInt8] = []

    /// - Parameter capacity: the expected size in bytes.
    package init(capacity: Int = 16_384) {
        bytes.reserveCapacity(capacity)
    }

    /// Appends every metric of `table` that has a sample.
    package mutating func append<Source>(
        _ table: [Metric<Source>], _ source: Source, labels: MetricLabels = MetricLabels()
    ) {
        append(table, each: [(labels, source)])
    }

    /// Appends every metric of `table` that has a sample in one of the sources; their labels must differ.
    package mutating func append<Source>(
        _ table: [Metric<Source>], each sources: [(labels: MetricLabels, source: Source)]
    ) {
        for metric in table {
            var hasHead = false
            for (labels, source) in sources {
                let reading = metric.read(source)
                if case .unknown = reading { continue }
                if !hasHead { bytes += metric.head }
                hasHead = true
                append(metric, reading, labels)
            }
        }
    }

    private mutating func append<Source>(_ metric: Metric<Source>, _ reading: Reading, _ labels: MetricLabels) {
        switch reading {
        case .unknown:
            break
        case .count(let count):
            appendSample(metric.name, "", labels, nil, "\(count)".utf8)
        case .duration(let duration):
            appendSample(metric.name, "", labels, nil, PrometheusText.seconds(duration))
        case .labeled(let samples):
            for (value, reading) in samples {
                let label = (metric.label ?? "", value)
                switch reading {
                case .count(let count): appendSample(metric.name, "", labels, label, "\(count)".utf8)
                case .duration(let time): appendSample(metric.name, "", labels, label, PrometheusText.seconds(time))
                case .unknown, .histogram, .labeled: break
                }
            }
        case .histogram(let histogram):
            append(metric.name, histogram, labels)
        }
    }

    private mutating func append(_ name: String, _ histogram: DurationHistogram, _ labels: MetricLabels) {
        var count = 0
        for (range, bound) in PrometheusText.bounds.enumerated() {
            count += histogram[range]
            appendSample(name, "_bucket", labels, ("le", bound), "\(count)".utf8)
        }
        appendSample(name, "_sum", labels, nil, PrometheusText.seconds(histogram.sum))
        appendSample(name, "_count", labels, nil, "\(count)".utf8)
    }

    /// The bounds of histograms as values of the label `le`.
    private static let bounds = DurationHistogram.bounds.map { String(decoding: seconds($0), as: UTF8.self) } + ["+Inf"]

    private mutating func appendSample(
        _ name: String, _ suffix: String, _ labels: MetricLabels, _ label: (name: String, value: String)?,
        _ value: some Collection<UInt8>
    ) {
        bytes += name.utf8
        bytes += suffix.utf8
        if !labels.text.isEmpty || label != nil {
            bytes.append(UInt8(ascii: "{"))
            bytes += labels.text
            if let label {
                if !labels.text.isEmpty { bytes.append(UInt8(ascii: ",")) }
                PrometheusText.append(label: label.name, label.value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
        bytes += value
        bytes.append(UInt8(ascii: "\n"))
    }
}

extension PrometheusText {
    /// The lines `# HELP` and `# TYPE` of a metric.
    static func head(kind: String, name: String, help: String) -> [UInt8] {
        var bytes = Array("# HELP \(name) ".utf8)
        for byte in help.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += "\\\\".utf8
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            default: bytes.append(byte)
            }
        }
        return bytes + "\n# TYPE \(name) \(kind)\n".utf8
    }

    /// Appends `name="value"`, with backslash, quote and line feed escaped.
    static func append(label name: String, _ value: String, to bytes: inout [UInt8]) {
        bytes += name.utf8
        bytes += "=\"".utf8
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += "\\\\".utf8
            case UInt8(ascii: "\""): bytes += "\\\"".utf8
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A duration in seconds, exact to the nanosecond, without trailing zeros and exponents.
    static func seconds(_ duration: Duration) -> [UInt8] {
        let (seconds, fraction) = duration.wholeNanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        var bytes = Array("\(duration < .zero ? "-" : "")\(seconds)".utf8)
        guard fraction > 0 else { return bytes }
        bytes.append(UInt8(ascii: "."))
        var rest = fraction
        var unit: UInt64 = 100_000_000
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / unit))
            rest %= unit
            unit /= 10
        }
        return bytes
    }
}
