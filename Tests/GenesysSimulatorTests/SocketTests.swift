import GenesysLoop
import GenesysSimulator
import Testing

@Suite struct SocketTests {
    @Test func `the first heartbeat comes after 30 seconds, then one every 30 seconds`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        #expect(stage.service.nextDeadline == stage.now + .seconds(30))
        let beat = "seconds \(socket) \(SamplePayloads.heartbeat)"
        #expect(stage.pass(.seconds(95)) == ["30.0 \(beat)", "60.0 \(beat)", "90.0 \(beat)"])
    }

    @Test func `a driver that comes an hour late owes one heartbeat`() throws {
        var stage = try Stage()
        _ = try stage.open()
        stage.now += .seconds(3_600)
        #expect(stage.service.deadlineReached(now: stage.now).count == 1)
        #expect(stage.service.nextDeadline == stage.now + .seconds(30))
    }

    @Test func `heartbeats can stop and go on`() throws {
        var stage = try Stage { $0.liveness.heartbeatInterval = .seconds(5) }
        _ = try stage.open()
        #expect(stage.pass(.seconds(10)).count == 2)
        stage.service.configuration.liveness.sendsHeartbeats = false
        #expect(stage.pass(.seconds(60)) == [])
        stage.service.configuration.liveness.sendsHeartbeats = true
        #expect(stage.pass(.seconds(5)).count == 1)
    }

    @Test func `a ping is answered at once, late, or never`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        let ping = #"{"message":"ping"}"#
        #expect(stage.say(ping, on: socket) == ["\(socket) \(SamplePayloads.pong)"])
        stage.service.configuration.liveness.pongDelay = .seconds(3)
        #expect(stage.say(ping, on: socket) == [])
        #expect(stage.pass(.seconds(3)) == ["3.0 seconds \(socket) \(SamplePayloads.pong)"])
        stage.service.configuration.liveness.answersPings = false
        #expect(stage.say(ping, on: socket) == [])
        #expect(stage.pass(.seconds(10)) == [])
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `a second socket is accepted and the first closed with 1000 within 200 ms`(seed: UInt64) throws {
        var stage = try Stage(seed: seed)
        let first = try stage.open()
        let second = try stage.open()
        #expect(first != second)
        #expect(stage.service.sockets(of: stage.channel.id) == [first, second])
        #expect(stage.actions(in: .milliseconds(200)).map { line($0.action) } == ["\(first) close 1000"])
        #expect(stage.service.sockets(of: stage.channel.id) == [second])
    }

    @Test func `a third socket does not end the first one twice`() throws {
        var stage = try Stage()
        let first = try stage.open()
        let second = try stage.open()
        _ = try stage.open()
        let lines = stage.actions(in: .seconds(1)).map { line($0.action) }
        #expect(lines.sorted() == ["\(first) close 1000", "\(second) close 1000"])
    }

    @Test func `the end of the first socket can be another code, a drop, later, and announced`() throws {
        var stage = try Stage {
            $0.endings.superseded = .close(code: 4_001)
            $0.endings.supersededDelay = .seconds(2) ... .seconds(2)
            $0.endings.supersededNotice = .duplicateID
        }
        let first = try stage.open()
        let second = try stage.open()
        let notice =
            #"{"topicName":"v2.system.duplicate_id","version":"2","eventBody":{"channelId":"\#(stage.channel.id)","#
            + #""systemTopicType":"duplicate_id","message":"Another connection uses this channel"}}"#
        #expect(stage.pass(.seconds(2)) == ["0.0 seconds \(first) \(notice)", "2.0 seconds \(first) close 4001"])
        stage.service.configuration.endings.superseded = .drop
        stage.service.configuration.endings.supersededNotice = nil
        _ = try stage.open()
        #expect(stage.pass(.seconds(2)) == ["2.0 seconds \(second) drop"])
    }

    @Test func `a socket that ended gets nothing more`() throws {
        var stage = try Stage { $0.publishing.rate = 10 }
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        _ = stage.service.announceMaintenance(.all, now: stage.now)
        stage.service.socketEnded(socket, now: stage.now)
        stage.service.socketEnded(socket, now: stage.now)
        #expect(stage.pass(.seconds(300)) == [])
        #expect(stage.say(#"{"message":"ping"}"#, on: socket) == [])
        #expect(try stage.service.subscriptions(of: stage.channel.id) == [Topic(presence)])
    }

    @Test func `a channel without a socket has no deadline but the end of its life`() throws {
        let stage = try Stage { $0.publishing.rate = 10 }
        #expect(stage.service.nextDeadline == stage.channel.expires)
    }

    @Test func `maintenance is announced, and the socket closed with 1001 a minute later`() throws {
        var stage = try Stage { $0.liveness.sendsHeartbeats = false }
        let socket = try stage.open()
        #expect(
            stage.service.announceMaintenance(.channel(stage.channel.id), now: stage.now).map(line)
                == ["\(socket) \(SamplePayloads.socketClosing)"])
        #expect(stage.pass(.seconds(120)) == ["60.0 seconds \(socket) close 1001"])
    }

    @Test func `the same URI works during and after maintenance, with the topics intact`() throws {
        var stage = try Stage { $0.liveness.sendsHeartbeats = false }
        let old = try stage.open()
        _ = stage.subscribe([presence], on: old)
        _ = stage.service.announceMaintenance(.all, now: stage.now)
        let new = try stage.open()
        #expect(stage.actions(in: .seconds(120)).map { line($0.action) } == ["\(old) close 1000"])
        #expect(stage.service.publish([7], to: Topic(presence), now: stage.now) == [.send(new, [7])])
    }

    @Test func `maintenance can come without notice, early, with several notices, or as a drop`() throws {
        var stage = try Stage {
            $0.liveness.sendsHeartbeats = false
            $0.endings.maintenanceNoticeCount = 0
        }
        let first = try stage.open()
        #expect(stage.service.announceMaintenance(.all, now: stage.now).map(line) == ["\(first) close 1001"])
        stage.service.configuration.endings.maintenanceNoticeCount = 3
        stage.service.configuration.endings.maintenanceLead = .seconds(6)
        stage.service.configuration.endings.maintenance = .drop
        let second = try stage.open()
        let notice = "\(second) \(SamplePayloads.socketClosing)"
        #expect(stage.service.announceMaintenance(.all, now: stage.now).map(line) == [notice])
        #expect(
            stage.pass(.seconds(60)) == [
                "2.0 seconds \(notice)", "4.0 seconds \(notice)", "6.0 seconds \(second) drop",
            ])
    }

    @Test func `the time scale divides life, heartbeat and maintenance, and not the second socket's delay`() throws {
        var stage = try Stage {
            $0.timeScale = 60
            $0.endings.supersededDelay = .milliseconds(100) ... .milliseconds(100)
        }
        #expect(stage.channel.expires == stage.now + .seconds(24 * 60))
        let first = try stage.open()
        #expect(stage.pass(.milliseconds(500)) == ["0.5 seconds \(first) \(SamplePayloads.heartbeat)"])
        let second = try stage.open()
        #expect(stage.pass(.milliseconds(100)) == ["0.1 seconds \(first) close 1000"])
        stage.service.configuration.liveness.sendsHeartbeats = false
        _ = stage.service.announceMaintenance(.all, now: stage.now)
        #expect(stage.pass(.seconds(2)) == ["1.0 seconds \(second) close 1001"])
    }

    @Test(arguments: [0, -1, .nan, .infinity] as [Double])
    func `a senseless time scale counts as 1`(scale: Double) throws {
        let stage = try Stage { $0.timeScale = scale }
        #expect(stage.channel.expires == stage.now + .seconds(24 * 3600))
    }
}
