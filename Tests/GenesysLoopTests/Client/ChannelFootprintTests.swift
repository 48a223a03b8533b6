import Testing

@testable import GenesysLoop

/// The memory of an idle channel: thousands of them share one process.
@Suite(.timeLimit(.minutes(patience(1)))) struct ChannelFootprintTests {
    @Test func `what lies in the objects of a channel is small`() {
        #expect(MemoryLayout<ChannelMachine>.size <= 904)
        #expect(MemoryLayout<GenesysLoop.ChannelDriver>.size <= 152)
        #expect(MemoryLayout<DriverCore<ChannelMachine.Action>>.size <= 80)
        #expect(MemoryLayout<ChannelCounters>.size <= 48)
        #expect(MemoryLayout<Inbound>.size <= 304)
    }

    @Test func `what is left after the confirmation holds no storage`() throws {
        let server = try ScriptedServer(
            UVLoop(), tls: true,
            Step.subscription + [.turn, .notify(1), .turn, .notify(2)] + Step.goodbye + [.clientEnd])
        let host = ChannelHost()
        var capacities: [Int] = []
        host.didReceive = { channel, number in
            // During this read, the test sees how the previous read left the link.
            guard number == 2 else { return }
            let link = channel.core.links.first
            capacities = [link?.outbox.capacity ?? -1, link?.tls?.outgoing.capacity ?? -1]
            #expect(link?.establishment == nil)
            #expect(channel.core.pending.capacity == 0)
            #expect(channel.machine.current?.pending.capacity == 0)
            channel.close()
        }
        try host.run(on: server)
        #expect(capacities == [0, 0])
    }

    @Test func `channels of one configuration share it, whatever their loggers`() throws {
        let loop = try UVLoop()
        var configuration = ChannelConfiguration()
        configuration.heartbeatTimeout = .seconds(50)
        let first = try NotificationChannel(uri: "ws://a/", topics: [], on: loop, configuration: configuration)
        configuration.logger = WebSocketClientConfiguration().logger
        let second = try NotificationChannel(uri: "ws://b/", topics: [], on: loop, configuration: configuration)
        #expect(first.linkOptions === second.linkOptions)
        #expect(second.configuration.heartbeatTimeout == .seconds(50))
    }

    @Test func `every setting makes another configuration`() throws {
        let changes: [(inout ChannelConfiguration) -> Void] = [
            { $0.lifetime = .seconds(1) }, { $0.extendsLifetime = false }, { $0.reconnect = .never },
            { $0.rollover = .manual }, { $0.takeover = .yield }, { $0.heartbeatTimeout = .seconds(1) },
            { $0.pingTimeout = .seconds(1) },
            { $0.deadlines.close = .seconds(1) }, { $0.maxMessageSize = 1 },
            { $0.compression = .permessageDeflate }, { $0.tls.minimumVersion = .tls13 },
            { $0.maxRedirects = 1 }, { $0.proxy = .environment },
            { $0.environmentProxyCredentials = ProxyCredentials(Array("a:b".utf8)) },
            { $0.proxyTLS.minimumVersion = .tls13 },
        ]
        // All members except the logger: a new member must be compared too.
        #expect(Mirror(reflecting: ChannelConfiguration()).children.count == changes.count + 1)
        let loop = try UVLoop()
        for change in changes {
            let plain = try NotificationChannel(uri: "ws://a/", topics: [], on: loop)
            var configuration = ChannelConfiguration()
            change(&configuration)
            let other = try NotificationChannel(uri: "ws://a/", topics: [], on: loop, configuration: configuration)
            #expect(plain.linkOptions !== other.linkOptions)
            #expect(other.configuration.isSame(as: configuration))
            #expect(!other.configuration.isSame(as: plain.configuration))
        }
    }
}
