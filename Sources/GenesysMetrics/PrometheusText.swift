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
        case .count, .duration:
            beginSample(metric.nameText, "", labels)
            endSample(reading)
        case .labeled(let samples):
            for (value, reading) in samples {
                beginSample(metric.nameText, "", labels, (metric.label ?? "", value))
                endSample(reading)
            }
        case .histogram(let histogram):
            append(metric.nameText, histogram, labels)
        }
    }

    private mutating func append(_ name: [UInt8], _ histogram: DurationHistogram, _ labels: MetricLabels) {
        var count = 0
        for (range, bound) in PrometheusText.bounds.enumerated() {
            count += histogram[range]
            beginSample(name, "_bucket", labels, ("le", bound))
            endSample(.count(count))
        }
        beginSample(name, "_sum", labels)
        endSample(.duration(histogram.sum))
        beginSample(name, "_count", labels)
        endSample(.count(count))
    }

    /// The bounds of histograms as values of the label `le`.
    private static let bounds = DurationHistogram.bounds.map(text) + ["+Inf"]

    private static func text(_ duration: Duration) -> String {
        var text: [UInt8] = []
        append(duration, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func beginSample(
        _ name: [UInt8], _ suffix: StaticString, _ labels: MetricLabels, _ label: (name: String, value: String)? = nil
    ) {
        bytes += name
        bytes += suffix.description.utf8
        guard !labels.text.isEmpty || label != nil else { return }
        bytes.append(UInt8(ascii: "{"))
        bytes += labels.text
        if let label {
            if !labels.text.isEmpty { bytes.append(UInt8(ascii: ",")) }
            PrometheusText.append(label: label.name, label.value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func endSample(_ value: Reading) {
        bytes.append(UInt8(ascii: " "))
        switch value {
        case .count(let count): PrometheusText.append(count, to: &bytes)
        case .duration(let duration): PrometheusText.append(duration, to: &bytes)
        case .unknown, .histogram, .labeled: bytes += "NaN".utf8
        }
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

    static func append(_ number: Int, to bytes: inout [UInt8]) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        append(digits: UInt64(number.magnitude), atLeast: 1, to: &bytes)
    }

    /// Appends a duration in seconds, exact to the nanosecond, without trailing zeros and exponents.
    static func append(_ duration: Duration, to bytes: inout [UInt8]) {
        let (seconds, fraction) = duration.wholeNanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        if duration < .zero { bytes.append(UInt8(ascii: "-")) }
        append(digits: seconds, atLeast: 1, to: &bytes)
        guard fraction > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        append(digits: fraction, atLeast: 9, to: &bytes)
        while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
    }

    private static func append(digits number: UInt64, atLeast width: Int, to bytes: inout [UInt8]) {
        let start = bytes.count
        var rest = number
        while rest > 0 || bytes.count - start < width {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        }
        bytes[start...].reverse()
    }
}
