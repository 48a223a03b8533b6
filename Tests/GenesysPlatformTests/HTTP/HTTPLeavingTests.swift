import Dispatch
import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

/// Calls end, and engines are closed, at any time: nothing is called afterwards, and nothing is left.
@Suite(.timeLimit(.minutes(2))) struct HTTPLeavingTests {
    /// What a call is waiting for when it ends.
    enum Moment: CaseIterable {
        case unstarted, lookup, connecting, handshake, answer, body, queued
    }

    /// The way out.
    enum Exit: CaseIterable {
        case cancel, drop, closeEngine
    }

    /// A stage whose calls hang at a moment.
    private func stage(_ moment: Moment) throws -> (Stage, WebServer, String) {
        let gate = Gate()
        let stage = try Stage(lookup: moment == .lookup ? gate.lookup : nil)
        let server = try WebServer(stage.loop) { _ in
            moment == .body ? [.text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nplanted")] : []
        }
        server.isDeaf = moment == .handshake
        let count = moment == .queued ? HTTPEngine.maxCountPerHost + 1 : 1
        for _ in 0..<count { stage.start(try HTTPRequest(.get, server.url())) }
        switch moment {
        case .unstarted: break
        case .lookup: try stage.run { gate.isReached }
        case .connecting: stage.loop.run(for: .zero)
        case .handshake: try stage.run { server.openCount == 1 }
        case .answer, .queued: try stage.run { server.requests.count == min(count, HTTPEngine.maxCountPerHost) }
        case .body: try stage.run { stage.calls.first?.transferredByteCount == 7 }
        }
        gate.open()
        return (stage, server, server.url())
    }

    @Test(arguments: Moment.allCases, Exit.allCases)
    func `a call may be left at any moment`(moment: Moment, exit: Exit) throws {
        let (stage, server, _) = try stage(moment)
        let start = stage.loop.now.instant
        switch exit {
        case .cancel:
            for call in stage.calls { call.cancel() }
            for call in stage.calls { call.cancel() }
        case .drop: stage.dropCalls()
        case .closeEngine:
            stage.engine.close()
            stage.engine.close()
        }
        // Nothing waits for a look-up or for the network.
        #expect(stage.loop.now.instant - start < .seconds(1))
        stage.leave(server)
        #expect(stage.results.isEmpty)
    }

    @Test func `a completion may start a call, cancel others, and close the engine`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { _ in [WebServer.answer()] }
        var rounds = 0
        stage.didEnd = { stage, _ in
            rounds += 1
            switch rounds {
            case 1, 2: stage.startAgain()
            case 3:
                for call in stage.calls { call.cancel() }
                stage.dropCalls()
                stage.engine.close()
                stage.startAgain()?.cancel()
                stage.dropCalls()
            default: Issue.record("a result came after the end")
            }
        }
        for _ in 0..<3 { stage.start(try HTTPRequest(.get, server.url())) }
        try stage.run()
        #expect(rounds == 3)
        stage.leave(server)
    }

    @Test func `calls that end together may cancel each other`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { _ in [WebServer.answer()] }
        stage.didEnd = { stage, _ in stage.dropCalls() }
        for _ in 0..<4 { stage.start(try HTTPRequest(.get, server.url())) }
        try stage.run()
        #expect(stage.results.count == 1)
        stage.leave(server)
    }

    @Test func `a call of a closed engine ends without a result`() throws {
        let stage = try Stage()
        stage.engine.close()
        stage.start(try HTTPRequest(.get, "https://a.test/"))
        stage.loop.run(for: .milliseconds(1))
        #expect(stage.results.isEmpty)
        stage.leave()
    }

    @Test func `an engine may be dropped with its last call`() throws {
        let loop = try UVLoop()
        final class Owner: HTTPCallOwner {
            var call: HTTPCall?
            var count = 0
            func call(_ call: HTTPCall, didEndWith result: Result<HTTPAnswer, HTTPFailure>) {
                count += 1
                self.call = nil
            }
        }
        let owner = Owner()
        loop.resolver.lookup = Stage.loopback
        let server = try WebServer(loop) { _ in [WebServer.answer()] }
        do {
            var configuration = HTTPEngine.Configuration(logger: loop.logger)
            configuration.tls = try WebServer.trust()
            let engine = try HTTPEngine(on: loop, configuration: configuration)
            owner.call = engine.start(try HTTPRequest(.get, server.url()), owner: owner)
        }
        while owner.call != nil { loop.run(for: .milliseconds(1)) }
        #expect(owner.count == 1)
        server.close()
        loop.run()
        #expect(loop.registry.openCount == 1)
    }

    @Test func `after TLS files were read again no connection is reused`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { _ in [WebServer.answer()] }
        _ = try stage.answer(.get, server.url())
        _ = try stage.answer(.get, server.url())
        try stage.loop.reloadTLS()
        _ = try stage.answer(.get, server.url())
        #expect(server.requests.map(\.connection) == [0, 0, 1])
        stage.leave(server)
    }
}

/// A resolver that answers when it is opened.
private final class Gate: Sendable {
    private let hasReached = Locked(false)
    private let isOpen = DispatchSemaphore(value: 0)

    var isReached: Bool { hasReached.withLock { $0 } }

    func open() { isOpen.signal() }

    var lookup: Resolver.Lookup {
        { question in
            self.hasReached.withLock { $0 = true }
            // On a thread of its own; each look-up lets the next one pass.
            self.isOpen.wait()
            self.isOpen.signal()
            return Stage.loopback(question)
        }
    }
}
