import GenesysMetrics
import ToolSupport

/// The queues of the tool for those who read its output.
struct ToolStatistics {
    /// Bytes of notifications that wait for the reader of standard output; nil for a command that writes none there.
    let outputByteCount: Int?
    /// Lines that standard error lacks, because it was not read.
    let droppedLineCount: Int

    init(_ writer: LineWriter? = nil) {
        outputByteCount = writer?.queuedByteCount
        droppedLineCount = StandardError.droppedLineCount
    }

    /// The metrics of the tool.
    static let metrics: [Metric<ToolStatistics>] = [
        .gauge("genesys_loop_output_queued_bytes", "Bytes of notifications that the reader has not taken yet.") {
            Reading($0.outputByteCount)
        },
        .counter("genesys_loop_dropped_lines_total", "Lines that standard error lacks, because it was not read.") {
            .count($0.droppedLineCount)
        },
    ]
}
