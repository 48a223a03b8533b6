import GenesysLoop
import ServerKit
import Testing

@testable import GenesysSimulator

/// TLS sessions that a channel resumes, according to OpenSSL's counters.
@Suite(.timeLimit(.minutes(patience(2)))) struct ResumptionTests {
    /// OpenSSL's counts for the clients of a loop.
    private func counts(_ loop: UVLoop) -> (handshakes: Int, resumed: Int) {
        let contexts = loop.attachments.values.compactMap { $0 as? TLSContext }
        #expect(contexts.count == 1)
        return contexts.first?.resumptionCounts ?? (0, 0)
    }

    private func playground(_ version: Int) throws -> Playground {
        let playground = try Playground { $0.endings.maintenanceLead = .milliseconds(200) }
        try playground.server.context?.use(.init(maximumVersion: version))
        return playground
    }

    @Test(arguments: [0x0303, 0x0304])
    func `a reconnect resumes the session of the connection that was lost`(version: Int) throws {
        let playground = try playground(version)
        let host = RecordingHost()
        var losses = 0
        host.onEvent = { event, channel in
            guard event == .subscribed || event == .recovered(.reconnect) else { return }
            losses += 1
            if losses <= 3 { playground.server.disconnect(.all, .drop) } else { channel.close() }
        }
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.events.last == .closed)
        #expect(counts(playground.loop) == (handshakes: 4, resumed: 3))
    }

    @Test(arguments: [0x0303, 0x0304])
    func `a rollover resumes the session of the connection it replaces`(version: Int) throws {
        let playground = try playground(version)
        let host = RecordingHost()
        host.onEvent = { event, channel in
            if event == .subscribed { playground.server.announceMaintenance(.all) }
            if event == .recovered(.rollover) { channel.close() }
        }
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.events == [.subscribed, .willExpire, .recovered(.rollover), .closed])
        #expect(counts(playground.loop) == (handshakes: 2, resumed: 1))
    }

    @Test func `channels of one loop resume each other's sessions`() throws {
        let playground = try playground(0x0304)
        let host = RecordingHost()
        let second = RecordingHost()
        second.onEvent = { event, channel in
            if event == .subscribed { channel.close() }
        }
        host.onEvent = { event, channel in
            guard event == .subscribed else { return }
            do {
                let other = try playground.channel(second)
                other.open()
            } catch {
                Issue.record(error)
            }
            second.onEvent = { event, other in
                if event == .subscribed { other.close() }
                if event == .closed { channel.close() }
            }
        }
        try playground.channel(host).open()
        playground.run(host)
        second.forget()
        #expect(counts(playground.loop) == (handshakes: 2, resumed: 1))
    }

    @Test func `reading the trust again and changing the terms make the next connection a full handshake`() throws {
        let playground = try playground(0x0304)
        let host = RecordingHost()
        var recoveries = 0
        host.onEvent = { event, channel in
            guard event == .subscribed || event == .recovered(.reconnect) else { return }
            do {
                switch recoveries {
                case 0:
                    try channel.loop.reloadTLS()
                case 1:
                    #expect(counts(playground.loop) == (handshakes: 1, resumed: 0))
                    var tls = channel.configuration.tls
                    tls.minimumVersion = .tls13
                    try channel.setTLS(tls)
                    #expect(channel.configuration.tls == tls)
                default:
                    let contexts = playground.loop.attachments.values.compactMap { $0 as? TLSContext }
                    #expect(contexts.map(\.resumptionCounts.resumed) == [0, 0])
                    return channel.close()
                }
            } catch {
                Issue.record(error)
            }
            recoveries += 1
            playground.server.disconnect(.all, .drop)
        }
        try playground.channel(host).open()
        playground.run(host)
        #expect(host.events.last == .closed && recoveries == 2)
    }

    @Test func `terms that cannot be used change nothing`() throws {
        let playground = try playground(0x0304)
        let host = RecordingHost()
        let channel = try playground.channel(host)
        let before = channel.configuration.tls
        #expect(throws: ChannelFailure.self) {
            try channel.setTLS(TLSConfiguration(trust: .file("/nonexistent/ca.pem")))
        }
        #expect(channel.configuration.tls == before)
        host.onEvent = { event, channel in
            if event == .subscribed { channel.close() }
        }
        channel.open()
        playground.run(host)
        #expect(host.events == [.subscribed, .closed])
    }
}
