import ArgumentParser
import GenesysLoop
import GenesysRelay
import Logging
import ToolSupport

/// The options of `relay`, as they appear on the command line.
struct RelayOptions: ParsableArguments {
    enum Overflow: String, CaseIterable, ExpressibleByArgument {
        case pause
        case dropOldest = "drop-oldest"
    }

    /// The environment's variable that holds the password of the engine.
    static let passwordVariable = "GENESYS_LOOP_RELAY_PASSWORD"

    @OptionGroup var source: SourceOptions
    @OptionGroup var topics: TopicOptions

    @Option(
        help: ArgumentHelp(
            """
            Where the records go: redis://[user@]host[:6379][/db], rediss://…, redis+unix:///path/to/socket[?db=N], \
            file:PATH, or - for standard output.
            """, valueName: "target"))
    var to: String

    @Option(
        help: ArgumentHelp(
            """
            The name of the relay: 1 to 64 letters, digits, dots, underscores and hyphens. Only one \
            relay of a name writes to a target.
            """, valueName: "name"))
    var name: String

    @Option(
        help: ArgumentHelp(
            "The key of the stream in the engine, without braces (default: genesys:NAME).", valueName: "key"))
    var stream: String?

    @Option(
        help: ArgumentHelp(
            "How many bytes may wait for the engine in memory (default: 67108864, at least 65536).", valueName: "bytes")
    )
    var queueBytes: Int?

    @Option(
        help: ArgumentHelp(
            "What to do when so many wait: pause the channel for a while, or drop the oldest.", valueName: "policy"))
    var overflow = Overflow.pause

    @Option(
        help: ArgumentHelp(
            "Pause the channel for at most so long, then drop the oldest (default: 10s).", valueName: "seconds"))
    var pauseLimit: Seconds?

    @Option(help: ArgumentHelp("Send batches of at most this many bytes (default: 65536).", valueName: "bytes"))
    var batchBytes: Int?

    @Option(
        help: ArgumentHelp(
            "Let a record wait for others of its batch for at most so long (default: 5).", valueName: "milliseconds"))
    var linger: Int?

    @Option(
        help: ArgumentHelp(
            "Keep about so many entries in the stream, and drop older ones (default: all).", valueName: "n"))
    var maxLength: Int?

    @Option(
        help: ArgumentHelp(
            "Take the stream from a relay of the same name that has not renewed its lease for so long (default: 10s).",
            valueName: "seconds"))
    var lease: Seconds?

    @Option(
        help: ArgumentHelp(
            "Append records that the engine refuses for good to this file, as lines of JSON.", valueName: "file"))
    var deadLetter: String?

    @Flag(help: "Say what the engine is and who has the lease, and end; no channel is opened, and nothing is written.")
    var check = false

    @Option(
        help: ArgumentHelp(
            """
            A file with the password of the engine on one line, - for standard input. Without it, the password is taken \
            from the environment's \(passwordVariable). One in TARGET works too, but every user of the machine can read \
            an argument.
            """, valueName: "file"))
    var passwordFile: String?

    @Option(
        help: ArgumentHelp("Trust these PEM certificates of the engine instead of the system's.", valueName: "file"))
    var engineCaFile: String?

    @Option(
        help: ArgumentHelp(
            "Show this PEM certificate (then its issuers, without the root) to an engine that asks for one.",
            valueName: "file"))
    var engineCertificate: String?

    @Option(help: ArgumentHelp("The PEM key of the engine's client certificate.", valueName: "file"))
    var engineKey: String?

    @OptionGroup var connection: ConnectionOptions

    @Option(
        help: ArgumentHelp(
            "Give up after an outage of the channel of so long (default: 15m).", valueName: "seconds|never"))
    var outageLimit: Limit?

    @Option(
        help: ArgumentHelp(
            "Serve /metrics (for Prometheus), /healthz and /readyz over HTTP at this address: a numeric one or localhost "
                + "(default: 127.0.0.1), and a port; 0 takes a free one.", valueName: "host:port"))
    var metricsListen: String?

    @Flag(help: "Write JSON lines about the relay's life to standard error, instead of sentences.")
    var events = false

    @Option(help: ArgumentHelp("What to log to standard error.", valueName: "level"))
    var logLevel = ListenOptions.Level.warning

    func validate() throws {
        try StandardInput.check(
            source.standardInputs + [
                ("--topics-file", topics.topicsFile), ("--proxy-credentials-file", connection.proxyCredentialsFile),
                ("--password-file", passwordFile),
            ])
        guard topics.isGiven || check else {
            throw ValidationError("No topic: give --topic or --topics-file.")
        }
        try ClientKey.check(certificate: engineCertificate, key: engineKey, of: "engine")
        try Numbers.check(seconds: outageLimit?.seconds, of: "--outage-limit")
        try Numbers.check(seconds: pauseLimit, of: "--pause-limit")
        try Numbers.check(seconds: lease, of: "--lease")
        try Numbers.check(count: queueBytes, of: "--queue-bytes")
        try Numbers.check(count: batchBytes, of: "--batch-bytes")
        try Numbers.check(count: maxLength, of: "--max-length")
        guard linger ?? 0 >= 0 else {
            throw ValidationError("--linger takes a whole number of milliseconds, 0 or more.")
        }
    }

    /// The least severe messages to log.
    var level: Logger.Level { Logger.Level(rawValue: logLevel.rawValue) ?? .warning }
}
