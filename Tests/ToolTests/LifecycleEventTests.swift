import GenesysPlatform
import Logging
import Testing
import ToolSupport

@testable import GenesysLoop
@testable import genesys_loop

@Suite struct LifecycleEventTests {
    private static let time = WallTime(seconds: 1_785_488_703, nanoseconds: 1_000_000)
    private static let at = #""at":"2026-07-31T09:05:03.001Z""#
    private static let failure = ChannelFailure(reason: .invalidStatusCode, phase: .upgrade, status: 503)

    static let table: [(LifecycleEvent, String)] = [
        (.subscribed(["v2.a", "v2.\"b\""]), #"{"event":"subscribed",AT,"topics":["v2.a","v2.\"b\""]}"#),
        (
            .reconnecting(ReconnectAttempt(number: 2, delay: .milliseconds(350), failure: failure)),
            #"{"event":"reconnecting",AT,"attempt":2,"delay":0.35,"reason":"invalidStatusCode","status":503,"#
                + #""message":"The channel could not be opened: the server answered the upgrade with HTTP status 503."}"#
        ),
        (
            .reconnecting(ReconnectAttempt(number: 1, delay: .zero, failure: .init(reason: .dns, phase: .dns))),
            #"{"event":"reconnecting",AT,"attempt":1,"delay":0,"reason":"dns","message":"The channel could not be opened: "#
                + #"the host name could not be resolved. Check the host name and the network."}"#
        ),
        (
            .recovered(
                Recovery(
                    method: .extension, attemptCount: 1, reconnectCount: 0, rolloverCount: 0, extensionCount: 1,
                    mergedRepeats: 0)), #"{"event":"recovered",AT,"by":"extension"}"#
        ),
        (
            .gap(Gap(from: WallTime(seconds: 0), to: time, reason: .heartbeatLost)),
            #"{"event":"gap",AT,"from":"1970-01-01T00:00:00.000Z","to":"2026-07-31T09:05:03.001Z","reason":"heartbeatLost"}"#
        ),
        (.linesDropped(3), #"{"event":"linesDropped",AT,"count":3}"#),
        (
            .willExpire(.maintenance(deadline: WallTime(seconds: 0))),
            #"{"event":"willExpire",AT,"by":"maintenance","deadline":"1970-01-01T00:00:00.000Z"}"#
        ),
        (
            .willExpire(.lifetime(deadline: WallTime(seconds: 0))),
            #"{"event":"willExpire",AT,"by":"lifetime","deadline":"1970-01-01T00:00:00.000Z"}"#
        ),
        (
            .rejected(RejectedTopics(topics: ["v2.a"], status: 400, message: "no\n")),
            #"{"event":"rejected",AT,"topics":["v2.a"],"missingPermissions":[],"status":400,"message":"no\n"}"#
        ),
        (
            .rejected(
                RejectedTopics([
                    .init(topic: "v2.a", reason: "r", missingPermissions: ["p:q", "s:t"]),
                    .init(topic: "v2.b", reason: "r", missingPermissions: ["s:t"]),
                ])),
            #"{"event":"rejected",AT,"topics":["v2.a","v2.b"],"reason":"r","missingPermissions":["p:q","s:t"],"status":0}"#
        ),
        (.token(lifetime: .seconds(86_399)), #"{"event":"token",AT,"lifetime":86399}"#),
        (.token(lifetime: nil), #"{"event":"token",AT}"#),
        (.channelMade(ChannelCount(ours: 1, all: 4)), #"{"event":"channelMade",AT,"ours":1,"all":4}"#),
        (.channelMade(ChannelCount(ours: 1)), #"{"event":"channelMade",AT,"ours":1}"#),
        (.channelGone(.httpNotFound), #"{"event":"channelGone",AT,"reason":"httpNotFound"}"#),
        (.throttled(.milliseconds(1_500)), #"{"event":"throttled",AT,"seconds":1.5}"#),
        (
            .discarded(DiscardedMessage(reason: .invalidMessage, bytes: [1])),
            #"{"event":"discarded",AT,"reason":"invalidMessage"}"#
        ),
        (.closed, #"{"event":"closed",AT}"#),
        (.log(.warning, "\u{1B}[0m\\"), #"{"event":"log",AT,"level":"warning","message":"\u001b[0m\\"}"#),
    ]

    @Test(arguments: table)
    func `an event is one JSON object with fixed members`(event: LifecycleEvent, line: String) {
        #expect(event.json(at: Self.time) == line.replacing("AT", with: Self.at))
    }

    @Test(arguments: table)
    func `an event of a channel that the tool makes has its number, and one of the whole tool has none`(
        event: LifecycleEvent, line: String
    ) {
        let isOfTool = ["closed", "failed", "token", "throttled", "statistics", "log", "linesDropped"].contains(
            event.name)
        let start = isOfTool ? Self.at : Self.at + #","shard":0"#
        #expect(event.json(at: Self.time, shard: 0) == line.replacing("AT", with: start))
    }

    @Test func `a failure tells what failed, why, where, and the HTTP status`() {
        let line = LifecycleEvent.failed(Self.failure.asKind(.reconnect)).json(at: Self.time)
        let start =
            #"{"event":"failed",AT,"kind":"recovery.reconnect","reason":"invalidStatusCode","phase":"upgrade","#
            + #""status":503,"message":"The channel was lost"#
        #expect(line.hasPrefix(start.replacing("AT", with: Self.at)))
        let rollover = LifecycleEvent.rolloverFailed(Self.failure.asKind(.rollover)).json(at: Self.time)
        #expect(rollover.contains(#""reason":"invalidStatusCode","status":503,"message":"The rollover failed"#))
    }

    @Test func `a failure tells what to do about it, whatever it was`() {
        let gone = ChannelFailure(reason: .httpNotFound, phase: .upgrade, status: 404)
        #expect(
            LifecycleEvent.failed(gone).json(at: Self.time)
                .hasSuffix(#","remedy":"Create a new channel over REST."}"#))
        #expect(LifecycleEvent.failed(Self.failure).json(at: Self.time).contains(#","remedy":"Try again later"#))
        let broken = ChannelFailure(reason: .protocolViolation, phase: .open)
        #expect(
            LifecycleEvent.failed(broken).json(at: Self.time).contains(#","remedy":"Tell those who run the server"#))
    }

    @Test(arguments: table)
    func `for people an event is one line without control characters`(event: LifecycleEvent, line: String) {
        let text = EventLog(style: .text(hasColor: false)).line(event, at: Self.time)
        #expect(text.hasPrefix("genesys-loop: "))
        #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }

    @Test func `a retry tells people the whole of what failed`() {
        let failure = ChannelFailure(
            reason: .connect, phase: .connect,
            underlying: ChannelFailure.Underlying(
                operation: "connect", code: -111, text: "192.0.2.1:443: connection refused"))
        let event = LifecycleEvent.reconnecting(
            ReconnectAttempt(number: 2, delay: .milliseconds(350), failure: failure))
        #expect(
            event.sentence == "Attempt 2 starts in 0.35 s. The channel could not be opened: no TCP connection could be "
                + "made (192.0.2.1:443: connection refused). Check the network, the firewall and the port.")
    }

    @Test func `color is for terminals only`() {
        let event = LifecycleEvent.closed
        #expect(EventLog(style: .text(hasColor: false)).line(event, at: Self.time) == "genesys-loop: closed")
        #expect(EventLog(style: .text(hasColor: true)).line(event, at: Self.time).contains("\u{1B}[1m"))
    }

    @Test func `a line has its time in a file, and its priority in the journal`() {
        let closed = EventLog(style: .timed).line(.closed, at: Self.time)
        #expect(closed == "\(Self.time) genesys-loop: closed")
        let priorities: [(LifecycleEvent, Int)] = [
            (.closed, 6), (.linesDropped(2), 4), (.failed(Self.failure), 3), (.log(.trace, "a"), 7),
            (.log(.debug, "a"), 7), (.log(.info, "a"), 6), (.log(.notice, "a"), 5), (.log(.warning, "a\nb"), 4),
            (.log(.error, "a"), 3), (.log(.critical, "a"), 2),
        ]
        for (event, priority) in priorities {
            let line = EventLog(style: .journal).line(event, at: Self.time)
            #expect(line == "<\(priority)>\(EventLog.printable(event.sentence))")
        }
    }

    @Test func `a URI among the arguments is not repeated`() {
        let message = "Error: Unexpected argument 'wss://h/secret' and '--url=wss://h/secret'"
        let redacted = Redaction.redact(["wss://h/secret", "--url=wss://h/secret", "listen"], in: message)
        #expect(redacted == "Error: Unexpected argument 'wss://…' and '--url=wss://…'")
    }

    @Test(arguments: [
        ("The URI file “wss://h:1/SECRET” cannot be read.", "The URI file “wss://h:1/…” cannot be read."),
        (
            "The topic 'wss://h/SECRET v' holds white space.",
            "The topic 'wss://h/… v' holds white space."
        ),
        ("the topics are wss://h/a/SECRET?b, v2.a", "the topics are wss://h/… v2.a"),
        ("It ends here: ws://h/SECRET.", "It ends here: ws://h/…."), ("http://me:SECRET@h:3128", "http://h:3128"),
        ("The URI is wss://h/….", "The URI is wss://h/…."), ("http:// and wss://h/ stay", "http:// and wss://h/ stay"),
    ])
    func `of a URI in a sentence only the scheme, the host and the port are shown`(text: String, shown: String) {
        #expect(Redaction.withoutPaths(text) == shown)
    }
}
