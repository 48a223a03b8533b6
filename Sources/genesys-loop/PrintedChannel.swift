import GenesysLoop
import ToolSupport

/// A channel whose notifications are printed until it ends: what `listen` and `demo` have in common.
final class PrintedChannel {
    /// The exit status; nil while the channel runs.
    private(set) var status: ExitStatus?
    /// Whether standard output has failed: then nothing is said about the end.
    private(set) var isQuiet = false
    let printer: NotificationPrinter
    private(set) var channel: (any SourceChannel)?

    init(loop: UVLoop, writer: LineWriter) {
        printer = NotificationPrinter(loop: loop, writer: writer)
    }

    func open(_ channel: any SourceChannel) {
        self.channel = channel
        printer.channel = channel
        channel.open()
    }

    /// Closes the channel; the first status counts.
    func close(with status: ExitStatus) {
        guard self.status == nil, let channel else { return }
        self.status = status
        channel.close()
    }

    /// The thread that writes to standard output reports something.
    func writerDidReport(_ report: LineWriter.Report) {
        switch report {
        case .drained:
            printer.outputDrained()
        case .failed:
            // The writer's outcome decides later whether to report this.
            isQuiet = true
            close(with: .success)
        case .reopened:
            break
        }
    }

    /// The channel has ended.
    ///
    /// - Parameter failure: why; nil after `close()`.
    func ended(_ failure: ChannelFailure? = nil) {
        if let failure { status = ExitStatus(failure) }
        if status == nil { status = .success }
        printer.flush()
        printer.channel = nil
        channel = nil
    }
}
