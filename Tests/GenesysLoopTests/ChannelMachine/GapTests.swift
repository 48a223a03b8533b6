import Testing

@testable import GenesysLoop

/// Where a gap begins, and where it ends.
@Suite struct GapTests {
    /// Reads on the first link at these seconds after the confirmation; then the link breaks and comes back.
    private func gap(after reads: [(at: Duration, isDrained: Bool)]) -> (gaps: [Gap], start: WallTime) {
        var stage = Stage.live()
        let start = stage.now
        for read in reads {
            stage.block(start.instant + read.at - stage.now.instant)
            stage.machine.bytesReceived(on: .first, isDrained: read.isDrained, now: stage.now)
        }
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        return (stage.connect(.second).gaps, start.wall)
    }

    @Test func `what was under way when the link broke lies in the gap`() {
        let (gaps, start) = gap(after: [(.seconds(10), true), (.seconds(20), true)])
        #expect(gaps.map(\.from) == [start + .seconds(10)], "what was read at 20 s tells nothing of what was sent then")
    }

    @Test func `reads in quick succession are one burst, of which nobody knows how old it is`() {
        let burst = (0..<10).map { (at: Duration.milliseconds(20_000 + 100 * $0), isDrained: true) }
        let (gaps, start) = gap(after: [(.seconds(10), true)] + burst)
        #expect(gaps.map(\.from) == [start + .seconds(10)])
    }

    @Test func `a read that left something unread proves nothing`() {
        let (gaps, start) = gap(after: [(.seconds(5), true), (.seconds(10), true), (.seconds(20), false)])
        #expect(gaps.map(\.from) == [start + .seconds(5)])
    }

    @Test func `what a pause or a blocked loop left unread proves nothing when it is read`() {
        var paused = Stage.live()
        paused.live(.seconds(30))
        let known = paused.now.wall
        paused.pause()
        paused.wait(.seconds(20))
        paused.resume()
        paused.heard(.first)
        paused.block(.seconds(2))
        paused.heard(.first)
        paused.ended(.first, .reset)
        paused.wait(.seconds(1))
        #expect(paused.connect(.second).gaps.map(\.from) == [known])

        var blocked = Stage.live()
        blocked.live(.seconds(30))
        blocked.block(.seconds(40))
        blocked.fireTimers()
        blocked.heard(.first)
        blocked.block(.seconds(2))
        blocked.heard(.first)
        blocked.ended(.first, .reset)
        blocked.wait(.seconds(1))
        #expect(blocked.connect(.second).gaps.map(\.from) == [known])
    }

    @Test(arguments: [false, true])
    func `a backlog that a blocked loop reads does not move the start of the gap`(readsAgain: Bool) {
        var stage = Stage.live()
        let start = stage.now.wall
        stage.live(.seconds(30))
        stage.block(.seconds(50))
        stage.noticeLateness()
        stage.heard(.first)
        #expect(stage.fireTimers() == [])
        stage.block(.seconds(2))
        // A later burst proves that all of the one before the block has arrived.
        if readsAgain { stage.heard(.first) }
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        #expect(stage.connect(.second).gaps.map(\.from) == [readsAgain ? start + .seconds(30) : start])
    }

    @Test func `a clock that is set back makes no gap that ends before it begins`() {
        var stage = Stage.live()
        stage.live(.seconds(100))
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        stage.now = ClockReading(instant: stage.now.instant, wall: stage.now.wall + .seconds(-3_600))
        let gaps = stage.connect(.second).gaps
        #expect(gaps.map { $0.to - $0.from } == [.seconds(11)], "from the heartbeat before the last")
        #expect(gaps.map(\.to) == [stage.now.wall])
    }

    @Test func `what a takeover may have cost begins with the burst before the last`() {
        var stage = Stage.live()
        stage.live(.seconds(30))
        let known = stage.now.wall
        stage.live(.seconds(3))
        stage.system(.noLongerSubscribed, .first)
        #expect(stage.accept(.first).gaps.map(\.from) == [known])
    }

    @Test func `a new socket that waited unread for the old one has a backlog`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.block(.seconds(2))
        let opened = stage.now.wall
        stage.opened(.second)
        stage.block(.seconds(2))
        stage.accept(.second)
        stage.pong(.first)
        stage.wait(.seconds(2))
        stage.heard(.second)
        stage.ended(.second, .reset)
        stage.wait(.seconds(1))
        #expect(stage.connect(.third).gaps.map(\.from) == [opened], "what was read at last may have come at once")
    }

    @Test func `a channel that fails says where the loss began`() {
        #expect(Stage().machine.deliveredUntil == nil)

        var revoked = Stage.live()
        revoked.live(.seconds(30))
        let known = revoked.machine.current?.deliveredUntil
        #expect(revoked.machine.deliveredUntil == known)
        revoked.block(.milliseconds(500))
        revoked.system(.tokenRevoked, .first)
        #expect(revoked.machine.state == .ended)
        #expect(revoked.machine.deliveredUntil == known)

        var gone = Stage.live()
        gone.live(.seconds(30))
        let before = gone.machine.current?.deliveredUntil
        gone.ended(.first, .reset)
        gone.wait(.seconds(1))
        #expect(gone.machine.deliveredUntil == before)
        gone.ended(.second, LinkEnd.failure(.httpNotFound, .upgrade))
        #expect(gone.machine.state == .ended)
        #expect(gone.machine.deliveredUntil == before)
    }

    @Test func `what a new socket alone had begins when it was made`() {
        var stage = Stage.live()
        stage.live(.seconds(30))
        let made = stage.now.wall
        stage.rollover(to: .other)
        stage.block(.seconds(2))
        stage.connect(.second)
        #expect(stage.ended(.second, .reset).gaps.map(\.from) == [made], "accepted long before we heard of it")
    }
}
