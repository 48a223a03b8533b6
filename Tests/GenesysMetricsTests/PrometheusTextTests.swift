import GenesysLoop
import Testing

@testable import GenesysMetrics

@Suite struct PrometheusTextTests {
    struct Source {
        var count: Int? = 3
        var time = Duration.milliseconds(1_500)
        var reasons: [(String, Int)] = []
        var trips = DurationHistogram()
    }

    static let table: [Metric<Source>] = [
        .counter("things_total", "Things.") { Reading($0.count) },
        .gauge("age_seconds", "An age,\nwith a \\.") { .duration($0.time) },
        .counter("ends_total", "Ends, by reason.", label: "reason") {
            .labeled($0.reasons.map { (value: $0.0, reading: .count($0.1)) })
        },
    ]
    static let trips: [Metric<Source>] = [.histogram("trip_seconds", "Trips.") { $0.trips }]

    private func text(_ source: Source, labels: MetricLabels = [:], _ table: [Metric<Source>] = table) -> String {
        var text = PrometheusText()
        text.append(table, source, labels: labels)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    @Test func `a metric has help, type and a sample`() {
        #expect(
            text(Source(reasons: [("dns", 2), ("timeout", 1)])) == """
                # HELP things_total Things.
                # TYPE things_total counter
                things_total 3
                # HELP age_seconds An age,\\nwith a \\\\.
                # TYPE age_seconds gauge
                age_seconds 1.5
                # HELP ends_total Ends, by reason.
                # TYPE ends_total counter
                ends_total{reason="dns"} 2
                ends_total{reason="timeout"} 1

                """)
    }

    @Test func `a metric without a sample has no lines`() {
        #expect(!text(Source(count: nil)).contains("things_total"))
    }

    @Test func `the values of labels are escaped`() {
        let text = text(Source(reasons: [("a\"b\\c\nd", 1)]), labels: ["shard": "\"\n"])
        #expect(text.contains("things_total{shard=\"\\\"\\n\"} 3\n"))
        #expect(text.contains("ends_total{shard=\"\\\"\\n\",reason=\"a\\\"b\\\\c\\nd\"} 1\n"))
    }

    @Test func `the samples of all sources follow one head`() {
        var text = PrometheusText()
        let sources = ["0": nil, "1": 3, "2": 3].sorted { $0.key < $1.key }
        text.append(Self.table, each: sources.map { (["shard": $0.key], Source(count: $0.value)) })
        let lines = String(decoding: text.bytes, as: UTF8.self).split(separator: "\n")
        #expect(
            lines.prefix(4) == [
                "# HELP things_total Things.", "# TYPE things_total counter", "things_total{shard=\"1\"} 3",
                "things_total{shard=\"2\"} 3",
            ])
    }

    @Test func `a histogram counts up to each bound`() {
        var source = Source()
        source.trips.record(.microseconds(900))
        source.trips.record(.milliseconds(1))
        source.trips.record(.milliseconds(80))
        source.trips.record(.seconds(11))
        let lines = text(source, labels: ["a": "b"], Self.trips).split(separator: "\n")
        #expect(lines.contains("trip_seconds_bucket{a=\"b\",le=\"0.001\"} 2"))
        #expect(lines.contains("trip_seconds_bucket{a=\"b\",le=\"0.05\"} 2"))
        #expect(lines.contains("trip_seconds_bucket{a=\"b\",le=\"0.1\"} 3"))
        #expect(lines.contains("trip_seconds_bucket{a=\"b\",le=\"10\"} 3"))
        #expect(
            lines.suffix(3) == [
                "trip_seconds_bucket{a=\"b\",le=\"+Inf\"} 4", "trip_seconds_sum{a=\"b\"} 11.0819",
                "trip_seconds_count{a=\"b\"} 4",
            ])
    }

    @Test(arguments: [
        (Duration.zero, "0"), (.seconds(86_400), "86400"), (.nanoseconds(1), "0.000000001"),
        (.milliseconds(-250), "-0.25"), (.nanoseconds(Int64.max), "9223372036.854775807"),
    ])
    func `durations are exact seconds`(duration: Duration, text: String) {
        var bytes: [UInt8] = []
        PrometheusText.append(duration, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test(arguments: [0, 7, -1, 10, 1_234_567, .max, .min]) func `counts are decimal`(number: Int) {
        var bytes: [UInt8] = []
        PrometheusText.append(number, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "\(number)")
    }
}
