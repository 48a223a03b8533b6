import GenesysLoop
import GenesysSimulator
import Testing

/// The library's own channel against the server.
@Suite struct ChannelOnServerTests {
    @Test(arguments: [true, false])
    func `a channel subscribes, gets fifty notifications in order and closes`(tls: Bool) throws {
        let stage = try ServerStage(tls: tls)
        let host = Host()
        host.didSubscribe = { _ in for number in 1...50 { stage.publish(number) } }
        host.didReceive = { channel, number in if number == 50 { channel.close() } }
        try stage.open(host)
        stage.run()
        #expect(stage.uri == "\(tls ? "wss" : "ws")://localhost:\(stage.server.port)/channels/\(stage.id)")
        #expect(host.numbers == Array(1...50))
        #expect(host.isClosed)
        #expect(host.failure == nil)
        #expect(stage.server.acceptedSocketCount == 1)
        #expect(stage.server.receivedSubscribeCount == 1)
        #expect(stage.server.sentMessageCount == 51)
        #expect(stage.server.service.sockets(of: stage.id).isEmpty)
    }

    @Test func `messages of every size arrive whole, in fragments or not`() throws {
        for maxFrameByteCount in [nil, 1, 125, 65_536] {
            let stage = try ServerStage { $0.publishing.maxFrameByteCount = maxFrameByteCount }
            let host = Host()
            let padding = maxFrameByteCount == 1 ? 3_000 : 3_000_000
            host.didSubscribe = { _ in
                let text = String(repeating: "ä", count: padding / 2)
                stage.server.publish(eventBody: Array("{\"n\":1,\"text\":\"\(text)\"}".utf8), to: stageTopic)
                stage.publish(2)
            }
            host.didReceive = { channel, number in if number == 2 { channel.close() } }
            try stage.open(host)
            stage.run()
            #expect(host.numbers == [1, 2])
        }
    }

    @Test func `a maintenance rollover neither loses nor repeats a notification`() throws {
        let stage = try ServerStage { $0.endings.supersededDelay = .milliseconds(2) ... .milliseconds(10) }
        let host = Host()
        var last = Int.max
        host.didSubscribe = { _ in stage.publish(1) }
        // Each notification is the answer to the previous one: one is always in transit.
        host.didReceive = { channel, number in
            if number == 20 { stage.server.announceMaintenance() }
            if number == last { channel.close() } else { stage.publish(number + 1) }
        }
        host.didRecover = { _ in last = (host.numbers.last ?? 0) + 50 }
        try stage.open(host)
        stage.run()
        #expect(host.recoveries == [.rollover])
        #expect(host.expiryCount == 1)
        #expect(host.gapCount == 0)
        #expect(host.failure == nil)
        #expect(host.numbers.count >= 70)
        #expect(host.numbers == Array(1...max(1, host.numbers.count)))
        #expect(stage.server.acceptedSocketCount == 2)
    }

    @Test func `an expired channel ends with 1001, and is not found afterwards`() throws {
        let stage = try ServerStage()
        let host = Host()
        host.didSubscribe = { _ in stage.server.expireChannel(.channel(stage.id)) }
        try stage.open(host) { configuration in
            var backoff = ReconnectPolicy.Backoff()
            (backoff.base, backoff.floor) = (.milliseconds(1), .zero)
            configuration.reconnect = .backoff(backoff)
        }
        stage.run()
        #expect(host.failure?.reason == .httpNotFound)
        #expect(host.failure?.kind == .reconnect)
        #expect(stage.server.acceptedSocketCount == 2)
    }

    @Test func `a revoked token ends the channel with its reason`() throws {
        let stage = try ServerStage()
        let host = Host()
        host.didSubscribe = { _ in stage.server.revokeToken() }
        try stage.open(host)
        stage.run()
        #expect(host.failure?.reason == .tokenRevoked)
    }

    @Test func `a lost connection is recovered with the topics of the channel`() throws {
        let stage = try ServerStage()
        let host = Host()
        host.didSubscribe = { _ in stage.server.disconnect() }
        host.didRecover = { _ in stage.publish(1) }
        host.didReceive = { channel, _ in channel.close() }
        try stage.open(host) { $0.reconnect = .once }
        stage.run()
        #expect(host.recoveries == [.reconnect])
        #expect(host.gapCount == 1)
        #expect(host.numbers == [1])
        #expect(stage.server.receivedSubscribeCount == 2)
    }

    @Test(arguments: [
        (SimulatedService.Refusal.unauthorized, FailureReason.httpUnauthorized), (.forbidden, .httpForbidden),
        (.notFound, .httpNotFound), (.tooManyRequests(retryAfter: 7), .httpTooManyRequests),
        (.unavailable(retryAfter: 9), .invalidStatusCode), (.found(at: "wss://example.invalid/"), .invalidStatusCode),
    ])
    func `a refused upgrade is an HTTP answer`(refusal: SimulatedService.Refusal, reason: FailureReason) throws {
        let stage = try ServerStage { $0.channels.upgrade = .refuse(refusal) }
        let host = Host()
        try stage.open(host)
        stage.run()
        #expect(host.failure?.reason == reason)
        #expect(host.failure?.status == refusal.status)
        let seconds = refusal.headers.first { $0.name == "Retry-After" }.flatMap { Int($0.value) }
        #expect(host.failure?.retryAfter == seconds.map { .seconds($0) })
    }

    @Test func `a reset and silence in place of an answer are what they are`() throws {
        for upgrade in [ServerStage.Configuration.Channels.Upgrade.reset, .neverAnswer] {
            let stage = try ServerStage { $0.channels.upgrade = upgrade }
            let host = Host()
            let start = stage.loop.now.instant
            try stage.open(host) { $0.deadlines.upgrade = .milliseconds(50) }
            stage.run()
            // The deadline of the upgrade, not those of the phases before it.
            #expect(stage.loop.now.instant - start < .seconds(5))
            #expect(host.failure?.reason == (upgrade == .reset ? .connectionClosed : .timeout))
            #expect(host.failure?.phase == .upgrade)
        }
    }

    @Test func `an upgrade can be delayed`() throws {
        let stage = try ServerStage { $0.channels.upgradeDelay = .milliseconds(5) }
        let host = Host()
        host.didSubscribe = { channel in channel.close() }
        try stage.open(host)
        stage.run()
        #expect(host.isClosed)
    }

    @Test func `the feed comes by itself`() throws {
        let stage = try ServerStage { $0.publishing.rate = 2_000 }
        let host = Host()
        host.didNotify = { channel, count in if count == 100 { channel.close() } }
        try stage.open(host)
        stage.run()
        #expect(host.notificationCount == 100)
        #expect(stage.server.sentMessageCount > 100)
    }
}
