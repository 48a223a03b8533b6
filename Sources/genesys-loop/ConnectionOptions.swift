import ArgumentParser
import GenesysLoop
import ToolSupport

/// The options of a connection, for every command that makes one.
struct ConnectionOptions: ParsableArguments {
    /// The environment's variable that holds the user and the password for the proxy.
    static let proxyVariable = "GENESYS_LOOP_PROXY_CREDENTIALS"

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
                + "again, and one of them must be there. The hosts of tokens and of the API must have one, too.",
            valueName: "digest"))
    var pins: [String] = []

    @Option(
        help: ArgumentHelp(
            "Offer this application protocol to the server by ALPN; none offers none (default: http/1.1).",
            valueName: "name|none"))
    var alpn: ALPNOption?

    @Option(
        help: ArgumentHelp(
            "Connect through this proxy, whatever the environment says: http://, https:// or socks5:// "
                + "(also written socks://), then host and port.", valueName: "url"))
    var proxy: String?

    @Option(
        help: ArgumentHelp(
            """
            A file with the user and the password for the proxy, user:password on one line, - for standard input. \
            Without it, they are taken from the environment's \(proxyVariable). http://user:password@host works too, \
            but every user of the machine can read an argument.
            """, valueName: "file"))
    var proxyCredentialsFile: String?

    @Option(
        help: ArgumentHelp(
            "Trust these PEM certificates at a proxy of https:// (default: those of --ca-file).", valueName: "file"))
    var proxyCaFile: String?

    @Flag(help: "Do not look for a proxy in the environment (HTTPS_PROXY, ALL_PROXY, NO_PROXY).")
    var noProxy = false

    @Option(
        help: ArgumentHelp(
            "Give up the first connection after so long (default: 60s).", valueName: "seconds|never"))
    var firstConnectionLimit: Limit?

    @Option(help: ArgumentHelp("The largest message accepted (default: 16777216).", valueName: "bytes"))
    var maxMessageSize: Int?

    func validate() throws {
        try ClientKey.check(certificate: clientCertificate, key: clientKey)
        try Numbers.check(seconds: firstConnectionLimit?.seconds, of: "--first-connection-limit")
        try Numbers.check(count: maxMessageSize, of: "--max-message-size")
        guard proxy == nil || !noProxy else {
            throw ValidationError("--proxy and --no-proxy exclude each other: one names a proxy, the other uses none.")
        }
        guard proxyCredentialsFile == nil || proxy != nil || !noProxy else {
            throw ValidationError("--proxy-credentials-file is for a proxy, and --no-proxy uses none.")
        }
    }
}
