import Testing

@testable import GenesysLoop

/// What the machine counts for the statistics.
@Suite struct HistoryTests {
    @Test func `a loss, the attempts that fail and the reconnection are counted by their causes`() {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        stage.wait(.seconds(20))
        stage.ended(.second, .refused)
        stage.wait(.seconds(20))
        stage.ended(.third, .status(503))
        stage.wait(.seconds(20))
        #expect(stage.machine.history.reconnects == [:])
        stage.connect(.fourth)
        let history = stage.machine.history
        #expect(history.losses == [.connectionClosed: 1])
        #expect(history.failedAttempts == [.connect: 1, .invalidStatusCode: 1])
        #expect(history.reconnects == [.connectionClosed: 1])
    }

    @Test func `a first connection that fails is an attempt and no loss`() {
        var stage = Stage()
        stage.open()
        stage.ended(.first, .refused)
        #expect(stage.machine.history.failedAttempts == [.connect: 1])
        #expect(stage.machine.history.losses == [:])
    }

    @Test func `a loss that ends the channel counts`() {
        var stage = Stage.live { $0.reconnect = .never }
        stage.ended(.first, .reset)
        #expect(stage.machine.history.losses == [.connectionClosed: 1])
    }

    @Test func `a notice that the token is revoked is the loss of a confirmed connection`() {
        var stage = Stage.live()
        stage.system(.tokenRevoked, .first)
        #expect(stage.machine.history.losses == [.tokenRevoked: 1])
        var first = Stage()
        first.open()
        first.opened(.first)
        first.system(.tokenRevoked, .first)
        #expect(first.machine.history.losses == [:])
    }

    @Test func `a hand-over is no loss`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        stage.ended(.first, .closed(1000))
        stage.accept(.second)
        #expect(stage.machine.history == ChannelHistory())
    }

    @Test func `a hand-over that is not accepted in time is one loss, by its cause`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.ended(.first, .closed(1000))
        stage.wait(.seconds(2))
        stage.connect(.second)
        #expect(stage.machine.history.losses == [.channelClosing: 1])
        #expect(stage.machine.history.reconnects == [.channelClosing: 1])
        #expect(stage.machine.history.failedAttempts == [:])
    }

    @Test func `a hand-over whose new socket fails is one loss and one failed attempt`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.ended(.first, .closed(1000))
        stage.ended(.second, .refused)
        #expect(stage.machine.history.losses == [.channelClosing: 1])
        #expect(stage.machine.history.failedAttempts == [.connect: 1])
    }

    @Test func `a rollover that fails is no failed attempt`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        stage.ended(.second, .status(404))
        #expect(stage.machine.history.failedRolloverCount == 1)
        #expect(stage.machine.history.failedAttempts == [:])
    }

    @Test func `pauses are added up when they are over`() {
        var stage = Stage.live()
        stage.pause()
        stage.block(.seconds(3))
        stage.resume()
        stage.block(.seconds(5))
        stage.pause()
        stage.block(.seconds(4))
        #expect(stage.machine.history.pausedTime == .seconds(3))
        stage.resume()
        #expect(stage.machine.history.pausedTime == .seconds(7))
    }

    @Test func `the round trips of all links are kept`() {
        var stage = Stage.live()
        stage.wait(.seconds(35))
        stage.block(.milliseconds(30))
        stage.pong(.first)
        stage.pong(.first)
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        stage.connect(.second)
        stage.wait(.seconds(35))
        stage.block(.milliseconds(300))
        stage.pong(.second)
        let trips = stage.machine.history.pingRoundTrips
        #expect(trips.count == 2 && trips.sum == .milliseconds(330))
    }
}
