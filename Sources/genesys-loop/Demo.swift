import ArgumentParser
import GenesysLoop
import GenesysSimulator
import Logging
import ToolSupport

/// `genesys-loop demo`: simulator and listener in one process.
struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show it at work: a local service and a listener in one process, for about ten seconds.",
        discussion: """
            Notifications go to standard output; what happens to the channel, and what it means, goes to standard error. \
            A maintenance rollover and an extension of the channel's life are among it.
            """)

    @Option(
        help: ArgumentHelp("End after the rollover, the extension and so many notifications.", valueName: "n"))
    var count: Int?

    func validate() throws {
        try Numbers.check(count: count, of: "--count")
    }

    func run() throws {
        let log = EventLog(style: .sentences)
        let (loop, writer) = try Startup.resources(log: log)
        let host: DemoHost
        do {
            host = try DemoHost(loop: loop, writer: writer, count: count)
        } catch {
            log.write(.log(.error, "\(error)"))
            throw ExitCode(ExitStatus.unavailable.rawValue)
        }
        let bound = LoopBound(host, on: loop)
        let signals = try Startup.attempt(log: log) { () throws(SystemCalls.Failure) in
            try writer.start { report in bound.execute { $0.writerDidReport(report) } }
            return try SignalWatch(first: {
                writer.interrupt()
                bound.execute { $0.interrupt() }
            })
        }
        defer { signals.end() }
        host.start()
        loop.run()
        let status = Output.finish(writer, log: log) ?? host.status ?? .success
        host.summarize()
        try status.end()
    }
}
