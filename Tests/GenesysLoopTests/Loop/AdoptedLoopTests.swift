import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct AdoptedLoopTests {
    @Test func `adopting keeps no foreign loop running and leaves after detach`() throws {
        let foreign = ForeignLoop()
        let loop = try unsafe UVLoop(adopting: foreign.raw)
        #expect(!foreign.run())
        #expect(foreign.strangeHandleCount == 1)
        var detached = 0
        loop.detach {
            detached += 1
            #expect(foreign.strangeHandleCount == 0)
        }
        #expect(detached == 0)
        #expect(!foreign.run())
        #expect(detached == 1)
        loop.detach { detached += 1 }
        #expect(detached == 2)
        loop.execute { Issue.record("a block ran after the detachment") }
        #expect(foreign.close() == 0)
    }

    @Test func `a detachment waits for what is open, in a callback too, and for blocks`() throws {
        let foreign = ForeignLoop()
        let loop = try unsafe UVLoop(adopting: foreign.raw)
        let pair = try AdoptedPair(loop, foreign)
        let group = HandleGroup(loop: loop)
        var log: [String] = []
        let anchor = Anchor(loop)
        let ran = Tally()
        let probe = TimerProbe(loop, group: group) { probe in
            loop.detach { log.append("detached") }
            loop.execute { ran.add() }
            group.whenEmpty(
                ClosureTask {
                    log.append("empty")
                    anchor.end()
                })
            probe.drop()
            pair.client.connection?.close()
            pair.server.connection?.close()
            log.append("asked")
        }
        probe.start(after: .zero)
        #expect(!foreign.run())
        #expect(log == ["asked", "empty", "detached"])
        #expect(ran.value == 1)
        #expect(foreign.strangeHandleCount == 0)
        #expect(foreign.close() == 0)
    }

    // More than one wake-up handles.
    @Test(arguments: [1, 2_500]) func `a detachment keeps the loop running for the blocks that wait`(count: Int) throws
    {
        let foreign = ForeignLoop()
        let loop = try unsafe UVLoop(adopting: foreign.raw)
        let ran = Tally()
        for _ in 0..<count { loop.execute { ran.add() } }
        #expect(!foreign.run(), "blocks alone do not")
        #expect(ran.value == 0)
        var ranBefore: Int?
        loop.detach { ranBefore = ran.value }
        #expect(ranBefore == nil)
        #expect(!foreign.run())
        #expect(ranBefore == count)
        #expect(foreign.strangeHandleCount == 0)
        #expect(foreign.close() == 0)
    }

    @Test func `the thread of the first callback becomes the loop's thread`() throws {
        let foreign = ForeignLoop()
        let loop = try unsafe UVLoop(adopting: foreign.raw)
        #expect(loop.isCurrent)
        let tally = Tally()
        loop.schedule(ClosureTask { if loop.isCurrent { tally.add() } })
        nonisolated(unsafe) let host = foreign
        onOtherThread { unsafe _ = host.run() }
        #expect(tally.value == 1)
        #expect(!loop.isCurrent)
        loop.bindToCurrentThread()
        loop.detach {}
        #expect(!foreign.run())
        #expect(foreign.close() == 0)
    }

    @Test func `blocks from another thread run on a foreign loop that is alive`() throws {
        let foreign = ForeignLoop()
        let loop = try unsafe UVLoop(adopting: foreign.raw)
        let anchor = Anchor(loop)
        let bound = LoopBound(anchor, on: loop)
        onOtherThread { loop.execute { bound.value.end() } }
        #expect(!foreign.run())
        loop.detach {}
        #expect(!foreign.run())
        #expect(foreign.strangeHandleCount == 0)
        #expect(foreign.close() == 0)
    }

    @Test func `a dropped event loop leaves after one more turn, its completion included`() throws {
        let foreign = ForeignLoop()
        var detached = 0
        do {
            let loop = try unsafe UVLoop(adopting: foreign.raw)
            let probe = TimerProbe(loop) { _ in }
            probe.start(after: .seconds(100))
            loop.detach { detached += 1 }
            #expect(detached == 0)
        }
        #expect(detached == 0)
        foreign.runOnce()
        #expect(detached == 1)
        #expect(foreign.strangeHandleCount == 0)
        #expect(foreign.close() == 0)
    }

    @Test func `two event loops share a foreign loop`() throws {
        let foreign = ForeignLoop()
        let first = try unsafe UVLoop(adopting: foreign.raw)
        let second = try unsafe UVLoop(adopting: foreign.raw)
        var log: [Int] = []
        first.schedule(ClosureTask { log.append(1) })
        second.schedule(ClosureTask { log.append(2) })
        #expect(!foreign.run())
        #expect(log.sorted() == [1, 2])
        first.detach { log.append(3) }
        #expect(!foreign.run())
        #expect(foreign.strangeHandleCount == 1)
        second.detach { log.append(4) }
        #expect(!foreign.run())
        #expect(log.suffix(2) == [3, 4])
        #expect(foreign.close() == 0)
    }
}

/// Two connected ends on a foreign loop.
private struct AdoptedPair {
    let client: ConnectionProbe
    let server: ConnectionProbe

    init(_ loop: UVLoop, _ foreign: ForeignLoop) throws {
        let listener = try ListenerProbe(loop)
        let client = ConnectionProbe(loop)
        client.connection?.connect(to: try listener.address)
        listener.didAccept = { listener, _ in listener.close() }
        _ = foreign.run()
        guard let server = listener.accepted.first else { throw UVError(operation: "test", code: -1) }
        client.connection?.startReading()
        server.connection?.startReading()
        self.client = client
        self.server = server
    }
}
