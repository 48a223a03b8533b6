import Testing

@testable import GenesysLoop

/// A server that resets the connection in every phase of the channel.
@Suite(.timeLimit(.minutes(patience(1)))) struct ChannelResetTests {
    /// What happens before the server resets.
    struct Reach: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var script: [Step]
        /// The events of the channel.
        var events: [ChannelHost.Event] = [.failed(.connectionClosed)]
        var phase: ChannelFailure.Phase?
    }

    private static let open = Step.subscription + [.notify(1)]

    // A reset in the same turn as earlier data would overtake it (and libuv's POLLHUP makes an EOF of it).
    static let encrypted = [
        Reach(testDescription: "before a byte of TLS", script: [.deaf, .turn, .turn], phase: .tls),
        Reach(testDescription: "in the upgrade", script: [.request, .turn, .turn], phase: .upgrade),
    ]
    static let both = [
        Reach(
            testDescription: "before the confirmation", script: Step.upgrade + [.message, .turn, .turn],
            phase: .subscribe),
        Reach(
            testDescription: "when open", script: open + [.turn, .turn],
            events: [.subscribed, .failed(.connectionClosed)], phase: .open),
        // The reason no longer matters.
        Reach(testDescription: "when closing", script: open + [.closeFrame], events: [.subscribed, .closed]),
    ]
    static let plain = [
        Reach(testDescription: "in the upgrade", script: [.request, .turn, .turn], phase: .upgrade)
    ]

    @Test(arguments: plain + both) func `a reset is told in its phase`(reach: Reach) throws {
        try check(reach, tls: false)
    }

    @Test(arguments: encrypted + both) func `a reset under TLS is told in its phase`(reach: Reach) throws {
        try check(reach, tls: true)
    }

    private func check(_ reach: Reach, tls: Bool) throws {
        let server = try ScriptedServer(UVLoop(), tls: tls, reach.script + [.reset])
        let host = ChannelHost()
        if reach.phase == nil { host.didReceive = { channel, _ in channel.close() } }
        try host.run(on: server)
        #expect(host.events == reach.events)
        #expect(host.failure?.phase == reach.phase)
        #expect(host.openCountAtEnd == 0)
        if reach.phase != nil {
            #expect(host.failure?.underlying?.text == "connection reset by peer")
            #expect(host.failure?.isRetryable == true)
        }
    }
}
