import ArgumentParser
import GenesysLoop
import GenesysSimulator
import ToolSupport

/// The program `websocket-echo`: one side of a WebSocket that sends every message back.
///
/// Exit status: see `ExitStatus`.
@main
struct WebSocketEcho: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "websocket-echo",
        abstract: "Sends every WebSocket message back, as a client or as a server.",
        discussion: """
            With a URI it connects once and ends with the connection. With --listen it serves any number of connections on \
            127.0.0.1, prints {"uri":"ws://…"} on standard output once it listens, and runs until SIGINT or SIGTERM.

            Exit status: 0 the closing handshake was completed (a server: it was interrupted); 64 wrong usage; 69 the \
            connection could not be made or was lost; 74 standard output could not be written; 76 the peer broke the \
            protocol.
            """,
        version: "websocket-echo 0.1.0")

    @Argument(help: "Where to connect: ws://… or wss://…")
    var uri: String?

    @Option(help: ArgumentHelp("Trust these PEM certificates instead of the system's.", valueName: "file"))
    var caFile: String?

    @Option(
        help: ArgumentHelp(
            """
            Offer this application protocol by ALPN over wss://; none offers none (default: http/1.1). When listening \
            with --certificates: choose it, and refuse clients that offer others only (default: none, no choice).
            """,
            valueName: "name|none"))
    var alpn: ALPNOption?

    @Option(help: ArgumentHelp("Listen on this port instead of connecting; 0 takes a free one.", valueName: "port"))
    var listen: UInt16?

    @Option(
        help: ArgumentHelp(
            "Speak TLS when listening, with ca.pem, server.pem and server-key.pem of this folder; made there if missing.",
            valueName: "dir"))
    var certificates: String?

    @Flag(help: "Offer permessage-deflate (RFC 7692), or accept it when listening.")
    var compress = false

    @Option(help: ArgumentHelp("The largest message accepted (default: 16777216).", valueName: "bytes"))
    var maxMessageSize: Int?

    static func main() { runProgram() }

    func validate() throws {
        guard (uri == nil) != (listen == nil) else {
            throw ValidationError("Give either a URI to connect to or --listen, and not both.")
        }
        guard caFile == nil || listen == nil else { throw ValidationError("--ca-file is for a client.") }
        guard certificates == nil || uri == nil else { throw ValidationError("--certificates is for a server.") }
        guard (maxMessageSize ?? 1) > 0 else {
            throw ValidationError("--max-message-size takes a whole number that is greater than 0.")
        }
    }

    func run() throws {
        if let uri {
            var configuration = WebSocketClientConfiguration()
            configuration.userAgent = "websocket-echo"
            if let maxMessageSize { configuration.maxMessageSize = maxMessageSize }
            configuration.compression = compression
            if let alpn { configuration.tls.applicationProtocols = alpn.protocols }
            try ClientSession(uri: uri, configuration: configuration, caFile: caFile).run().end()
        } else {
            var configuration = EchoServer.Configuration()
            if let maxMessageSize { configuration.maxMessageSize = maxMessageSize }
            configuration.compression = compression
            if let alpn, !alpn.protocols.isEmpty { configuration.applicationProtocols = alpn.protocols }
            try ServerSession(port: listen ?? 0, folder: certificates, configuration: configuration).run().end()
        }
    }

    /// Small messages are compressed too: a user of this option wants to see compression work.
    private var compression: Compression? {
        guard compress else { return nil }
        var compression = Compression.permessageDeflate
        compression.minimumMessageSize = 1
        return compression
    }
}
