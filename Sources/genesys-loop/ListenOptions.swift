import ArgumentParser
import GenesysLoop
import Logging
import ToolSupport

/// The options of `listen`, as they appear on the command line.
struct ListenOptions: ParsableArguments {
    enum Reconnect: String, CaseIterable, ExpressibleByArgument {
        case never, once, backoff
    }

    enum Level: String, CaseIterable, ExpressibleByArgument {
        case trace, debug, info, notice, warning, error, critical
    }

    @OptionGroup var source: SourceOptions
    @OptionGroup var topics: TopicOptions

    @Flag(help: "Subscribe to nothing: the channel's topics and its life are managed over REST.")
    var noSubscribe = false

    @OptionGroup var connection: ConnectionOptions

    @Option(help: ArgumentHelp("Extend the channel's life after so long (default: 23h).", valueName: "seconds"))
    var lifetime: Seconds?

    @Flag(help: "Do not extend the channel's life.")
    var noExtend = false

    @Option(help: ArgumentHelp("What to do about a lost connection.", valueName: "policy"))
    var reconnect = Reconnect.backoff

    @Option(
        help: ArgumentHelp(
            "Give up after an outage of so long (default: 15m).", valueName: "seconds|never"))
    var outageLimit: Limit?

    @Option(help: ArgumentHelp("End after so many notifications.", valueName: "n"))
    var count: Int?

    @Option(help: ArgumentHelp("End so long after the start.", valueName: "seconds"))
    var duration: Seconds?

    @Option(
        help: ArgumentHelp(
            "Serve /metrics (for Prometheus), /healthz and /readyz over HTTP at this address: a numeric one or localhost "
                + "(default: 127.0.0.1), and a port; 0 takes a free one.", valueName: "host:port"))
    var metricsListen: String?

    @Option(
        help: ArgumentHelp(
            "Append the notifications to this file; SIGHUP opens it again (default: standard output).",
            valueName: "file"))
    var output: String?

    @Flag(help: "Write JSON lines about the channel's life to standard error, instead of sentences.")
    var events = false

    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            """
            Keep a status line on the terminal: notifications a second and in all, lag (the time since the service \
            sent anything), gaps, and the last event. Standard error must be a terminal. By default there is one \
            unless standard output is a terminal too, where notifications appear.
            """))
    var progress: Bool?

    @Option(help: ArgumentHelp("What to log to standard error.", valueName: "level"))
    var logLevel = Level.warning

    func validate() throws {
        try StandardInput.check(
            source.standardInputs + [
                ("--topics-file", topics.topicsFile), ("--proxy-credentials-file", connection.proxyCredentialsFile),
            ])
        guard try !noSubscribe || source.kind == .uri else {
            throw ValidationError("--no-subscribe is for a channel whose URI is given: no one else knows a new one.")
        }
        guard topics.isGiven || noSubscribe else {
            throw ValidationError(
                "No topic: give --topic or --topics-file, or --no-subscribe if the topics are managed over REST.")
        }
        guard !topics.isGiven || !noSubscribe else {
            throw ValidationError("--no-subscribe takes no topic: leave it out, or --topic and --topics-file.")
        }
        guard !events || progress != true else {
            throw ValidationError("--events and --progress exclude each other: with --events every line is an object.")
        }
        try Numbers.check(seconds: lifetime, of: "--lifetime")
        try Numbers.check(seconds: duration, of: "--duration")
        try Numbers.check(seconds: outageLimit?.seconds, of: "--outage-limit")
        try Numbers.check(count: count, of: "--count")
    }

    /// The least severe messages to log.
    var level: Logger.Level { Logger.Level(rawValue: logLevel.rawValue) ?? .warning }
}

/// Numbers of the command line.
enum Numbers {
    /// A thousand years: larger values could overflow.
    private static let maxSeconds = 31_557_600_000.0

    static func check(seconds: Seconds?, of name: String) throws {
        guard let seconds = seconds?.value else { return }
        guard seconds > 0, seconds <= maxSeconds else {
            throw ValidationError("\(name) takes a time greater than 0: a number of seconds, or 90s, 5m, 24h.")
        }
    }

    static func check(count: Int?, of name: String) throws {
        guard let count else { return }
        guard count > 0 else { throw ValidationError("\(name) takes a whole number that is greater than 0.") }
    }
}
