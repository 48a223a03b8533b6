import GenesysLoop

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A host that uses only the library's public API, for benchmarks: see `StreamOptions.usage`.
@main
enum StreamClient {
    /// The exit status, with the numbers of `sysexits.h`.
    enum Ending {
        case closedByServer
        case failed(String)
    }

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.contains("--help") || arguments.contains("-h") { return print(StreamOptions.usage) }
        let options: StreamOptions
        do throws(StreamOptions.Mistake) {
            options = try StreamOptions(arguments)
        } catch {
            complain("\(error.text)\n\n\(StreamOptions.usage)")
            exit(64)
        }
        do {
            try run(options)
        } catch {
            complain("\(error)")
            exit(isUsage(error) ? 64 : 69)
        }
    }

    /// Whether the unusable value is from the command line.
    private static func isUsage(_ error: any Error) -> Bool {
        let reason = (error as? ChannelFailure)?.reason ?? (error as? WebSocketFailure)?.reason
        return reason == .invalidURI
    }

    private static func run(_ options: StreamOptions) throws {
        let loop = try UVLoop()
        if let count = options.idleCount {
            try IdleHolder(options, count: count, on: loop).run()
        } else if options.isWebSocket {
            let host = SocketHost(isEchoing: options.isEchoing)
            let client = try WebSocketClient(
                uri: options.uri, on: loop, delegate: host, configuration: configuration(options))
            client.open()
            loop.run()
            finish(host.tally, host.ending)
        } else {
            let host = ChannelHost(isParsing: options.isParsing)
            let channel = try NotificationChannel(
                uri: options.uri, topics: Subscription.topics, on: loop, delegate: host,
                configuration: configuration(options))
            channel.open()
            loop.run()
            if host.undecodedCount > 0 { complain("\(host.undecodedCount) bodies could not be decoded.") }
            finish(host.tally, host.ending)
        }
    }

    static func configuration(_ options: StreamOptions) -> ChannelConfiguration {
        var configuration = ChannelConfiguration()
        configuration.reconnect = .never
        if !options.caFile.isEmpty { configuration.tls.trust = .file(options.caFile) }
        return configuration
    }

    static func configuration(_ options: StreamOptions) -> WebSocketClientConfiguration {
        var configuration = WebSocketClientConfiguration()
        if !options.caFile.isEmpty { configuration.tls.trust = .file(options.caFile) }
        return configuration
    }

    private static func finish(_ tally: Tally, _ ending: Ending?) {
        print("{\"messages\":\(tally.messageCount),\"bytes\":\(tally.byteCount)}")
        switch ending {
        case .closedByServer: return
        case .failed(let text): complain(text)
        case nil: complain("The loop ended before the connection did.")
        }
        exit(69)
    }

    static func complain(_ text: String) {
        var line = text + "\n"
        // Nothing can be done about a closed standard error.
        _ = line.withUTF8 { unsafe write(2, $0.baseAddress, $0.count) }
    }
}

/// What was received.
struct Tally {
    var messageCount = 0
    var byteCount = 0

    mutating func count(_ message: Span<UInt8>) {
        messageCount &+= 1
        byteCount &+= message.count
    }
}

/// The one subscription of every connection.
enum Subscription {
    static let topics: [Topic] = ["v2.routing.queues.2f1c0f0e-0000-4000-8000-000000000001.conversations"]

    /// The command as a bare WebSocket sends it (Genesys: subscribing over the WebSocket).
    static let command =
        #"{"message":"subscribe","topics":["\#(topics[0])"],"correlationId":"2f1c0f0e-0000-4000-8000-000000000002"}"#
}
