import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct ChannelMisuseTests {
    @Test func `a CA file that is missing fails at init, with its name`() throws {
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .file("/nonexistent/ca.pem")
        let loop = try UVLoop()
        let failure = #expect(throws: ChannelFailure.self) {
            try NotificationChannel(
                uri: "wss://localhost/channels/a", topics: [], on: loop, configuration: configuration)
        }
        #expect(failure?.reason == .tlsHandshake)
        #expect(
            failure?.description
                == "The channel could not be opened: the CA file “/nonexistent/ca.pem” cannot be read: "
                + "No such file or directory.")
        #expect(loop.registry.openCount == 1)
    }

    @Test func `a rollover to an invalid URI throws and changes nothing`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, Step.subscription + [.notify(1)] + Step.goodbye)
        let host = ChannelHost()
        var failure: ChannelFailure?
        host.didHear = { channel, event in
            guard event == .subscribed else { return }
            let state = channel.machine.state
            failure = #expect(throws: ChannelFailure.self) { try channel.rollover(to: "wss://localhost/secret path") }
            #expect(channel.machine.state == state)
        }
        host.didReceive = { channel, _ in channel.close() }
        try host.run(on: server)
        #expect(host.events == [.subscribed, .closed])
        #expect(failure?.kind == .rollover)
        #expect(failure?.reason == .invalidURI)
        #expect(failure?.description == "The rollover failed and the old connection goes on: the URI holds a space.")
        #expect(server.connections.count == 1)
    }

    @Test(arguments: [
        ("", "the URI is empty"), ("https://a/", "the scheme of the URI is neither ws nor wss"),
        ("wss://user@a/", "the URI holds user information, which WebSockets do not use"),
    ])
    func `an invalid URI is refused at init without being repeated`(uri: String, clause: String) throws {
        let loop = try UVLoop()
        let failure = #expect(throws: ChannelFailure.self) { try NotificationChannel(uri: uri, topics: [], on: loop) }
        #expect(failure?.description == "The channel could not be opened: \(clause).")
    }

    @Test func `topics that the service would not take are refused here, and the old ones stay`() throws {
        let loop = try UVLoop()
        let channel = try NotificationChannel(uri: "ws://localhost/a", topics: ["v2.a", "v2.a"], on: loop)
        #expect(channel.topics == ["v2.a"])
        for topics in [["v2.a b"], [Topic(String(repeating: "x", count: 201))], (0...1_000).map { Topic("v2.\($0)") }] {
            let failure = #expect(throws: ChannelFailure.self) { try channel.setTopics(topics) }
            #expect(failure?.reason == .subscriptionRefused)
            #expect(failure?.description.hasPrefix("The topics cannot be subscribed to: ") == true)
        }
        #expect(channel.topics == ["v2.a"])
    }

    @Test func `every call traps on another thread, with a sentence`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Smuggler(try NotificationChannel(uri: "ws://localhost/a", topics: [], on: UVLoop()))
                .readTopicsElsewhere()
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("NotificationChannel.topics was called on a thread that is not its event loop's"))
    }

    @Test func `neither printing nor dumping a channel shows its URI`() throws {
        let channel = try NotificationChannel(
            uri: "ws://localhost/channels/streaming-0-secret", topics: ["v2.a"], on: UVLoop())
        var dumped = ""
        dump(channel, to: &dumped)
        for text in ["\(channel)", String(reflecting: channel), dumped] {
            #expect(!text.contains("secret"))
        }
        #expect("\(channel)" == "NotificationChannel(ws://localhost/…, 1 topics)")
    }
}

/// Carries a channel to another thread.
private final class Smuggler: @unchecked Sendable {
    private let channel: NotificationChannel
    init(_ channel: NotificationChannel) { self.channel = channel }
    func readTopicsElsewhere() { onOtherThread { print(self.channel.topics) } }
}
