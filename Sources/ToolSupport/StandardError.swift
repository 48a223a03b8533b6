/// Standard error: lines are queued for a thread of its own, so that no caller waits for a reader.
///
/// At most 1 MiB is queued, then the newest lines are dropped and counted. The descriptor keeps its flags, and a
/// missing reader is not an error.
package enum StandardError {
    private static let limit = 1_048_576
    /// How long a reader may take nothing at the end of a process that was not interrupted.
    private static let patience: Duration = .seconds(10)

    /// Nil if the system cannot start a thread: then the program is about to end, and may wait.
    private static let writer: LineWriter? = {
        let writer = LineWriter(to: SystemCalls.standardError, limit: limit, patience: patience)
        do throws(SystemCalls.Failure) {
            try writer.start { _ in }
            return writer
        } catch {
            return nil
        }
    }()

    /// Queues a line, without its end. Any thread.
    ///
    /// - Parameters:
    ///   - mustFit: the line is never dropped.
    ///   - notice: the line that reports how many lines were dropped, in the same format.
    package static func write(
        _ line: String, mustFit: Bool = false, notice: @escaping @Sendable (_ count: Int) -> String = dropped
    ) {
        guard let writer else { return SystemCalls.writeAll(line + "\n", to: SystemCalls.standardError) }
        writer.offer(Array(line.utf8) + [0x0A], mustFit: mustFit) { Array(notice($0).utf8) + [0x0A] }
    }

    /// A sentence with the number of dropped lines.
    @Sendable package static func dropped(_ count: Int) -> String {
        "\(count) \(count == 1 ? "line was" : "lines were") dropped here: nobody read standard error."
    }

    /// Shows a line at the end of the terminal, cut to its width, in place of the previous one; nil removes it. Any
    /// thread.
    package static func show(_ status: String?) {
        writer?.show(status.map { Array($0.utf8.prefix(SystemCalls.columns(of: SystemCalls.standardError) - 1)) })
    }

    /// How many lines were dropped. Any thread.
    package static var droppedLineCount: Int { writer?.droppedLineCount ?? 0 }

    /// Limits the wait of `finish()` for a reader that takes nothing to two seconds. Any thread.
    package static func interrupt() { writer?.interrupt() }

    /// Waits until all lines are written, or until the reader takes nothing. Nothing may be written afterwards.
    package static func finish() { _ = writer?.finish() }
}
