import GenesysLoop
import GenesysPlatform
import GenesysSimulator
import Testing

extension PageCodeTests {
    @Suite struct ProvisionedTests {
        final class Host: ProvisionedChannelDelegate {
            var receivedCount = 0

            func channel(_ channel: ProvisionedChannel, didReceive notification: ChannelNotification) {
                receivedCount += 1
                channel.loop.closeAll()
            }
            func channel(_ channel: ProvisionedChannel, didMiss gap: Gap) {}
            func channel(_ channel: ProvisionedChannel, didFail failure: ChannelFailure) {}
        }

        @Test func `an OAuth client leads to notifications`() throws {
            let loop = try UVLoop()
            var configuration = SimulatedService.Configuration()
            configuration.tokens.areRequired = true
            let server = try SimulatorServer(on: loop, tls: false, configuration: configuration, seed: 1)
            server.start()
            let host = Host()
            try runProvisionedChannel(
                id: configuration.tokens.clientID, secret: configuration.tokens.clientSecret,
                region: PlatformRegion(loginBase: server.restBase, apiBase: server.restBase), host: host, on: loop)
            #expect(host.receivedCount == 1)
        }
    }
}
