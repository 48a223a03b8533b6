import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

/// When the addresses of a host are looked up.
@Suite(.timeLimit(.minutes(2))) struct HTTPLookupTests {
    /// A stage whose look-ups are counted; there is one for each family.
    private func stage() throws -> (Stage, Locked<Int>) {
        let count = Locked(0)
        let stage = try Stage { question in
            count.withLock { $0 += 1 }
            return Stage.loopback(question)
        }
        return (stage, count)
    }

    @Test func `calls that follow an answer look nothing up, on a kept connection or on a new one`() throws {
        let (stage, count) = try stage()
        let server = try WebServer(stage.loop) { _ in [WebServer.answer()] }
        for isFresh in [false, false, true] {
            _ = try stage.answer(.get, server.url()) { $0.usesFreshConnection = isFresh }
        }
        #expect(server.requests.map(\.connection) == [0, 0, 1])
        #expect(count.withLock { $0 } == 2)
        stage.leave(server)
    }

    @Test func `addresses are used for a limited time`() throws {
        let (stage, count) = try stage()
        stage.engine.addressLife = .zero
        let server = try WebServer(stage.loop) { _ in [WebServer.answer()] }
        for _ in 0..<2 { _ = try stage.answer(.get, server.url()) }
        #expect(count.withLock { $0 } == 4)
        stage.leave(server)
    }

    @Test func `an address that no longer answers is looked up again within the call`() throws {
        let (stage, count) = try stage()
        let server = try WebServer(stage.loop) { _ in [WebServer.answer()] }
        let url = server.url()
        _ = try stage.answer(.get, url)
        server.close()
        stage.loop.run(for: .milliseconds(1))
        let failure = try stage.failure(.get, url)
        guard case .unreachable(_, let tried, _) = failure else { throw failure }
        #expect(tried.filter { $0.contains("127.0.0.1") }.count == 1)
        #expect(count.withLock { $0 } == 4)
        // Nothing is known of it now.
        _ = try stage.failure(.get, url)
        #expect(count.withLock { $0 } == 6)
        stage.leave()
    }

    @Test func `after a failure the next call looks the host up`() throws {
        let (stage, count) = try stage()
        var isBroken = false
        let server = try WebServer(stage.loop) { _ in
            isBroken ? [.text("SSH-2.0\r\n\r\n"), .fin] : [WebServer.answer()]
        }
        _ = try stage.answer(.get, server.url())
        isBroken = true
        _ = try stage.failure(.get, server.url())
        #expect(count.withLock { $0 } == 2)
        isBroken = false
        _ = try stage.answer(.get, server.url())
        #expect(count.withLock { $0 } == 4)
        stage.leave(server)
    }
}
