import GenesysLoop
import Testing

@testable import GenesysMetrics

@Suite struct MetricTableTests {
    struct Line {
        let kind: String
        let name: String
        let help: String
        let label: String?
    }

    static let lines: [Line] =
        lines(MetricTable.build) + lines(MetricTable.process) + lines(MetricTable.loop) + lines(MetricTable.channel)

    private static func lines<Source>(_ table: [Metric<Source>]) -> [Line] {
        table.map { Line(kind: $0.kind.rawValue, name: $0.name, help: $0.help, label: $0.label) }
    }

    @Test func `names are those that Prometheus permits, each once`() {
        #expect(Set(Self.lines.map(\.name)).count == Self.lines.count)
        for line in Self.lines {
            #expect(line.name.wholeMatch(of: /(genesys_loop|process)(_[a-z]+)+/) != nil)
        }
    }

    @Test func `counters, and they alone, end in total`() {
        for line in Self.lines { #expect(line.name.hasSuffix("_total") == (line.kind == "counter"), "\(line.name)") }
    }

    @Test func `every help is a sentence on one line`() {
        for line in Self.lines {
            #expect(line.help.hasSuffix(".") && !line.help.contains("\n") && line.help.first?.isUppercase == true)
        }
    }

    @Test func `a metric has several samples exactly if it has a label`() {
        check(MetricTable.build, BuildInformation(version: "1"))
        check(MetricTable.process, ProcessStatistics())
        check(MetricTable.loop, LoopStatistics())
        check(MetricTable.channel, ChannelStatistics())
    }

    private func check<Source>(_ table: [Metric<Source>], _ source: Source) {
        for metric in table {
            switch metric.read(source) {
            case .labeled(let samples):
                #expect(metric.label != nil)
                #expect(Set(samples.map(\.value)).count == samples.count && !samples.isEmpty)
            case .histogram: #expect(metric.kind == .histogram && metric.label == nil)
            case .count, .duration: #expect(metric.kind != .histogram && metric.label == nil)
            case .unknown: #expect(metric.kind == .gauge, "a counter always has a value")
            }
        }
    }

    @Test func `a reason has a sample before it occurs, and an unusual one when it does`() {
        var statistics = ChannelStatistics()
        statistics.gapsByReason = [.tokenRevoked: 2]
        var text = PrometheusText()
        text.append(MetricTable.channel, statistics)
        let lines = String(decoding: text.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.contains("genesys_loop_gaps_total{reason=\"heartbeatLost\"} 0"))
        #expect(lines.contains("genesys_loop_gaps_total{reason=\"tokenRevoked\"} 2"))
        #expect(lines.contains("genesys_loop_gap_seconds_total{reason=\"connectionClosed\"} 0"))
    }

    @Test func `the state of the channel is the sample that is 1`() {
        var statistics = ChannelStatistics()
        statistics.state = .recovering
        var text = PrometheusText()
        text.append(MetricTable.channel, statistics)
        let lines = String(decoding: text.bytes, as: UTF8.self).split(separator: "\n")
        let states = lines.filter { $0.hasPrefix("genesys_loop_channel_state{") }
        #expect(states.count == ChannelState.allCases.count)
        #expect(states.filter { $0.hasSuffix(" 1") } == ["genesys_loop_channel_state{state=\"recovering\"} 1"])
    }
}

@Suite struct ProcessStatisticsTests {
    @Test func `what the system reports about this process is plausible`() throws {
        let statistics = ProcessStatistics()
        #expect(statistics.cpuTime > .zero)
        #expect(try #require(statistics.maxDescriptorCount) > 0)
        #if os(Linux)
        #expect(try #require(statistics.residentByteCount) > 1_000_000)
        let start = try #require(statistics.startTime)
        // After 2020, and never later for a later reading.
        #expect(start > .seconds(1_577_836_800))
        #expect(start == ProcessStatistics().startTime)
        if let open = statistics.openDescriptorCount { #expect(open >= 3) }
        #endif
    }

    @Test func `the processor's time never decreases`() {
        let first = ProcessStatistics().cpuTime
        #expect(ProcessStatistics().cpuTime >= first)
    }
}
