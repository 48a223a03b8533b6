import GenesysLoop

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Opens many connections and holds them.
///
/// As many at a time as every compared client, or all at once, paced by the library.
final class IdleHolder: NotificationChannelDelegate, WebSocketClientDelegate {
    private static let maxOpeningCount = 64

    private let options: StreamOptions
    private let loop: UVLoop
    private let count: Int
    private var channels: [NotificationChannel] = []
    private var clients: [WebSocketClient] = []
    private var readyCount = 0

    init(_ options: StreamOptions, count: Int, on loop: UVLoop) {
        self.options = options
        self.loop = loop
        self.count = count
    }

    func run() throws {
        // Ending at once loses nothing: the kernel closes the connections.
        _ = signal(SIGTERM) { _ in _exit(0) }
        for _ in 0..<(options.isAtOnce ? count : min(count, IdleHolder.maxOpeningCount)) { try openNext() }
        loop.run()
        give("The loop ended before SIGTERM came.")
    }

    private func openNext() throws {
        guard channels.count + clients.count < count else { return }
        if options.isWebSocket {
            let client = try WebSocketClient(
                uri: options.uri, on: loop, delegate: self, configuration: StreamClient.configuration(options))
            clients.append(client)
            client.open()
        } else {
            let channel = try NotificationChannel(
                uri: options.uri, topics: Subscription.topics, on: loop, delegate: self,
                configuration: StreamClient.configuration(options))
            channels.append(channel)
            channel.open()
        }
    }

    private func becameReady() {
        readyCount += 1
        if readyCount == count {
            print("READY")
            _ = fflush(nil)
        }
        do {
            try openNext()
        } catch {
            give("\(error)")
        }
    }

    private func give(_ reason: String) -> Never {
        StreamClient.complain("\(readyCount) of \(count) connections: \(reason)")
        exit(69)
    }

    // MARK: - Channels

    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) { becameReady() }
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { give(failure.description) }

    // MARK: - Bare WebSockets

    func webSocketDidOpen(_ client: WebSocketClient) {
        do {
            _ = try client.send(text: Subscription.command)
            becameReady()
        } catch {
            give("\(error)")
        }
    }

    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>) {}
    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>) {}
    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String) { give("closed with \(code)") }
    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure) { give(failure.description) }
}
