import GenesysLoop
import Testing

@testable import service_host

/// Tests the delegate of `Examples/Service`: a test makes the values that a delegate is handed, and a channel that it
/// never opens.
@Suite struct BoardTests {
    private let channel: NotificationChannel
    private let board: Board
    private let changes: AsyncStream<Int>

    init() throws {
        let (changes, continuation) = AsyncStream.makeStream(of: Int.self)
        self.changes = changes
        board = Board(continuation)
        channel = try NotificationChannel(uri: "ws://localhost/", topics: ["v2.a", "v2.b"], on: UVLoop())
    }

    @Test func `a board counts the notifications of each topic`() async throws {
        for topic in ["v2.a", "v2.b", "v2.a"] as [Topic] {
            let notification = try OwnedNotification(topic: topic, body: #"{"id": "1"}"#)
            board.channel(channel, didReceive: notification.borrowed)
        }
        board.channelDidClose(channel)
        #expect(board.countOfTopic == ["v2.a": 2, "v2.b": 1])
        #expect(await changes.reduce(into: []) { $0.append($1) } == [1, 2, 3])
        #expect(!board.isStale)
    }

    @Test func `a board is stale after a gap, and keeps the failure`() {
        let noon = WallTime(seconds: 1_785_499_200)
        board.channel(channel, didMiss: Gap(from: noon, to: noon + .seconds(5), reason: .heartbeatLost))
        #expect(board.isStale && board.failure == nil)
        let failure = ChannelFailure(kind: .reconnect, reason: .connect, phase: .connect)
        board.channel(channel, didFail: failure)
        #expect(board.failure == failure)
    }
}
