import ArgumentParser
import GenesysLoop
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
    private let maker: ChannelMaker
    private let channel: any SourceChannel
    private let metrics: MetricsServer?

    init(_ plan: ListenPlan) throws {
        self.plan = plan
        (loop, writer) = try Startup.resources(log: plan.log, output: plan.output)
        var tokens: TokenSupply?
        if case .account(let account) = plan.source { tokens = account.supply(on: loop, log: plan.log) }
        let host = ListenHost(plan, loop: loop, writer: writer, tokens: tokens)
        let (loop, log) = (self.loop, plan.log)
        metrics = try plan.metricsAddress.map { try MetricsServer.start($0, host.metricsContent, on: loop, log: log) }
        maker = try ChannelMaker(
            plan.source, plan.topics, plan.configuration, log: log, on: loop, host: host, tokens: tokens)
        channel = try maker.make(host)
        self.host = host
        maker.warnAboutMoves()
    }

    func run(_ rule: HangupRule) throws -> ExitStatus {
        maker.warnAboutPlainText()
        metrics?.announce(with: plan.configuration.logger)
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
