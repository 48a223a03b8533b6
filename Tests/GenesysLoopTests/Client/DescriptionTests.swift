import Testing

@testable import GenesysLoop

/// The text of a printed public value: a sentence, not a struct, without secrets.
@Suite struct DescriptionTests {
    private static let from = WallTime(seconds: 1_785_488_703, nanoseconds: 7_000_000)
    private static let to = WallTime(seconds: 1_785_488_714, nanoseconds: 999_999_999)
    private static let failure = ChannelFailure(kind: .receive, reason: .heartbeatLost, phase: .open)
    private static let recovery = Recovery(
        method: .reconnect, attemptCount: 2, reconnectCount: 3, rolloverCount: 1, extensionCount: 0, mergedRepeats: 4)

    private static func recovery(by method: Recovery.Method) -> Recovery {
        var recovery = recovery
        recovery.method = method
        return recovery
    }

    @Test(arguments: [
        (
            Gap(from: from, to: to, reason: .heartbeatLost) as any Sendable,
            """
            Notifications may have been missed from 2026-07-31T09:05:03.007Z to 2026-07-31T09:05:14.999Z (heartbeatLost).
            """
        ),
        (Expiry.lifetime(deadline: from), "The channel's life ends at 2026-07-31T09:05:03.007Z."),
        (
            Expiry.maintenance(deadline: to),
            "The service closes this connection for maintenance, at the latest at 2026-07-31T09:05:14.999Z."
        ),
        (
            ReconnectAttempt(number: 2, delay: .milliseconds(350), failure: failure),
            """
            Attempt 2 starts in 0.35 s. The channel was lost: nothing was heard from the service and it did not answer \
            a ping.
            """
        ),
        (
            recovery,
            "The channel connected again with attempt 2. Reconnects 3, rollovers 1, extensions 0, merged repeats 4."
        ),
        (
            recovery(by: .rollover),
            """
            The channel moved to a new connection without a break. Reconnects 3, rollovers 1, extensions 0, merged \
            repeats 4.
            """
        ),
        (
            recovery(by: .extension),
            "The channel's life was extended. Reconnects 3, rollovers 1, extensions 0, merged repeats 4."
        ),
        (
            RejectedTopics(topics: ["v2.a"], status: 403, message: "no\u{1B}[31m permission"),
            "The service did not accept 1 topic (403): v2.a; it said: no [31m permission."
        ),
        (
            RejectedTopics(topics: (1...12).map { Topic("v2.\($0)") }, status: 0, message: nil),
            """
            The service did not accept 12 topics: v2.1, v2.2, v2.3, v2.4, v2.5, v2.6, v2.7, v2.8, v2.9, v2.10 and 2 more.
            """
        ),
        (
            RejectedTopics([
                .init(topic: "v2.a", reason: "no\nsuch user"),
                .init(topic: "v2.b", missingPermissions: ["x:y:view", "z"]),
                .init(topic: "v2.c", reason: "no", missingPermissions: ["x"]), .init(topic: "v2.d"),
            ]),
            """
            The service did not accept 4 topics: v2.a (no such user), v2.b (missing x:y:view, z), v2.c (no; missing x), \
            v2.d.
            """
        ),
        (
            DiscardedMessage(reason: .invalidMessage, bytes: Array("payload".utf8)),
            "A message of 7 bytes is no notification and was discarded (invalidMessage)."
        ),
        (ChannelFailure.Kind.connection, "initialization.connection"),
        (
            ChannelFailure.Underlying(operation: "connect", code: -111, text: "connection refused"),
            "connect: connection refused (-111)"
        ),
        (CloseCode.goingAway, "1001 (going away)"), (Topic("v2.a"), "v2.a"), (FailureReason.dns, "dns"),
    ])
    func `a value prints as a sentence`(value: any Sendable, sentence: String) {
        #expect("\(value)" == sentence)
    }

    @Test func `statistics print every member that is known`() {
        var statistics = ChannelStatistics()
        let none = "\(statistics)"
        #expect(none.hasPrefix("state idle, receivedCount 0, ") && !none.contains("silence"))
        statistics.silence = .milliseconds(1_500)
        statistics.lastNotificationAge = .seconds(2)
        statistics.pingRoundTrip = .milliseconds(7)
        statistics.lossesByReason = [.heartbeatLost: 1, .connectionClosed: 2]
        statistics.gapDurationsByReason = [.heartbeatLost: .milliseconds(1_500)]
        let parts = "\(statistics)".split(separator: ",")
        #expect(parts.contains(" silence 1.5 s"))
        #expect(parts.contains(" lossesByReason connectionClosed 2 and heartbeatLost 1"))
        #expect(parts.contains(" gapDurationsByReason heartbeatLost 1.5 s"))
        #expect(parts.count == Mirror(reflecting: statistics).children.count)
    }

    /// All ways in which a value becomes text.
    private func texts(of value: Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        return ["\(value)", String(reflecting: value), dumped, "\([value])", "\(Optional(value) as Any)"]
    }

    @Test func `keys, passphrases, headers, passwords and payloads are in no text of a value`() throws {
        // Neither as text nor as byte values.
        let secret = "seCret"
        let bytes = Array(secret.utf8)
        var tls = TLSConfiguration(trust: .pem(bytes))
        tls.identity = ClientIdentity(certificate: .pem(bytes), key: .pem(bytes), passphrase: .init(secret))
        var channel = ChannelConfiguration()
        channel.tls = tls
        channel.proxy = .url(try ProxyURI("http://user:\(secret)@proxy"))
        var client = WebSocketClientConfiguration()
        client.tls = tls
        client.headers = [("Authorization", "Bearer \(secret)")]
        client.subprotocols = ["token-\(secret)"]
        client.proxy = channel.proxy
        let message = Array(#"{"topicName":"v2.a","eventBody":"\#(secret)"}"#.utf8)
        let owned = ChannelNotification(message.span, envelope: try EnvelopeTesting.scan(message)).copy()
        for value in [tls, tls.identity as Any, tls.trust, channel, client, channel.proxy] {
            for text in texts(of: value) {
                #expect(!text.contains(secret) && !text.contains("67, 114"), "\(text)")
                #expect(!text.contains(": 67\n"), "\(text)")
            }
        }
        #expect("\(client)".contains("Authorization"))
        #expect("\(owned)" == "v2.a: \(message.count) bytes")
        #expect("\(DiscardedMessage(reason: .invalidMessage, bytes: bytes))".contains(secret) == false)
    }
}
