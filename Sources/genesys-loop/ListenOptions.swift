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

    @Option(help: ArgumentHelp("The channel's connectUri: wss://… It is a secret.", valueName: "uri"))
    var uri: String

    @Option(name: .customLong("topic"), help: ArgumentHelp("A topic; may be given again.", valueName: "topic"))
    var topics: [String] = []

    @Option(
        help: ArgumentHelp("A file with one topic a line, - for standard input; # begins a comment.", valueName: "file")
    )
    var topicsFile: String?

    @Option(help: ArgumentHelp("Trust these PEM certificates instead of the system's.", valueName: "file"))
    var caFile: String?

    @Option(
        help: ArgumentHelp(
            "Show this PEM certificate (then its issuers, without the root) to a server that asks for one.",
            valueName: "file"))
    var clientCertificate: String?

    @Option(
        help: ArgumentHelp(
            """
            The PEM key of the client certificate. The passphrase of an encrypted one is taken from the environment's \
            \(ClientKey.variable), or asked for at the terminal.
            """, valueName: "file"))
    var clientKey: String?

    @Option(
        name: .customLong("pin"),
        help: ArgumentHelp(
            "Accept the server only with this public key in its chain: sha256/ and the digest in Base64; may be given "
                + "again, and one of them must be there.", valueName: "digest"))
    var pins: [String] = []

    @Option(
        help: ArgumentHelp(
            "Offer this application protocol to the server by ALPN; none offers none (default: http/1.1).",
            valueName: "name|none"))
    var alpn: ALPNOption?

    @Option(
        help: ArgumentHelp(
            "Connect through this proxy, whatever the environment says: http://, https:// or socks5:// "
                + "(also written socks://), then user:password@ where it wants them, host and port.", valueName: "url"))
    var proxy: String?

    @Option(
        help: ArgumentHelp(
            "Trust these PEM certificates at a proxy of https:// (default: those of --ca-file).", valueName: "file"))
    var proxyCaFile: String?

    @Flag(help: "Do not look for a proxy in the environment (HTTPS_PROXY, ALL_PROXY, NO_PROXY).")
    var noProxy = false

    @Option(help: ArgumentHelp("Extend the channel's life after so long (default: 23h).", valueName: "seconds"))
    var lifetime: Seconds?

    @Flag(help: "Do not extend the channel's life.")
    var noExtend = false

    @Option(help: ArgumentHelp("What to do about a lost connection.", valueName: "policy"))
    var reconnect = Reconnect.backoff

    @Option(
        help: ArgumentHelp(
            "Give up the first connection after so long (default: 60s).", valueName: "seconds|never"))
    var firstConnectionLimit: Limit?

    @Option(
        help: ArgumentHelp(
            "Give up after an outage of so long (default: 15m).", valueName: "seconds|never"))
    var outageLimit: Limit?

    @Option(help: ArgumentHelp("The largest message accepted (default: 16777216).", valueName: "bytes"))
    var maxMessageSize: Int?

    @Option(help: ArgumentHelp("End after so many notifications.", valueName: "n"))
    var count: Int?

    @Option(help: ArgumentHelp("End so long after the start.", valueName: "seconds"))
    var duration: Seconds?

    @Flag(help: "Write JSON lines about the channel's life to standard error, instead of sentences.")
    var events = false

    @Option(help: ArgumentHelp("What to log to standard error.", valueName: "level"))
    var logLevel = Level.warning

    func validate() throws {
        try ClientKey.check(certificate: clientCertificate, key: clientKey)
        try Numbers.check(seconds: lifetime, of: "--lifetime")
        try Numbers.check(seconds: duration, of: "--duration")
        try Numbers.check(seconds: firstConnectionLimit?.seconds, of: "--first-connection-limit")
        try Numbers.check(seconds: outageLimit?.seconds, of: "--outage-limit")
        try Numbers.check(count: count, of: "--count")
        try Numbers.check(count: maxMessageSize, of: "--max-message-size")
    }
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
