import GenesysLoop
import Testing

extension PageCodeTests {
    @Suite struct RemediesTests {
        @Test(arguments: [
            (FailureReason.heartbeatLost, "reopen 1.0 minutes"), (.httpNotFound, "channel"), (.tokenRevoked, "token"),
            (.tlsExpired, "report"), (.protocolViolation, "report"),
        ])
        func `the delegate of the page does what the remedy says`(_ reason: FailureReason, _ deed: String) throws {
            let channel = try NotificationChannel(uri: "ws://localhost/", topics: [], on: UVLoop())
            var deeds: [String] = []
            let host = Remedies(
                createChannel: { deeds.append("channel") }, fetchToken: { deeds.append("token") },
                reopen: { deeds.append("reopen \($0 / .seconds(60)) minutes") }, report: { _ in deeds.append("report") }
            )
            host.channel(channel, didFail: ChannelFailure(kind: .reconnect, reason: reason, phase: .open))
            #expect(deeds == [deed])
        }
    }
}
