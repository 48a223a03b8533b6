import GenesysLoop
import ToolSupport

/// Prints notifications, each on one line as it was received, and pauses the channel when the reader is slow.
///
/// Lines are collected and passed to the writer once for each wake-up of the loop.
final class NotificationPrinter: LoopTask {
    /// The channel to pause.
    var channel: (any SourceChannel)?
    /// Lines so far.
    private(set) var lineCount = 0

    private let loop: UVLoop
    private let writer: LineWriter
    private var lines: [UInt8] = []
    private var isPaused = false

    /// This many bytes are passed on before the end of the wake-up.
    private static let batchByteCount = 256 * 1024

    init(loop: UVLoop, writer: LineWriter) {
        self.loop = loop
        self.writer = writer
    }

    func print(_ notification: ChannelNotification) {
        if lines.isEmpty { loop.schedule(self) }
        NotificationPrinter.append(notification.bytes, to: &lines)
        lineCount += 1
        if lines.count >= NotificationPrinter.batchByteCount { flush() }
    }

    /// The wake-up is over.
    func runTask() {
        flush()
    }

    /// Passes on the collected lines.
    func flush() {
        guard !lines.isEmpty else { return }
        guard writer.give(&lines), !isPaused else { return }
        isPaused = true
        channel?.pause()
    }

    /// The writer has room again.
    func outputDrained() {
        guard isPaused else { return }
        isPaused = false
        channel?.resume()
    }

    /// Appends a message as one line, with spaces for line breaks, which are white space between tokens (RFC 8259 §2).
    static func append(_ message: Span<UInt8>, to lines: inout [UInt8]) {
        let start = lines.count
        // The span keeps its memory alive during the call; `append` copies before it returns.
        let hasBreaks = unsafe message.withUnsafeBufferPointer { bytes in
            unsafe lines.append(contentsOf: bytes)
            // Without a branch, so that it can be vectorized: almost no message has a line break.
            var found: UInt8 = 0
            for index in bytes.indices { unsafe found |= bytes[index] == 0x0A || bytes[index] == 0x0D ? 1 : 0 }
            return found != 0
        }
        if hasBreaks {
            for index in start..<lines.count where lines[index] == 0x0A || lines[index] == 0x0D { lines[index] = 0x20 }
        }
        lines.append(0x0A)
    }
}
