import GenesysLoop
import GenesysMetrics
import Logging
import ToolSupport

/// The delegate of `listen`: prints notifications, writes events, and decides when and how the tool ends.
///
/// All of it runs on the loop's thread.
final class ListenHost: NotificationChannelDelegate {
    /// The exit status; nil while it runs.
    var status: ExitStatus? { run.status }

    private let loop: UVLoop
    private let log: EventLog
    private let writer: LineWriter
    private let run: PrintedChannel
    private let count: Int?
    private let supervisor: Supervisor?
    private let reload: Reload
    private var timer: LoopTimer?
    private var metrics: MetricsServer?
    private var progress: ProgressLine?
    /// The last attempt of an outage.
    private var attempt: ReconnectAttempt?

    init(_ plan: ListenPlan, loop: UVLoop, writer: LineWriter) {
        self.loop = loop
        log = plan.log
        count = plan.count
        self.writer = writer
        run = PrintedChannel(loop: loop, writer: writer)
        let supervisor = Supervisor(.current, on: loop, logger: plan.configuration.logger)
        self.supervisor = supervisor
        reload = Reload(on: loop, log: log, writer: writer, files: plan.tlsFiles) { supervisor?.reloadDidEnd() }
    }

    /// Opens the channel, and closes it after `duration`. The server of its metrics and the status line end with it.
    func open(_ channel: NotificationChannel, for duration: Duration?, metrics: MetricsServer?, hasProgress: Bool) {
        self.metrics = metrics
        supervisor?.channelDidChange(to: .connecting, of: channel)
        if let duration { timer = loop.schedule(after: duration) { self.timeIsOver() } }
        run.open(channel)
        if hasProgress { progress = ProgressLine(on: loop) { [weak self] in self?.run.channel?.statistics } }
    }

    /// The user requested the end.
    func interrupt() {
        run.channel?.configuration.logger.debug("interrupted: closing; a second signal ends at once")
        close(with: .success)
    }

    /// SIGHUP came.
    func hangup() {
        guard run.channel != nil else { return }
        supervisor?.reloadDidStart()
        reload.start()
    }

    /// SIGUSR1 came.
    func reportStatistics() {
        guard let channel = run.channel else { return }
        log.write(.statistics(channel.statistics))
    }

    /// The thread that writes the notifications reports something.
    func writerDidReport(_ report: LineWriter.Report) {
        if case .reopened(let failure) = report {
            if run.channel != nil { reload.outputDidReopen(failure) }
        } else {
            run.writerDidReport(report)
        }
    }

    private func close(with status: ExitStatus) {
        supervisor?.isStopping("closing")
        // What comes while the channel closes is printed, but a reader that has left is not waited for twice.
        writer.expectFinish()
        run.close(with: status)
    }

    private func timeIsOver() {
        if run.channel?.state.isSubscribed == true {
            close(with: .success)
        } else {
            log.write(.log(.error, "The time of --duration is over, and no subscription is confirmed."))
            close(with: .unavailable)
        }
    }

    private func report(_ event: LifecycleEvent) {
        progress?.note(event)
        log.write(event)
    }

    /// The channel has ended.
    private func ended(_ failure: ChannelFailure? = nil) {
        run.ended(failure)
        progress?.end()
        progress = nil
        supervisor?.isStopping(failure?.description ?? "closed")
        supervisor?.end()
        timer?.cancel()
        timer = nil
        metrics?.close()
        metrics = nil
    }
}

extension ListenHost {
    /// What `--metrics-listen` serves.
    var metricsContent: MetricsContent {
        MetricsContent(metrics: metricsText) { [self] in
            run.channel.map { $0.state.obstacle(attempt) } ?? ChannelState.ended.obstacle(nil)
        }
    }

    private func metricsText() -> [UInt8] {
        var text = PrometheusText()
        text.append(MetricTable.build, BuildInformation(version: GenesysLoopTool.version))
        text.append(MetricTable.process, ProcessStatistics())
        text.append(MetricTable.loop, loop.statistics)
        if let channel = run.channel { text.append(MetricTable.channel, channel.statistics) }
        text.append(ToolStatistics.metrics, ToolStatistics(writer))
        return text.bytes
    }
}

extension ListenHost {
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        run.printer.print(notification)
        if run.printer.lineCount == count { close(with: .success) }
    }

    func channel(_ channel: NotificationChannel, didChange state: ChannelState) {
        supervisor?.channelDidChange(to: state, of: channel)
    }

    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) {
        attempt = nil
        report(.subscribed(topics))
        supervisor?.isReady()
    }

    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        self.attempt = attempt
        report(.reconnecting(attempt))
        supervisor?.channelWillReconnect(attempt, channel)
    }

    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {
        attempt = nil
        report(.recovered(recovery))
    }

    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {
        report(.rolloverFailed(failure))
    }

    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) {
        report(.rejected(topics))
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {
        report(.gap(gap))
    }

    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) {
        report(.discarded(message))
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        report(.willExpire(expiry))
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        report(.failed(failure))
        ended(failure)
    }

    func channelDidClose(_ channel: NotificationChannel) {
        if !run.isQuiet || log.style == .json { report(.closed) }
        ended()
    }
}
