import GenesysLoop
import GenesysMetrics
import GenesysRelay
import Logging
import ToolSupport

/// The delegate of `relay`: passes on what the channel reports, and decides when and how the tool ends.
///
///     engine ──ready──▶ channel ──▶ both run ──signal, or the channel's end──▶ the relay drains ──▶ ended
///                                       └──the relay's failure──▶ the channel closes ──▶ ended
///
/// All of it runs on the loop's thread.
final class RelayHost: ChannelHost {
    /// The exit status; nil while it runs.
    private(set) var status: ExitStatus?
    /// Set before `open`.
    var relay: Relay?
    let supervisor: Supervisor?
    var attempt: ReconnectAttempt?

    private let plan: RelayPlan
    private let loop: UVLoop
    private let log: EventLog
    private let shard: Int?
    private let tokens: TokenSupply?
    private let reload: Reload
    private var maker: ChannelMaker?
    private var metrics: MetricsServer?
    private var channel: (any SourceChannel)?
    private var channelFailure: ChannelFailure?
    private var relayFailure: RelayFailure?
    /// The channel could not be made.
    private var isUnavailable = false
    private var hasRelayEnded = false
    private var isClosing = false
    private var startedAt = Instant(nanoseconds: 0)

    init(_ plan: RelayPlan, on loop: UVLoop, tokens: TokenSupply?) {
        self.plan = plan
        self.loop = loop
        self.tokens = tokens
        log = plan.log
        if case .account = plan.source { shard = 0 } else { shard = nil }
        let supervisor = Supervisor(.current, on: loop, logger: plan.configuration.logger)
        self.supervisor = supervisor
        reload = Reload(on: loop, log: log, writer: nil, files: plan.tlsFiles, tokens: tokens) {
            supervisor?.reloadDidEnd()
        }
    }

    /// Opens the relay, and the channel when the engine is there.
    func open(_ maker: ChannelMaker, metrics: MetricsServer?) {
        self.maker = maker
        self.metrics = metrics
        reload.startIsOver()
        startedAt = loop.now.instant
        relay?.open()
    }

    // MARK: - Signals

    /// The user requested the end.
    func interrupt() {
        guard status == nil else { return }
        plan.configuration.logger.debug("interrupted: closing; a second signal ends at once")
        close()
    }

    /// SIGHUP came.
    func hangup() {
        guard status == nil else { return }
        supervisor?.reloadDidStart()
        let hasFiles = plan.target.isFile || plan.relay.deadLetterFile != nil
        reload.start(hasFiles: hasFiles)
        if hasFiles { relay?.reopenFiles { [reload] in reload.filesDidReopen($0) } }
    }

    /// SIGUSR1 came.
    func reportStatistics() {
        guard let relay else { return }
        log.write(.statistics(channel?.statistics ?? ChannelStatistics(), relay: relay.statistics))
    }

    // MARK: - The end

    private func close() {
        guard !isClosing else { return }
        isClosing = true
        supervisor?.isStopping("closing")
        channel?.close()
        relay?.close()
    }

    private func channelEnded() {
        channel = nil
        close()
        endIfDone()
    }

    private func relayEnded(_ failure: RelayFailure?) {
        hasRelayEnded = true
        relayFailure = failure
        if let failure { log.write(.log(.error, failure.description)) }
        close()
        endIfDone()
    }

    private func endIfDone() {
        guard hasRelayEnded, channel == nil, status == nil else { return }
        status =
            relayFailure.map { ExitStatus($0) } ?? channelFailure.map { ExitStatus($0) }
            ?? (isUnavailable ? .unavailable : .success)
        supervisor?.isStopping(relayFailure?.description ?? channelFailure?.description ?? "closed")
        supervisor?.end()
        tokens?.end()
        metrics?.close()
        metrics = nil
        maker = nil
    }

    // MARK: - The channel

    func report(_ event: LifecycleEvent, shard: Int?) { log.write(event, shard: shard ?? self.shard) }

    func received(_ notification: ChannelNotification) { relay?.append(notification) }

    func missed(_ gap: Gap, shard: Int?) {
        report(.gap(gap), shard: shard)
        relay?.report(gap)
    }

    func confirmed() {
        relay?.sourceDidSubscribe()
        supervisor?.isReady()
    }

    func failed(_ failure: ChannelFailure) {
        report(.failed(failure))
        channelFailure = failure
        channelEnded()
    }

    func closed() {
        report(.closed)
        channelEnded()
    }
}

extension RelayHost: RelayDelegate {
    func relayWantsSource(_ relay: Relay) {
        guard !isClosing, let maker else { return }
        let elapsed = loop.now.instant - startedAt
        do {
            let total = plan.firstConnectionLimit.map { max(.milliseconds(1), $0 - elapsed) }
            let channel = try maker.make(self, total: total)
            self.channel = channel
            supervisor?.channelDidChange(to: .connecting, of: channel)
            channel.open()
        } catch {
            // It was made before; what is missing now are the resources of the system.
            isUnavailable = true
            log.write(.log(.error, "The channel cannot be opened: \(error)"))
            close()
        }
    }

    func relayWantsPause(_ relay: Relay) { channel?.pause() }
    func relayWantsResume(_ relay: Relay) { channel?.resume() }
    func relaySourceSilence(_ relay: Relay) -> Duration? { channel?.silence }

    func relay(_ relay: Relay, didReport event: RelayEvent) {
        if let level = event.logLevel {
            log.write(.log(level, event.sentence.prefix(1).uppercased() + event.sentence.dropFirst()))
        } else {
            log.write(.relay(event))
        }
        guard case .engineConnected(let engine) = event else { return }
        for warning in engine.warnings { plan.configuration.logger.warning("\(warning)") }
    }

    func relay(_ relay: Relay, didFail failure: RelayFailure) { relayEnded(failure) }

    func relayDidClose(_ relay: Relay) { relayEnded(nil) }
}

extension RelayHost {
    /// What `--metrics-listen` serves.
    var metricsContent: MetricsContent {
        MetricsContent(metrics: { [unowned self] in metricsText() }, obstacle: { [unowned self] in obstacle })
    }

    private var obstacle: String? {
        guard let relay, !isClosing else { return "The relay is closing." }
        guard relay.statistics.isEngineConnected else { return "The engine is not connected." }
        return (channel?.state ?? .connecting).obstacle(attempt)
    }

    private func metricsText() -> [UInt8] {
        var text = PrometheusText()
        text.append(MetricTable.build, BuildInformation(version: GenesysLoopTool.version))
        text.append(MetricTable.process, ProcessStatistics())
        text.append(MetricTable.loop, loop.statistics)
        text.append(MetricTable.channel, channel?.statistics ?? ChannelStatistics())
        if let relay { text.append(RelayStatistics.metrics, relay.statistics) }
        text.append(ToolStatistics.metrics, ToolStatistics())
        return text.bytes
    }
}
