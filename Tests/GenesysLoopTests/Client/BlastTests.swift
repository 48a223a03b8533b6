import Foundation
import Testing

@testable import GenesysLoop

/// A service that sends as fast as it can to a host that pauses. It runs in a process of its own, so that no other test
/// allocates memory.
@Suite(.timeLimit(.minutes(patience(10)))) struct BlastTests {
    @Test func `64 MiB blasted at a delegate that pauses stay in the sockets, and nothing is lost`() async {
        await #expect(processExitsWith: .success) {
            try Blast(messageCount: 1_024).run()
        }
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["GENESYS_LOOP_ALL"] == "1", "with --all only"))
    func `a GiB blasted at a delegate that pauses stays in the sockets, and nothing is lost`() async {
        await #expect(processExitsWith: .success) {
            try Blast(messageCount: 16_384).run()
        }
    }
}

/// Traps on an error: it runs in a process of its own.
private final class Blast: NotificationChannelDelegate {
    private static let messageByteCount = 64 * 1_024
    /// What a channel may keep: the data of one read, and a partial message.
    private static let bound = 64 * 1_024 + messageByteCount

    private struct Body: Decodable { let n: Int }

    private let messageCount: Int
    private let server: EchoServer
    private var sentCount = 0
    private var receivedCount = 0
    private var pauseCount = 0
    private var isOver = false
    private var memoryAtStart = 0
    private var memoryAtMost = 0

    init(messageCount: Int) throws {
        self.messageCount = messageCount
        server = try EchoServer(UVLoop(), tls: true)
    }

    func run() throws {
        server.didOpen = { [unowned self] connection in feed(connection) }
        server.didDrain = { [unowned self] connection in feed(connection) }
        server.didReceive = { connection, event in
            if case .close = event { connection.answer(event) }
        }
        var configuration = ChannelConfiguration()
        configuration.tls = try EchoServer.trust()
        configuration.reconnect = .never
        let channel = try NotificationChannel(
            uri: server.uri, topics: [], on: server.loop, delegate: self, configuration: configuration)
        channel.open()
        server.run(atMost: .seconds(300))
        precondition(isOver && receivedCount == messageCount, "\(receivedCount) of \(messageCount) arrived")
        precondition(pauseCount > messageCount / 100, "only \(pauseCount) pauses")
        // A sanitizer keeps freed memory on purpose.
        guard ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] == nil else { return }
        let growth = memoryAtMost - memoryAtStart
        precondition(growth < 2 * Blast.bound, "grew by \(growth) bytes")
    }

    /// Keeps the socket full.
    private func feed(_ connection: EchoConnection) {
        while sentCount < messageCount, connection.tcp.queuedByteCount == 0 {
            sentCount += 1
            let text = notification(sentCount, padding: Blast.messageByteCount - 100)
            connection.send(.text, Array(text.utf8))
        }
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        receivedCount += 1
        // In order, without gaps or repeats.
        guard let body = try? notification.decode(Body.self), body.n == receivedCount else {
            preconditionFailure("number \(receivedCount) did not come")
        }
        if receivedCount == messageCount / 8 { memoryAtStart = Blast.residentByteCount() }
        if receivedCount == messageCount { return channel.close() }
        guard receivedCount % 64 == 0 else { return }
        pauseCount += 1
        channel.pause()
        let bound = LoopBound(channel, on: channel.loop)
        // Time for the server to fill the sockets.
        channel.loop.afterTurns(200) { [self] in
            if receivedCount > messageCount / 8 { memoryAtMost = max(memoryAtMost, Blast.residentByteCount()) }
            bound.value.resume()
        }
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { preconditionFailure("a gap") }
    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        preconditionFailure("a loss")
    }
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { preconditionFailure("\(failure)") }

    func channelDidClose(_ channel: NotificationChannel) {
        isOver = true
        server.end()
    }

    private static func residentByteCount() -> Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4_096 : 0
    }
}
