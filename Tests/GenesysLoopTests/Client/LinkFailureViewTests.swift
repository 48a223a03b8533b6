import Testing

@testable import GenesysLoop

/// `ChannelFailure` and `WebSocketFailure` as views of one cause.
@Suite struct LinkFailureViewTests {
    @Test func `each cause has its reason, phase and sentence in both views`() throws {
        for row in try LinkFailureTable.rows() {
            let channel = ChannelFailure(row.cause)
            let webSocket = WebSocketFailure(row.cause)
            #expect(channel.reason == row.reason && webSocket.reason == row.reason, "\(row.sentence)")
            #expect(channel.phase == row.phase && webSocket.phase == row.phase, "\(row.sentence)")
            #expect(Self.flags(of: channel) == row.flags, "\(row.sentence)")
            #expect(webSocket.isRetryable == channel.isRetryable, "\(row.sentence)")
            #expect(Self.words(of: channel) == row.said, "\(row.sentence)")
            let below = channel.underlying.map { "\($0.operation)/\($0.code)/\($0.text)" }
            #expect(below == row.below)
            #expect(webSocket.underlying == channel.underlying, "\(row.sentence)")
            #expect(channel.description == "The channel could not be opened: \(row.sentence)")
            let wasOpen = [.open, .close].contains(row.phase)
            let start = wasOpen ? "The WebSocket was lost: " : "The WebSocket could not be opened: "
            #expect(webSocket.description == start + row.webSocket)
        }
    }

    @Test func `neither view keeps what a peer repeats of a secret`() throws {
        let uri = try WebSocketURI("wss://h/channels/streaming-1-secretpart")
        let words = "no streaming-1-secretpart"
        let refusal = RefusedUpgrade(
            answer: try .of(302, ["Location: /x?streaming-1-secretpart"], reason: words), uri: uri,
            time: WallTime(seconds: 0))
        let proxy = try ProxyURI("http://user:secretpart@proxy.test")
        for cause: LinkFailure in [
            .refused(refusal), .proxy(.refused(try .of(407, body: "user:secretpart")), of: proxy, at: refusal.time),
            .closed(CloseFrame(code: .normal, reason: words, safeReason: "no …"), during: .open),
        ] {
            var dumped = ""
            dump((ChannelFailure(cause), WebSocketFailure(cause)), to: &dumped)
            #expect(!dumped.contains("secretpart"))
        }
    }

    private static func flags(of failure: ChannelFailure) -> String {
        let flags = [
            (failure.isRetryable, "retryable"), (failure.isCertificateFault, "certificate"),
            (failure.isProxyAuthorizationFault, "authorization"), (failure.isFinalOnReconnect, "final"),
        ]
        return flags.filter(\.0).map(\.1).joined(separator: ",")
    }

    private static func words(of failure: ChannelFailure) -> String {
        let words = [
            failure.message, failure.correlationID, failure.location, failure.status.map { "\($0)" },
            failure.retryAfter.map { "\($0)" },
        ]
        return words.map { $0 ?? "-" }.joined(separator: " | ")
    }
}
