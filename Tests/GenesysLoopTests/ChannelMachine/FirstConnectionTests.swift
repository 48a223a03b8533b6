import Testing

@testable import GenesysLoop

@Suite struct FirstConnectionTests {
    private func firstEnd(_ end: LinkEnd, isOpened: Bool = false) -> [ChannelMachine.Action] {
        var stage = Stage()
        stage.open()
        if isOpened { stage.opened(.first) }
        return stage.ended(.first, end)
    }

    static let passing: [LinkEnd] = [
        .refused, .status(429), .status(500), .status(503), .failure(.timeout, .tls), .failure(.dns, .dns),
        .failure(.connectionClosed, .upgrade),
    ]
    static let lasting: [LinkEnd] = [
        .status(401), .status(403), .status(404), .status(400), .failure(.tlsExpired, .tls),
        .failure(.invalidHandshake, .upgrade), .failure(.protocolViolation, .tls), .failure(.proxy, .proxy),
        LinkEnd(failure: ChannelFailure(reason: .dns, phase: .dns, isRetryable: false)),
    ]

    @Test(arguments: passing)
    func `what may pass is tried again`(_ end: LinkEnd) {
        #expect(firstEnd(end).attempts.count == 1)
    }

    @Test(arguments: lasting)
    func `a mistake in the set-up is reported at once`(_ end: LinkEnd) {
        #expect(firstEnd(end).failure?.reason == end.failure.reason)
    }

    @Test(arguments: [1001, 1012, 1013] as [UInt16])
    func `a service that goes away for a while is tried again`(_ code: UInt16) {
        #expect(firstEnd(.closed(code), isOpened: true).attempts.count == 1)
        #expect(firstEnd(.reset, isOpened: true).attempts.count == 1)
    }

    @Test(arguments: [1000, 1002, 1005, 1008, 1011, 4000] as [UInt16])
    func `a Close frame in place of a confirmation is an answer`(_ code: UInt16) {
        let failure = firstEnd(.closed(code), isOpened: true).failure
        #expect(failure?.reason == .connectionClosed)
        #expect(failure?.phase == .subscribe)
        #expect(failure?.isRetryable == false)
        #expect(failure?.kind == .connection)
    }

    @Test func `the first connection is given up after a minute`() throws {
        var stage = Stage()
        stage.open()
        let start = stage.now.instant
        var end: [ChannelMachine.Action] = []
        for _ in 0..<1_000 where end.failure == nil {
            guard let link = stage.ledger.alive.first else {
                end = stage.wait(.milliseconds(100))
                continue
            }
            end = stage.ended(link, .refused)
        }
        #expect(end.failure?.kind == .connection)
        #expect(end.failure?.reason == .connect)
        #expect(stage.now.instant - start == .seconds(60), "the last attempt starts with the minute's end")
        stage.check()
    }

    @Test func `an attempt that hangs is left to the deadlines of its phases`() {
        var stage = Stage()
        stage.open()
        #expect(stage.wait(.seconds(59)) == [])
        #expect(stage.wait(.seconds(5)) == [])
        #expect(stage.machine.nextDeadline == nil)
        let end = stage.ended(.first, .failure(.timeout, .tls))
        #expect(end.failure?.reason == .timeout, "it was the last one")
        #expect(end.failure?.phase == .tls)
        stage.check()
    }

    @Test func `the last attempt may still be confirmed after the minute`() {
        var stage = Stage()
        stage.open()
        stage.wait(.seconds(59))
        #expect(stage.ended(.first, .refused).attempts.count == 1)
        stage.wait(.seconds(1))
        stage.wait(.seconds(9))
        stage.opened(.second)
        stage.wait(.seconds(1))
        #expect(words(stage.accept(.second)) == "didSubscribe")
        stage.check()
    }

    @Test func `without a limit the first connection is tried for as long as it takes`() {
        var stage = Stage {
            var backoff = ReconnectPolicy.Backoff()
            backoff.initialTotal = nil
            $0.reconnect = .backoff(backoff)
        }
        stage.open()
        for _ in 0..<200 {
            guard let link = stage.ledger.alive.first else {
                stage.wait(.seconds(90))
                continue
            }
            #expect(stage.ended(link, .refused).attempts.count == 1)
        }
        stage.check()
    }

    @Test func `with the policy never, the first failure is the last`() {
        var stage = Stage { $0.reconnect = .never }
        stage.open()
        let failure = stage.ended(.first, .refused).failure
        #expect(failure?.kind == .connection)
    }

    @Test func `with the policy once, there is one more attempt`() {
        var stage = Stage { $0.reconnect = .once }
        stage.open()
        #expect(stage.ended(.first, .refused).attempts.count == 1)
        stage.wait(.seconds(1))
        #expect(stage.ended(.second, .refused).failure?.kind == .connection)
    }

    @Test func `Retry-After is a floor`() {
        var stage = Stage()
        stage.open()
        let attempt = stage.ended(.first, .status(503, retryAfter: .seconds(20))).attempts.first
        #expect(attempt?.delay == .seconds(20))
        #expect(stage.wait(.milliseconds(19_999)) == [])
        #expect(words(stage.wait(.milliseconds(1))) == "connect 2 to 0")
    }

    @Test func `Retry-After beyond the rest of the minute ends it at once`() {
        var stage = Stage()
        stage.open()
        stage.wait(.seconds(30))
        let failure = stage.ended(.first, .status(429, retryAfter: .seconds(31))).failure
        #expect(failure?.reason == .httpTooManyRequests)
        #expect(failure?.retryAfter == .seconds(31))
    }

    @Test func `a token that is revoked before the confirmation is a matter of authorization`() {
        var stage = Stage()
        stage.open()
        stage.opened(.first)
        let failure = stage.system(.tokenRevoked, .first, "revoked").failure
        #expect(failure?.kind == .authorization)
        #expect(failure?.reason == .tokenRevoked)
        #expect(failure?.message == "revoked")
    }

    @Test func `a new URI takes the place of the attempt under way`() {
        var stage = Stage()
        #expect(stage.rollover(to: .other) == [])
        #expect(words(stage.open()) == "connect 1 to 1")
        #expect(words(stage.rollover(to: .another)) == "drop 1, connect 2 to 2")
        stage.opened(.second)
        #expect(words(stage.rollover(to: .other)) == "retire 2, connect 3 to 1")
        stage.check()
    }
}
