import GenesysLoop
import Testing

extension PageCodeTests {
    @Suite struct OptionalMethodsTests {
        @Test func `the methods of the page are those that a channel calls`() throws {
            let channel = try NotificationChannel(uri: "ws://localhost/", topics: ["v2.a"], on: UVLoop())
            let failure = ChannelFailure(kind: .reconnect, reason: .connect, phase: .connect)
            let host: any NotificationChannelDelegate = Host()
            Printed.begin()
            // A method with another signature would be beside the empty default, which prints nothing.
            host.channel(channel, didChange: .subscribed)
            host.channel(channel, didSubscribe: ["v2.a"])
            host.channel(channel, willReconnect: ReconnectAttempt(number: 1, delay: .zero, failure: failure))
            host.channel(channel, didRecover: Recovery(method: .reconnect))
            host.channel(channel, didFailRollover: failure)
            host.channel(channel, didReject: RejectedTopics(topics: ["v2.a"]))
            host.channel(channel, didDiscard: DiscardedMessage(reason: .invalidMessage, bytes: []))
            host.channelDidClose(channel)
            #expect(Printed.end().count == 8)
        }
    }
}
