import GenesysLoop
import GenesysSimulator
import Testing

/// The delegate under test.
final class Listener: NotificationChannelDelegate {
    private(set) var gaps: [Gap] = []
    private(set) var count = 0
    private let whenRecovered: () -> Void

    init(whenRecovered: @escaping () -> Void) { self.whenRecovered = whenRecovered }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        count += 1
        if !gaps.isEmpty { whenRecovered() }
    }
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { gaps.append(gap) }
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { Issue.record(failure) }
}

@Suite struct ResetTests {
    @Test func `a listener knows of the gap after a reset, and receives again`() throws {
        let loop = try UVLoop()
        let server = try SimulatorServer(on: loop, seed: 1)
        server.start()
        let listener = Listener { loop.closeAll() }
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .pem(server.caCertificatePEM)
        let channel = try NotificationChannel(
            uri: try server.createChannel().uri, topics: ["v2.users.ID.presence"], on: loop, delegate: listener,
            configuration: configuration)
        channel.open()
        loop.schedule(after: .milliseconds(200)) { server.disconnect(.all, .reset) }
        loop.run(for: .seconds(10))  // at most: `closeAll()` ends it earlier
        #expect(listener.gaps.map(\.reason) == [.connectionClosed])
        #expect(listener.count > 0 && channel.state == .ended)
    }
}
