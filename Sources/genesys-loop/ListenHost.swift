import GenesysLoop
import GenesysMetrics
import Logging
import ToolSupport

/// The delegate of `listen`: prints notifications, writes events, and decides when and how the tool ends.
///
/// All of it runs on the loop's thread.
final class ListenHost: ChannelHost {
    /// The exit status; nil while it runs.
    var status: ExitStatus? { run.status }

    let log: EventLog
    let run: PrintedChannel
    let supervisor: Supervisor?
    /// The number of the channel among those that the tool makes; nil for one whose URI is given.
    private let shard: Int?
    private let loop: UVLoop
    private let logger: Logger
    private let writer: LineWriter
    private let count: Int?
    private let tokens: TokenSupply?
    private let reload: Reload
    private var timer: LoopTimer?
    private var metrics: MetricsServer?
    private var progress: ProgressLine?
    var attempt: ReconnectAttempt?

    init(_ plan: ListenPlan, loop: UVLoop, writer: LineWriter, tokens: TokenSupply?) {
        self.loop = loop
        self.writer = writer
        self.tokens = tokens
        log = plan.log
        count = plan.count
        logger = plan.configuration.logger
        if case .account = plan.source { shard = 0 } else { shard = nil }
        run = PrintedChannel(loop: loop, writer: writer)
        let supervisor = Supervisor(.current, on: loop, logger: plan.configuration.logger)
        self.supervisor = supervisor
        reload = Reload(on: loop, log: log, writer: writer, files: plan.tlsFiles, tokens: tokens) {
            supervisor?.reloadDidEnd()
        }
    }

    /// Opens the channel, and closes it after `duration`. The server of its metrics and the status line end with it.
    func open(_ channel: any SourceChannel, for duration: Duration?, metrics: MetricsServer?, hasProgress: Bool) {
        self.metrics = metrics
        reload.startIsOver()
        supervisor?.channelDidChange(to: .connecting, of: channel)
        if let duration { timer = loop.schedule(after: duration) { self.timeIsOver() } }
        run.open(channel)
        if hasProgress { progress = ProgressLine(on: loop) { [weak self] in self?.run.channel?.statistics } }
    }

    /// The user requested the end.
    func interrupt() {
        if run.channel != nil { logger.debug("interrupted: closing; a second signal ends at once") }
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

    func report(_ event: LifecycleEvent, shard: Int?) {
        progress?.note(event)
        log.write(event, shard: shard ?? self.shard)
    }

    func received(_ notification: ChannelNotification) {
        run.printer.print(notification)
        if run.printer.lineCount == count { close(with: .success) }
    }

    func missed(_ gap: Gap, shard: Int?) { report(.gap(gap), shard: shard) }

    func confirmed() { supervisor?.isReady() }

    func failed(_ failure: ChannelFailure) {
        report(.failed(failure))
        ended(failure)
    }

    func closed() {
        if !run.isQuiet || log.style == .json { report(.closed) }
        ended()
    }

    /// The channel has ended.
    private func ended(_ failure: ChannelFailure? = nil) {
        run.ended(failure)
        progress?.end()
        progress = nil
        supervisor?.isStopping(failure?.description ?? "closed")
        supervisor?.end()
        tokens?.end()
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
