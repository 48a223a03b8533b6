import Testing

@testable import GenesysLoop

@Suite struct CloseTests {
    @Test(arguments: StateName.allCases)
    func `close() ends the channel from every state, once, with nothing told on the way`(_ state: StateName) {
        for isOpened in [true, false] {
            var stage = Stage.inState(state, isOpened: isOpened)
            let actions = stage.close() + stage.close()
            #expect(stage.message(.first, 1) == .ignore)
            #expect(stage.message(.second, 1) == .ignore)
            let rest = stage.wait(.seconds(5))
            #expect(stage.machine.state == .ended)
            #expect((actions + rest).filter { $0 == .finish(.closed) }.count == (state == .ended ? 0 : 1))
            #expect(stage.ledger.alive == [])
            stage.check()
        }
    }

    @Test func `it waits for both sockets of a rollover`() {
        var stage = Stage.inState(.rollingOver)
        stage.close()
        #expect(stage.ended(.second, .closed(1000)) == [])
        #expect(words(stage.ended(.first, .reset)) == "closed")
    }

    @Test func `it does not wait for a peer that keeps talking`() {
        var stage = Stage.live()
        stage.close()
        for _ in 0..<10 {
            stage.wait(.milliseconds(400))
            stage.heard(.first)
            #expect(stage.message(.first, 1) == .ignore)
        }
        #expect(words(stage.wait(.seconds(1))) == "drop 1, closed")
    }

    @Test func `nothing that the service says after it is answered`() {
        var stage = Stage.inState(.draining)
        stage.close()
        #expect(stage.socketClosing(.first) == [])
        #expect(stage.system(.tokenRevoked, .first) == [])
        #expect(stage.refuse(.first) == [])
        #expect(stage.rollover(to: .other) == [])
        #expect(stage.machine.isSilent)
        stage.check()
    }

    @Test func `closed before it was opened, it stays closed`() {
        var stage = Stage()
        #expect(words(stage.close()) == "closed")
        #expect(stage.open() == [])
    }
}
