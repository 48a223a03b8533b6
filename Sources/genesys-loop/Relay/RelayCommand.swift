import ArgumentParser
import GenesysLoop
import GenesysRelay
import Logging
import ToolSupport

/// `genesys-loop relay`: takes the notifications of a channel into an engine.
struct RelayCommand: ParsableCommand, RequestHandling {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Take the notifications of a channel into a stream of Redis, or into a file.",
        discussion: """
            Every notification that the channel delivers is in the stream, in order, once; where that cannot be known, a \
            gap record says from when to when. The engine is connected first, then the channel.

            TARGET is redis://[user@]host[:6379][/db], rediss://… for TLS, redis+unix:///path/to/socket[?db=N], \
            file:PATH for lines of JSON that are appended to a file, or - for standard output.

            The password of the engine is taken from --password-file, or the environment's \
            \(RelayOptions.passwordVariable).

            SIGHUP opens the files of TARGET and of --dead-letter again, and reads the files of certificates, keys and \
            tokens again; SIGUSR1 writes a line of statistics. If a service manager such as systemd asks for it, it is \
            told the state.

            Ends with status 0 after SIGINT or SIGTERM when everything is stored, which may take 10 s, and with 75 when \
            it is not.
            """)

    @OptionGroup var options: RelayOptions

    func run() throws {
        let rule = HangupRule()
        let plan = try RelayPlan(options)
        guard !options.check else { return try RelayInspection(plan).run().end() }
        try RelaySession(plan).run(rule).end()
    }
}

/// One run of `relay`: loop, engine, channel and signals.
struct RelaySession {
    private let plan: RelayPlan
    private let loop: UVLoop
    private let host: RelayHost
    private let maker: ChannelMaker
    private let metrics: MetricsServer?

    init(_ plan: RelayPlan) throws {
        self.plan = plan
        let (loop, log) = (try Startup.loop(log: plan.log), plan.log)
        self.loop = loop
        var tokens: TokenSupply?
        if case .account(let account) = plan.source { tokens = account.supply(on: loop, log: log) }
        let host = RelayHost(plan, on: loop, tokens: tokens)
        self.host = host
        do throws(RelayError) {
            host.relay = try Relay(
                name: plan.name, target: plan.target, on: loop, delegate: host, configuration: plan.relay)
        } catch {
            throw ValidationError(error.description)
        }
        maker = try ChannelMaker(
            plan.source, plan.topics, plan.configuration, log: log, on: loop, host: host, tokens: tokens)
        try maker.check(host)
        metrics = try plan.metricsAddress.map { try MetricsServer.start($0, host.metricsContent, on: loop, log: log) }
    }

    func run(_ rule: HangupRule) throws -> ExitStatus {
        plan.warn()
        maker.warnAboutPlainText()
        maker.warnAboutMoves()
        metrics?.announce(with: plan.configuration.logger)
        let bound = LoopBound(host, on: loop)
        let signals = try Startup.attempt(log: plan.log) { () throws(SystemCalls.Failure) in
            try SignalWatch(
                rule,
                first: { bound.execute { $0.interrupt() } },
                hangup: { bound.execute { $0.hangup() } },
                report: { bound.execute { $0.reportStatistics() } })
        }
        defer { signals.end() }
        host.open(maker, metrics: metrics)
        loop.run()
        return host.status ?? .success
    }
}
