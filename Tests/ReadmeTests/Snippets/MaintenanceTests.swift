import GenesysLoop
import GenesysSimulator
import Testing

/// The delegate under test.
final class Mover: NotificationChannelDelegate {
    private(set) var recoveries: [Recovery.Method] = []
    private(set) var gaps: [Gap] = []
    private let whenRecovered: () -> Void

    init(whenRecovered: @escaping () -> Void) { self.whenRecovered = whenRecovered }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { gaps.append(gap) }
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { Issue.record(failure) }
    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {
        recoveries.append(recovery.method)
        whenRecovered()
    }
}

@Suite struct MaintenanceTests {
    @Test func `a channel misses nothing when the service announces maintenance`() throws {
        var service = SimulatedService.Configuration()
        service.endings.maintenanceLead = .seconds(2)  // from the notice to the end of the connection
        service.publishing.rate = 100  // notifications per second
        let loop = try UVLoop()
        let server = try SimulatorServer(on: loop, configuration: service, seed: 1)
        server.start()
        let mover = Mover { loop.closeAll() }
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .pem(server.caCertificatePEM)
        let channel = try NotificationChannel(
            uri: try server.createChannel().uri, topics: ["v2.users.ID.presence"], on: loop, delegate: mover,
            configuration: configuration)
        channel.open()
        loop.schedule(after: .milliseconds(200)) { server.announceMaintenance() }
        loop.run(for: .seconds(10))  // at most
        #expect(mover.recoveries == [.rollover] && mover.gaps.isEmpty)
    }
}
