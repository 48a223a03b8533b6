import Testing

@testable import GenesysLoop

@Suite struct HeartbeatTests {
    @Test func `a dead link is noticed within 42 seconds`() {
        var stage = Stage.live()
        let lastHeard = stage.now.wall
        #expect(words(stage.wait(.seconds(35))) == "ping 1")
        #expect(stage.wait(.milliseconds(6_999)) == [])
        #expect(words(stage.wait(.milliseconds(1))) == "drop 1, willReconnect #1 heartbeatLost")
        stage.wait(.seconds(1))
        #expect(stage.connect(.second).gaps.first?.from == lastHeard)
        stage.check()
    }

    @Test func `any byte is a sign of life`() {
        var stage = Stage.live()
        stage.wait(.seconds(36))
        stage.heard(.first)
        #expect(stage.wait(.milliseconds(34_999)) == [])
        #expect(words(stage.wait(.milliseconds(1))) == "ping 1")
    }

    @Test func `a blocked host does not take a living link for a dead one`() {
        var stage = Stage.live()
        stage.wait(.seconds(35))
        stage.block(.seconds(600))
        stage.noticeLateness()
        stage.heard(.first)
        #expect(stage.fireTimers() == [], "what arrived is read before the link is judged")
        #expect(stage.wait(.seconds(34)) == [])
        #expect(stage.machine.state == .live)
    }

    @Test func `a host blocked from the start asks before it judges`() {
        var stage = Stage.live()
        stage.block(.seconds(600))
        #expect(words(stage.fireTimers()) == "ping 1")
        stage.heard(.first)
        #expect(stage.wait(.seconds(34)) == [])
    }

    @Test func `a host that slept is not a silent service`() {
        var stage = Stage.live()
        stage.wait(.seconds(38))
        stage.now.wall = stage.now.wall + .seconds(3_600)
        #expect(stage.wait(.seconds(5)) == [])
        #expect(stage.machine.state == .live)
        #expect(words(stage.wait(.seconds(60))).contains("heartbeatLost"), "but a link that died meanwhile is found")
    }

    @Test func `a clock that is set back changes nothing`() {
        var stage = Stage.live()
        stage.now.wall = stage.now.wall + .seconds(-3_600)
        #expect(words(stage.wait(.seconds(43))) == "ping 1, drop 1, willReconnect #1 heartbeatLost, connect 2 to 0")
    }

    @Test func `a link that nobody reads is never judged`() {
        var stage = Stage.live()
        stage.pause()
        #expect(stage.wait(.seconds(3_600)) == [])
        stage.resume()
        #expect(stage.wait(.milliseconds(34_999)) == [])
        #expect(words(stage.wait(.milliseconds(1))) == "ping 1")
    }

    @Test func `what is already in the socket saves a paused link after its ping`() {
        var stage = Stage.live()
        stage.wait(.seconds(36))
        stage.pause()
        stage.wait(.seconds(100))
        stage.resume()
        #expect(stage.wait(.seconds(34)) == [])
    }

    @Test func `the new socket of a rollover is not judged while it is not read`() {
        var stage = Stage.live { $0.drainTimeout = .seconds(100) }
        stage.announceMaintenance()
        stage.connect(.second)
        for _ in 0..<3 {
            stage.wait(.seconds(30))
            stage.heard(.first)
        }
        #expect(stage.machine.candidate?.id == .second)
        #expect(stage.machine.candidate?.heartbeat.state == .suspended)
    }

    @Test func `the answer to a ping gives the round-trip time`() {
        var stage = Stage.live()
        stage.wait(.seconds(35))
        stage.block(.milliseconds(80))
        stage.heard(.first)
        stage.machine.pongReceived(on: .first, now: stage.now)
        #expect(stage.machine.current?.heartbeat.roundTrip == .milliseconds(80))
        stage.block(.seconds(1))
        stage.machine.pongReceived(on: .first, now: stage.now)
        #expect(stage.machine.current?.heartbeat.roundTrip == .milliseconds(80), "nobody asked")
    }
}
