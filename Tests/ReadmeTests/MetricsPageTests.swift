import GenesysLoop
import GenesysMetrics
import GenesysRelay
import Testing

@testable import genesys_loop

/// Compares `Metrics.md` with the tables of metrics.
@Suite struct MetricsPageTests {
    private static func rows<Source>(_ table: [Metric<Source>]) -> [String] {
        table.map { metric in
            let label = metric.label.map { " `\($0)`" } ?? ""
            return "| `\(metric.name)` | \(metric.kind.rawValue) |\(label) | \(metric.help) |"
        }
    }

    @Test func `the page has every metric with its type, label and help, and no other`() throws {
        let page = try #require(Page.named("Metrics.md"))
        let lines = try page.text.split(separator: "\n").map(String.init).filter { $0.hasPrefix("| `") }
        #expect(
            lines == Self.rows(MetricTable.channel) + Self.rows(MetricTable.loop) + Self.rows(RelayStatistics.metrics)
                + Self.rows(ToolStatistics.metrics) + Self.rows(MetricTable.build) + Self.rows(MetricTable.process))
    }

    @Test func `the page names only metrics that exist`() throws {
        let page = try #require(Page.named("Metrics.md"))
        let names = Set(try page.text.matches(of: /`(\w+)` \| (counter|gauge|histogram)/).map { String($0.1) })
        for match in try page.text.matches(of: /genesys_loop_\w+/) {
            let name = match.0.hasSuffix("_bucket") ? match.0.dropLast("_bucket".count) : match.0
            #expect(names.contains(String(name)))
        }
    }

    @Test func `the bounds of the page are those of the histograms`() throws {
        let page = try #require(Page.named("Metrics.md"))
        let text = try page.text.split(separator: "\n").joined(separator: " ")
        let sentence = try #require(text.firstMatch(of: /histograms end at ([\d., and]+) ms and at ([\d., and]+) s/))
        let numbers = { (part: Substring) in part.matches(of: /\d+(\.\d+)?/).compactMap { Double($0.0) } }
        let bounds = numbers(sentence.1) + numbers(sentence.2).map { $0 * 1_000 }
        #expect(bounds == DurationHistogram.bounds.map { $0 / .milliseconds(1) })
    }
}
