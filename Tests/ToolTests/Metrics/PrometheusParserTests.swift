import Foundation
import GenesysLoop
import GenesysMetrics
import Testing

/// Reads pages of metrics with Prometheus' own Python client.
@Suite(.timeLimit(.minutes(patience(2)))) struct PrometheusParserTests {
    struct Page {
        let families: [String: [String: Any]]

        init(_ text: [UInt8]) async throws {
            let python = try #require(Peer.python)
            let script = Peer.folder.appending(path: "prometheus_text.py")
            let file = FileManager.default.temporaryDirectory.appending(path: "page-\(UUID().uuidString).txt")
            try Data(text).write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            let end = await (try Child(URL(filePath: python), [script.path, file.path])).end()
            #expect(end.status == 0, "\(end.errors)")
            let object = try JSONSerialization.jsonObject(with: Data(end.output))
            let report = try #require(object as? [String: Any])
            #expect(report["problems"] as? [String] == [])
            families = try #require(report["families"] as? [String: [String: Any]])
        }

        /// The samples of a family: names, labels and values.
        func samples(_ family: String) -> [(name: String, labels: [String: String], value: Double)] {
            (families[family]?["samples"] as? [[Any]] ?? []).map { sample in
                (sample[0] as? String ?? "", sample[1] as? [String: String] ?? [:], sample[2] as? Double ?? .nan)
            }
        }
    }

    struct Source {
        var trips = DurationHistogram()
        var values: [String] = []
    }

    static let table: [Metric<Source>] = [
        .histogram("trip_seconds", "Trips,\nwith a \\ and \"quotes\".") { $0.trips },
        .counter("ends_total", "Ends.", label: "reason") { source in
            .labeled(source.values.enumerated().map { ($1, .count($0)) })
        },
        .gauge("age_seconds", "Age.") { _ in .duration(.nanoseconds(1_234_567_891)) },
    ]

    @Test(.enabled(if: Peer.python != nil, Peer.missing))
    func `whatever the values of labels are, the parser reads what was written`() async throws {
        let values = ["plain", "", "a\"b", "a\\", "\\n", "a\nb", "{x=\"y\"} 1", "é ü 漢字 🜚", "a,b", " # TYPE x counter"]
        var sources = [Source(values: values), Source(values: Array(values.reversed()))]
        for milliseconds in [1, 3, 70, 20_000] { sources[1].trips.record(.milliseconds(milliseconds)) }
        var text = PrometheusText()
        text.append(
            Self.table,
            each: zip(["0", "\"\\\n"], sources).map { (MetricLabels([(name: "shard", value: $0)]), $1) })
        let page = try await Page(text.bytes)
        #expect(page.families.count == 3)
        #expect(page.families["trip_seconds"]?["help"] as? String == "Trips,\nwith a \\ and \"quotes\".")
        #expect(page.families["trip_seconds"]?["type"] as? String == "histogram")
        let ends = page.samples("ends_total")
        #expect(ends.map { $0.labels["reason"] } == values + values.reversed())
        #expect(Set(ends.map { $0.labels["shard"] }) == ["0", "\"\\\n"])
        let numbers: [Double] = values.indices.map { Double($0) }
        #expect(ends.map(\.value) == numbers + numbers)
        let sums = page.samples("trip_seconds").filter { $0.name == "trip_seconds_sum" }
        #expect(sums.map(\.value) == [0, 20.074])
        #expect(page.samples("age_seconds").map(\.value) == [1.234567891, 1.234567891])
    }

    @Test(.enabled(if: Peer.python != nil, Peer.missing))
    func `the page of a running tool has every metric with its type and help`() async throws {
        try await Simulator.with("--rate", "200") { simulator in
            let listener = try await MetricsListener(simulator.listening())
            for _ in 0..<20 { _ = await listener.child.output?.nextLine() }
            let page = try await Page(Array(try #require(listener.get("/metrics")).body.utf8))
            check(MetricTable.build, page)
            check(MetricTable.loop, page)
            check(MetricTable.channel, page)
            #expect((page.samples("genesys_loop_notifications_total").first?.value ?? 0) >= 20)
            #expect((page.samples("process_cpu_seconds_total").first?.value ?? 0) > 0)
            #expect(
                page.samples("genesys_loop_channel_state").filter { $0.value == 1 }.map(\.labels) == [
                    ["state": "subscribed"]
                ])
            // The connection of the channel, and that of this request.
            #expect(page.samples("genesys_loop_connections").first?.value == 2)
            #expect(await listener.stop().status == 0)
        }
    }

    private func check<Source>(_ table: [Metric<Source>], _ page: Page) {
        for metric in table {
            #expect(page.families[metric.name]?["type"] as? String == metric.kind.rawValue, "\(metric.name)")
            #expect(page.families[metric.name]?["help"] as? String == metric.help)
        }
    }
}
