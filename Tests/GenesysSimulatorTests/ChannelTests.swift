import GenesysLoop
import GenesysSimulator
import Testing

@Suite struct ChannelTests {
    @Test func `a channel id has the shape of the real ones and the channel lives for 24 hours`() throws {
        let stage = try Stage()
        let parts = stage.channel.id.split(separator: "-")
        #expect(parts.count == 3)
        #expect(parts[0] == "streaming")
        #expect("01234567".contains(parts[1]) && parts[1].count == 1)
        #expect(parts[2].count == 26 && parts[2].allSatisfy { "0123456789abcdefghijklmnopqrstuv".contains($0) })
        #expect(stage.channel.expires == stage.now + .seconds(24 * 3600))
        #expect(stage.channel.target == "/channels/\(stage.channel.id)")
    }

    @Test func `an upgrade is accepted for a known channel and refused with 404 for everything else`() throws {
        var stage = try Stage()
        let target = stage.channel.target
        let refused: [String] = ["/channels/streaming-1-unknown", "/stream" + target, target + "/", "/channels/", "/"]
        for other in refused {
            #expect(stage.service.upgradeRequested(target: other, now: stage.now) == .refuse(.notFound))
        }
        guard case .accept = stage.service.upgradeRequested(target: target + "?a=b", now: stage.now) else {
            Issue.record("the query is not ignored")
            return
        }
    }

    @Test(arguments: [
        SimulatedService.Refusal.unauthorized, .forbidden, .notFound, .tooManyRequests(retryAfter: 7),
        .unavailable(retryAfter: 3), .unavailable(), .found(at: "wss://example.test/"),
    ])
    func `a forced refusal is answered to every upgrade`(refusal: SimulatedService.Refusal) throws {
        var stage = try Stage { $0.channels.upgrade = .refuse(refusal) }
        #expect(stage.service.upgradeRequested(target: stage.channel.target, now: stage.now) == .refuse(refusal))
    }

    @Test func `refusals carry the status and the headers of HTTP`() {
        let busy = SimulatedService.Refusal.tooManyRequests(retryAfter: 7)
        #expect(busy.status == 429)
        #expect(busy.headers == [.init("Retry-After", "7")])
        #expect(SimulatedService.Refusal.unavailable(retryAfter: 2).headers == [.init("Retry-After", "2")])
        #expect(SimulatedService.Refusal.found(at: "wss://x").headers == [.init("Location", "wss://x")])
        #expect(SimulatedService.Refusal.unavailable().headers == [])
    }

    @Test func `a reset and silence can be forced on the upgrade`() throws {
        var stage = try Stage { $0.channels.upgrade = .reset }
        #expect(stage.service.upgradeRequested(target: stage.channel.target, now: stage.now) == .reset)
        stage.service.configuration.channels.upgrade = .neverAnswer
        #expect(stage.service.upgradeRequested(target: stage.channel.target, now: stage.now) == .neverAnswer)
    }

    @Test func `creation can be refused with 429`() throws {
        var stage = try Stage()
        stage.service.configuration.channels.creationRefusal = .tooManyRequests(retryAfter: 60)
        #expect(throws: SimulatedService.Refusal.tooManyRequests(retryAfter: 60)) {
            try stage.service.channelCreated(now: stage.now)
        }
    }

    @Test func `the 21st channel evicts the longest idle one, connected ones last`() throws {
        var stage = try Stage()
        let first = try stage.open()
        var others: [SimulatedService.CreatedChannel] = []
        for _ in 1..<20 {
            stage.now += .seconds(1)
            others.append(try stage.service.channelCreated(now: stage.now))
        }
        #expect(stage.service.channelIDs.count == 20)
        stage.now += .seconds(1)
        let extra = try stage.service.channelCreated(now: stage.now)
        #expect(stage.service.channelIDs == [stage.channel.id] + others.dropFirst().map(\.id) + [extra.id])
        #expect(stage.isRefused(others[0]))
        #expect(stage.service.sockets(of: stage.channel.id) == [first])
    }

    @Test func `with every channel connected the longest unused one is evicted and its socket closed with 1001`() throws
    {
        var stage = try Stage { $0.channels.maxCount = 2 }
        let first = try stage.open()
        stage.now += .seconds(1)
        let other = try stage.service.channelCreated(now: stage.now)
        let second = try stage.open(other)
        stage.now += .seconds(1)
        _ = stage.subscribe([presence], on: first)  // the first channel is now the most recently used one
        _ = try stage.service.channelCreated(now: stage.now)
        #expect(stage.service.nextDeadline == stage.now)
        #expect(stage.pass(.zero) == ["0.0 seconds \(second) close 1001"])
        #expect(stage.service.channelIDs.contains(stage.channel.id))
    }

    @Test func `at expiry the socket is closed with 1001 and later upgrades get 404`() throws {
        var stage = try Stage { $0.liveness.sendsHeartbeats = false }
        let socket = try stage.open()
        #expect(stage.pass(.seconds(24 * 3600) - .milliseconds(1)) == [])
        #expect(stage.service.expiry(of: stage.channel.id) == stage.channel.expires)
        #expect(stage.pass(.milliseconds(1)) == ["0.001 seconds \(socket) close 1001"])
        #expect(stage.service.upgradeRequested(target: stage.channel.target, now: stage.now) == .refuse(.notFound))
        #expect(stage.service.expiry(of: stage.channel.id) == nil)
    }

    @Test func `an upgrade that comes with the expiry is too late even before the deadline is met`() throws {
        var stage = try Stage()
        stage.now = stage.channel.expires
        #expect(stage.service.upgradeRequested(target: stage.channel.target, now: stage.now) == .refuse(.notFound))
    }

    @Test func `a subscribe renews the life of the channel`() throws {
        var stage = try Stage { $0.liveness.sendsHeartbeats = false }
        let socket = try stage.open()
        _ = stage.pass(.seconds(23 * 3600))
        _ = stage.subscribe([presence], on: socket)
        #expect(stage.service.expiry(of: stage.channel.id) == stage.now + .seconds(24 * 3600))
        #expect(stage.pass(.seconds(24 * 3600) - .seconds(1)) == [])
        #expect(stage.pass(.seconds(1)) == ["1.0 seconds \(socket) close 1001"])
    }

    @Test func `a refused subscribe renews nothing`() throws {
        var stage = try Stage { $0.commands.subscribeReply = .failure }
        let socket = try stage.open()
        stage.now += .seconds(60)
        _ = stage.subscribe([presence], on: socket)
        #expect(stage.service.expiry(of: stage.channel.id) == stage.channel.expires)
    }

    @Test func `an expired channel may stay silent`() throws {
        var stage = try Stage { $0.endings.goneChannel = .stayOpen }
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        #expect(stage.service.expireChannel(.channel(stage.channel.id), now: stage.now) == [])
        #expect(stage.subscribe([presence], on: socket) == [])
        #expect(stage.service.publish([1], to: Topic(presence), now: stage.now) == [])
        #expect(stage.say(#"{"message":"ping"}"#, on: socket) == ["\(socket) \(SamplePayloads.pong)"])
        #expect(stage.pass(.seconds(30)) == ["30.0 seconds \(socket) \(SamplePayloads.heartbeat)"])
        #expect(stage.isRefused())
    }

    @Test func `an expired channel may answer the next command with 404`() throws {
        var stage = try Stage { $0.endings.goneChannel = .answerNotFound }
        let socket = try stage.open()
        #expect(stage.service.expireChannel(.all, now: stage.now) == [])
        #expect(
            stage.subscribe(["a.b"], on: socket) == [
                #"\#(socket) {"correlationId":"c1","topics":["a.b"],"result":"404","message":"The channel was not found."}"#
            ])
    }
}
