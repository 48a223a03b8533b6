import ArgumentParser
import GenesysLoop
import ToolSupport

/// `genesys-loop doctor`: says why a channel cannot be opened.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check each step of a channel's connection, and say what to do where one fails.",
        discussion: """
            Looks up the name, tries every address, and connects as listen does: proxy, TLS, upgrade, subscription. \
            Each step is a line of standard output: ok, warn or FAIL, the step, the seconds that it took, what was \
            found, and what to do. Steps that need one that failed are left out.

            Connecting takes the channel from a client that has it; --no-connect ends after TLS. Without a topic the \
            subscription is not checked.

            With an OAuth client or a token it checks the token, the channels in use and each topic, and connects to a \
            channel of its own.

            Ends with the status with which listen would end; with 0 if there are only warnings.
            """)

    @OptionGroup var options: DoctorOptions

    func run() throws {
        try DoctorSession(options).run().end()
    }
}

/// The options of `doctor`, as they appear on the command line.
struct DoctorOptions: ParsableArguments {
    @OptionGroup var source: SourceOptions
    @OptionGroup var topics: TopicOptions

    @Flag(help: "End after TLS: the channel stays with the client that has it.")
    var noConnect = false

    @Flag(help: "Write one JSON object, instead of lines for people.")
    var json = false

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        try StandardInput.check(
            source.standardInputs + [
                ("--topics-file", topics.topicsFile), ("--proxy-credentials-file", connection.proxyCredentialsFile),
            ])
    }
}

/// One run of `doctor`: loop, channel, writer and signals.
private struct DoctorSession {
    private let options: DoctorOptions
    private let log = EventLog(style: .sentences)
    private let loop: UVLoop
    private let writer: LineWriter
    private let list: CheckList

    init(_ options: DoctorOptions) throws {
        self.options = options
        (loop, writer) = try Startup.resources(log: log)
        list = CheckList(writer: writer, isJSON: options.json)
    }

    func run() throws -> ExitStatus {
        do {
            return try examine(try DoctorPlan(options, log: log))
        } catch let unusable as DoctorPlan.Unusable {
            for check in unusable.checks { list.add(check) }
            list.end(with: .usage)
            try Startup.attempt(log: log) { () throws(SystemCalls.Failure) in try writer.start { _ in } }
            return Output.finish(writer, log: log) ?? .usage
        }
    }

    private func examine(_ plan: DoctorPlan) throws -> ExitStatus {
        let run = try DoctorRun(plan, list: list, loop: loop, log: log)
        let bound = LoopBound(run, on: loop)
        let writer = self.writer
        let signals = try Startup.attempt(log: log) { () throws(SystemCalls.Failure) in
            let signals = try SignalWatch(first: {
                writer.interrupt()
                bound.execute { $0.interrupt() }
            })
            // A reader that has left needs no further checks, and one that has read a line may send a signal.
            try writer.start { report in if case .failed = report { bound.execute { $0.interrupt() } } }
            return signals
        }
        defer { signals.end() }
        run.start()
        loop.run()
        return Output.finish(writer, log: log) ?? run.status ?? .success
    }
}
