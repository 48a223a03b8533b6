import GenesysLoop
import Logging
import ToolSupport

/// The delegate of `listen`: prints notifications, writes events, and decides when and how the tool ends.
///
/// All of it runs on the loop's thread.
final class ListenHost: NotificationChannelDelegate {
    /// The exit status; nil while it runs.
    private(set) var status: ExitStatus?

    private let loop: UVLoop
    private let log: EventLog
    private let printer: NotificationPrinter
    private let count: Int?
    private var channel: NotificationChannel?
    private var timer: LoopTimer?
    private var isSubscribed = false
    private var isQuiet = false

    init(loop: UVLoop, log: EventLog, writer: LineWriter, count: Int?) {
        self.loop = loop
        self.log = log
        self.count = count
        printer = NotificationPrinter(loop: loop, writer: writer)
    }

    /// Opens the channel, and closes it after `duration`.
    func open(_ channel: NotificationChannel, for duration: Duration?) {
        self.channel = channel
        printer.channel = channel
        if let duration { timer = loop.schedule(after: duration) { self.timeIsOver() } }
        channel.open()
    }

    /// The user requested the end.
    func interrupt() {
        channel?.configuration.logger.debug("interrupted: closing; a second signal ends at once")
        close(with: .success)
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
        }
    }

    private func timeIsOver() {
        if isSubscribed {
            close(with: .success)
        } else {
            log.write(.log(.error, "The time of --duration is over, and no subscription is confirmed."))
            close(with: .unavailable)
        }
    }

    private func close(with status: ExitStatus) {
        guard self.status == nil, let channel else { return }
        self.status = status
        channel.close()
    }

    /// The channel has ended.
    private func end() {
        printer.flush()
        printer.channel = nil
        channel = nil
        timer?.cancel()
        timer = nil
    }
}

extension ListenHost {
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        printer.print(notification)
        if printer.lineCount == count { close(with: .success) }
    }

    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) {
        isSubscribed = true
        log.write(.subscribed(topics))
    }

    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        isSubscribed = false
        log.write(.reconnecting(attempt))
    }

    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {
        isSubscribed = true
        log.write(.recovered(recovery))
    }

    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {
        log.write(.rolloverFailed(failure))
    }

    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) {
        log.write(.rejected(topics))
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {
        log.write(.gap(gap))
    }

    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) {
        log.write(.discarded(message))
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        log.write(.willExpire(expiry))
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        log.write(.failed(failure))
        status = ExitStatus(failure)
        end()
    }

    func channelDidClose(_ channel: NotificationChannel) {
        if !isQuiet || log.style == .json { log.write(.closed) }
        if status == nil { status = .success }
        end()
    }
}
