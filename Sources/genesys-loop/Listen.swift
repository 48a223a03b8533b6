import ArgumentParser
import GenesysLoop
import GenesysPlatform
import Logging
import ToolSupport

/// `genesys-loop listen`: prints the notifications of a channel.
struct Listen: ParsableCommand, RequestHandling {
    static let configuration = CommandConfiguration(
        abstract: "Print the notifications of a channel, one JSON object a line.",
        discussion: """
            Connects to a channel's URI, subscribes, and prints each notification on one line of standard output, \
            exactly as it was received. Reconnects, extends the channel's life and moves to a new connection for \
            maintenance by itself.

            With --region and an OAuth client, or a token, it makes the channel itself, replaces it when it is gone, and \
            moves to another one before the token ends.

            The first connection is given up after 60 s, and an outage after 15 min; --first-connection-limit and \
            --outage-limit say otherwise. Each time is a number of seconds, or 90s, 5m, 24h.

            SIGHUP opens the file of --output again, and reads the files of certificates, keys and tokens again; SIGUSR1 \
            writes a line of statistics. If a service manager such as systemd asks for it, it is told the state.

            Ends with status 0 when --count is reached, when the time of --duration is over and the subscription is \
            confirmed, or after SIGINT or SIGTERM.
            """)

    @OptionGroup var options: ListenOptions

    func run() throws {
        let rule = HangupRule()
        let plan = try ListenPlan(options)
        let session = try ListenSession(plan)
        try session.run(rule).end()
    }
}

/// One run of `listen`: loop, channel, writer and signals.
struct ListenSession {
    private let plan: ListenPlan
    private let loop: UVLoop
    private let writer: LineWriter
    private let host: ListenHost
    private let channel: any PrintableChannel
    private let metrics: MetricsServer?

    init(_ plan: ListenPlan) throws {
        self.plan = plan
        (loop, writer) = try Startup.resources(log: plan.log, output: plan.output)
        var tokens: TokenSupply?
        if case .account(let account) = plan.source { tokens = account.supply(on: loop, log: plan.log) }
        host = ListenHost(plan, loop: loop, writer: writer, tokens: tokens)
        metrics = try Self.metrics(plan, host, loop)
        channel = try Self.channel(plan, host, loop, tokens)
    }

    private static func channel(
        _ plan: ListenPlan, _ host: ListenHost, _ loop: UVLoop, _ tokens: TokenSupply?
    ) throws -> any PrintableChannel {
        do throws(ChannelFailure) {
            switch plan.source {
            case .uri(let channel):
                return try NotificationChannel(
                    uri: channel.text, topics: plan.topics, on: loop, delegate: host, configuration: plan.configuration)
            case .account(let account):
                let platform = try account.platform(on: loop, host, plan.configuration, tokens)
                guard plan.topics.count > Topic.maxCount else {
                    return try ProvisionedChannel(
                        topics: plan.topics, on: platform, delegate: host, configuration: plan.configuration)
                }
                return try group(plan, host, platform)
            }
        } catch {
            // Nothing was sent yet: the error is in the source, a topic, a file, or a proxy of the environment.
            guard error.reason != .ambiguous else { throw Startup.refuse(error, plan.log) }
            throw ValidationError(error.optionSentence)
        }
    }

    /// More topics than one channel has.
    private static func group(
        _ plan: ListenPlan, _ host: ListenHost, _ platform: Platform
    ) throws(ChannelFailure) -> ChannelGroup {
        let needs = try ShardNeeds(plan.topics)
        if !needs.leavesSparePlace {
            plan.log.write(
                .log(
                    .warning,
                    "\(plan.topics.count) topics need all \(needs.shardCount) channels of the OAuth client: without a "
                        + "spare one, each move to a fresh channel costs a gap."))
        }
        return try ChannelGroup(
            topics: plan.topics, on: platform, delegate: host, configuration: plan.configuration,
            keepsSparePlace: needs.leavesSparePlace)
    }

    /// The server of `--metrics-listen`.
    private static func metrics(_ plan: ListenPlan, _ host: ListenHost, _ loop: UVLoop) throws -> MetricsServer? {
        guard let address = plan.metricsAddress else { return nil }
        do throws(MetricsServer.Failure) {
            return try MetricsServer(on: loop, at: address, content: host.metricsContent, log: plan.log)
        } catch {
            plan.log.write(.log(.error, error.description))
            throw ExitCode(ExitStatus.unavailable.rawValue)
        }
    }

    func run(_ rule: HangupRule) throws -> ExitStatus {
        if case .uri(let channel) = plan.source, !channel.endpoint.isSecure, !channel.endpoint.isLoopback {
            plan.configuration.logger.warning(
                "ws:// is not encrypted: everybody on the way can read the channel's URI and its notifications.")
        }
        if let metrics {
            plan.log.write(.log(.notice, "Metrics: \(metrics.uri)"))
            if plan.metricsAddress?.isLoopback == false {
                plan.configuration.logger.warning(
                    "--metrics-listen: everybody who can reach \(metrics.address) can read the metrics.")
            }
        }
        if writer.waitsForReader {
            plan.log.write(.log(.warning, "Nobody reads \(writer.name) yet: notifications wait for a reader."))
        }
        let bound = LoopBound(host, on: loop)
        let writer = self.writer
        let signals = try Startup.attempt(log: plan.log) { () throws(SystemCalls.Failure) in
            try writer.start { report in bound.execute { $0.writerDidReport(report) } }
            return try SignalWatch(
                rule,
                first: {
                    writer.interrupt()
                    bound.execute { $0.interrupt() }
                },
                hangup: { bound.execute { $0.hangup() } },
                report: { bound.execute { $0.reportStatistics() } })
        }
        defer { signals.end() }
        host.open(
            channel, for: plan.duration.map(Startup.remaining(of:)), metrics: metrics, hasProgress: plan.hasProgress)
        loop.run()
        return Output.finish(writer, log: plan.log) ?? host.status ?? .success
    }
}
