import GenesysLoop
import GenesysSimulator
import Testing

extension PageCodeTests {
    @Suite struct MetricsTests {
        final class Host: NotificationChannelDelegate {
            func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
                channel.loop.closeAll()
            }
            func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
            func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
            func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {}
            func channelDidClose(_ channel: NotificationChannel) {}
        }

        @Test func `a program passes its statistics on, and its loop ends as before`() throws {
            let loop = try UVLoop()
            let server = try SimulatorServer(on: loop, tls: false, seed: 1)
            server.start()
            let host = Host()
            let channel = try NotificationChannel(
                uri: try server.createChannel().uri, topics: ["v2.users.ID.presence"], on: loop, delegate: host)
            runWithMetrics(channel, on: loop)
            #expect(channel.statistics.receivedCount == 1)
            #expect(channel.state == .ended)
        }
    }
}
