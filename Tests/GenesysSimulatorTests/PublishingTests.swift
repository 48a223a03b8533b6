import GenesysLoop
import GenesysSimulator
import Testing

@Suite struct PublishingTests {
    @Test func `a notification goes to the channels that have the topic and to no other`() throws {
        var stage = try Stage()
        let first = try stage.open()
        let second = try stage.open(stage.service.channelCreated(now: stage.now))
        let third = try stage.open(stage.service.channelCreated(now: stage.now))
        _ = stage.subscribe([presence], on: first)
        _ = stage.subscribe([routing], on: second)
        _ = stage.subscribe([routing, presence], on: third)
        let actions = stage.service.publish([1], to: Topic(presence), now: stage.now)
        #expect(actions == [.send(first, [1]), .send(third, [1])])
    }

    @Test func `a combined topic delivers under the single names`() throws {
        var stage = try Stage { $0.publishing.rate = 10 }
        let socket = try stage.open()
        _ = stage.subscribe(["v2.users.u1?presence&routingStatus", "v2.users.u1.presence"], on: socket)
        let texts = stage.actions(in: .milliseconds(400)).compactMap(\.action.text)
        let names = ["v2.users.u1.presence", "v2.users.u1.routingStatus"]
        #expect(texts.count == 4)
        for (text, name) in zip(texts, names + names) {
            #expect(text.hasPrefix(#"{"topicName":"\#(name)","version":"2","eventBody":{"sequence":"#))
        }
        #expect(stage.service.publish([1], to: "v2.users.u1?presence&routingStatus", now: stage.now) == [])
    }

    @Test func `a body is put into an envelope with a correlation id`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        _ = stage.subscribe(["a.1.x"], on: socket)
        let actions = stage.service.publish(eventBody: Array(#"{"k":1}"#.utf8), to: "a.1.x", now: stage.now)
        let text = try #require(actions.first?.text)
        #expect(
            text.hasPrefix(#"{"topicName":"a.1.x","version":"2","eventBody":{"k":1},"metadata":{"CorrelationId":""#))
        #expect(text.hasSuffix(#""}}"#))
    }

    @Test func `the feed keeps its rate over all topics and channels, whatever the time scale`() throws {
        var stage = try Stage {
            $0.publishing.rate = 40
            $0.timeScale = 60
            $0.liveness.sendsHeartbeats = false
        }
        let first = try stage.open()
        let second = try stage.open(stage.service.channelCreated(now: stage.now))
        _ = stage.subscribe((0..<3).map { "v2.users.\($0).presence" }, on: first)
        _ = stage.subscribe((3..<8).map { "v2.users.\($0).presence" }, on: second)
        let actions = stage.actions(in: .seconds(10))
        #expect(actions.count == 400)
        #expect(actions.count { $0.action.socket == first } == 150)
        #expect(actions.first?.time == .milliseconds(25))
        #expect(actions.last?.time == .seconds(10))
    }

    @Test func `the feed rests while nobody is subscribed or connected`() throws {
        var stage = try Stage { $0.publishing.rate = 10 }
        let socket = try stage.open()
        #expect(stage.pass(.seconds(5)) == [])
        _ = stage.subscribe([presence], on: socket)
        #expect(stage.pass(.seconds(1)).count == 10)
        stage.service.socketEnded(socket, now: stage.now)
        #expect(stage.pass(.seconds(5)) == [])
        #expect(stage.service.nextDeadline.map { $0 > stage.now + .seconds(10) } == true)
    }

    @Test func `the rate can change while the feed runs`() throws {
        var stage = try Stage { $0.publishing.rate = 10 }
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        #expect(stage.pass(.seconds(1)).count == 10)
        stage.service.configuration.publishing.rate = 100
        #expect(stage.pass(.seconds(1)).count == 100)
        stage.service.configuration.publishing.rate = 0
        #expect(stage.pass(.seconds(1)) == [])
        stage.service.configuration.publishing.rate = 1
        #expect(stage.pass(.seconds(2)).count == 2)
    }

    @Test func `bursts keep the rate`() throws {
        var stage = try Stage {
            $0.publishing.rate = 100
            $0.publishing.burstCount = 50
        }
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        let actions = stage.actions(in: .seconds(2))
        #expect(actions.count == 200)
        #expect(Set(actions.map(\.time)).count == 4)
    }

    @Test func `a driver that comes late gets a quarter of a second's worth at most`() throws {
        var stage = try Stage { $0.publishing.rate = 100 }
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        stage.now += .seconds(20)
        let actions = stage.service.deadlineReached(now: stage.now)
        #expect((1...27).contains(actions.count))
    }

    @Test func `during an overlap both sockets get every notification, or the newer alone`() throws {
        var stage = try Stage { $0.endings.supersededDelay = .seconds(9) ... .seconds(9) }
        let old = try stage.open()
        _ = stage.subscribe([presence], on: old)
        let new = try stage.open()
        #expect(
            stage.service.publish([1], to: Topic(presence), now: stage.now) == [.send(old, [1]), .send(new, [1])])
        stage.service.configuration.publishing.newestSocketOnly = true
        #expect(stage.service.publish([2], to: Topic(presence), now: stage.now) == [.send(new, [2])])
    }

    @Test func `a starved channel sees heartbeats only`() throws {
        var stage = try Stage {
            $0.publishing.rate = 10
            $0.publishing.delivers = false
        }
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        #expect(stage.service.publish([1], to: Topic(presence), now: stage.now) == [])
        #expect(stage.pass(.seconds(30)) == ["30.0 seconds \(socket) \(SamplePayloads.heartbeat)"])
    }

    @Test func `every notification is repeated where that is configured`() throws {
        var stage = try Stage {
            $0.publishing.rate = 10
            $0.publishing.repeatFraction = 1
        }
        let socket = try stage.open()
        _ = stage.subscribe([presence, routing], on: socket)
        let texts = stage.actions(in: .seconds(1)).compactMap(\.action.text)
        #expect(texts.count == 20)
        #expect(stride(from: 0, to: 20, by: 2).allSatisfy { texts[$0] == texts[$0 + 1] })
        #expect(Set(texts).count == 10)
    }

    @Test func `shuffled topics come in another order than in turn`() throws {
        var stage = try Stage {
            $0.publishing.rate = 100
            $0.publishing.shufflesTopics = true
        }
        let socket = try stage.open()
        let topics = (0..<10).map { "v2.users.\($0).presence" }
        _ = stage.subscribe(topics, on: socket)
        let order = stage.actions(in: .seconds(1)).compactMap(\.action.text).compactMap { text in
            topics.firstIndex { text.contains(#""topicName":"\#($0)""#) }
        }
        #expect(order.count == 100)
        #expect(order != (0..<100).map { $0 % 10 })
    }

    @Test func `a thousand topics are served in turn`() throws {
        var stage = try Stage {
            $0.publishing.rate = 1_000
            $0.liveness.sendsHeartbeats = false
        }
        let socket = try stage.open()
        _ = stage.subscribe((0..<1_000).map { "v2.users.\($0).presence" }, on: socket)
        let texts = stage.actions(in: .seconds(1)).compactMap(\.action.text)
        #expect(Set(texts.map { $0.prefix { $0 != "," } }).count == 1_000)
    }
}
