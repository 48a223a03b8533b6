import GenesysLoop
import ServerKit
import Testing

@testable import genesys_loop

/// Clients of the metrics server that are slow, silent or too many.
@Suite(.timeLimit(.minutes(patience(2)))) struct MetricsLimitTests {
    private static let request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"

    private static func limits(_ change: (inout MetricsLimits) -> Void) -> MetricsLimits {
        var limits = MetricsLimits()
        change(&limits)
        return limits
    }

    @Test func `the head of a request has a time in total, however steadily its bytes come`() throws {
        let stage = try MetricsStage(Self.limits { $0.head = .milliseconds(100) })
        let client = try stage.connect()
        // Whether the first or a later request of the connection.
        client.send(Self.request)
        #expect(client.next()?.status == 200)
        client.send("GET /metrics HTTP/1.1\r\n")
        var answer: HTTPSocket.Answer?
        while answer == nil, client.send("X: y\r\n") { answer = client.next(within: 2) }
        #expect(answer?.status == 408)
        #expect(client.rest() == [])
    }

    @Test func `a client that sends nothing is dropped after the time of a head`() throws {
        let stage = try MetricsStage(Self.limits { $0.head = .milliseconds(50) })
        #expect(try stage.connect().rest() == [])
    }

    @Test func `a connection without another request ends after its time`() throws {
        let stage = try MetricsStage(Self.limits { $0.idle = .milliseconds(50) })
        let client = try stage.connect()
        client.send(Self.request)
        #expect(client.next()?.status == 200)
        #expect(client.rest() == [])
    }

    @Test func `a client that does not read is dropped, and others are served meanwhile`() throws {
        let stage = try MetricsStage(Self.limits { $0.answer = .milliseconds(200) })
        stage.text.withLock { $0 = String(repeating: "# x\n", count: 4_000_000) }
        let client = try stage.connect(receiveByteCount: 4_096)
        client.send(String(repeating: Self.request, count: 1_000))
        while !client.hasEnded { #expect(stage.get("/healthz")?.status == 200) }
        // One answer was made, and it was cut by a reset.
        #expect(stage.renderCount.withLock { $0 } == 1)
        #expect(client.next() == nil)
    }

    @Test func `a connection that waits for a request makes room, the oldest first`() throws {
        let stage = try MetricsStage(Self.limits { $0.connectionCount = 3 })
        let clients = try (0..<3).map { _ in
            let client = try stage.connect()
            client.send(Self.request)
            #expect(client.next()?.status == 200)
            return client
        }
        // The first is no longer the one that has waited longest.
        clients[0].send(Self.request)
        #expect(clients[0].next()?.status == 200)
        let newcomer = try stage.connect()
        newcomer.send(Self.request)
        #expect(newcomer.next()?.status == 200)
        #expect(clients[1].rest() == [])
        for client in [clients[0], clients[2], newcomer] {
            client.send(Self.request)
            #expect(client.next()?.status == 200)
        }
    }

    @Test func `clients that only connect keep nobody out, and the one that was silent longest gets 503`() throws {
        let stage = try MetricsStage(
            Self.limits {
                $0.connectionCount = 3
                $0.head = .seconds(600)
            })
        let silent = try (0..<3).map { _ in try stage.connect() }
        let client = try stage.connect()
        client.send(Self.request)
        #expect(client.next()?.status == 200)
        #expect(silent[0].next()?.status == 503)
        for _ in 0..<20 { #expect(stage.get("/healthz")?.status == 200) }
        withExtendedLifetime(silent) {}
    }

    @Test func `a connection too many gets 503, with its reason, and disturbs none of the others`() throws {
        let stage = try MetricsStage(
            Self.limits {
                $0.connectionCount = 3
                $0.head = .seconds(600)
                $0.linger = .milliseconds(50)
            })
        let clients = try (0..<3).map { _ in
            let client = try stage.connect()
            client.send("GET /metrics HTTP/1.1\r\n")
            return client
        }
        for _ in 0..<20 {
            let answer = try #require(stage.get("/metrics"))
            #expect(answer.status == 503)
            #expect(answer.body == "There are too many connections: try again.\n")
        }
        // Those that do not leave by themselves are dropped.
        let silent = try (0..<10).map { _ in try stage.connect() }
        for client in silent { _ = client.rest() }
        for client in clients {
            client.send("Host: x\r\n\r\n")
            #expect(client.next()?.status == 200)
        }
        #expect(stage.get("/healthz")?.status == 200)
    }

    @Test func `a listener that fails listens again, and its connections go on`() throws {
        let stage = try MetricsStage(Self.limits { $0.pause = .milliseconds(20) })
        let client = try stage.connect()
        client.send(Self.request)
        #expect(client.next()?.status == 200)
        try stage.perform { server in
            let failed = TCPListener(loop: server.loop, group: HandleGroup(loop: server.loop))
            server.listener(failed, didFailWith: UVError(operation: "accept", code: -24))
        }
        while stage.get("/healthz")?.status != 200 {}
        client.send(Self.request)
        #expect(client.next()?.status == 200)
    }

    @Test func `closing ends connections in every state at once, and the loop with them`() throws {
        let stage = try MetricsStage()
        stage.text.withLock { $0 = String(repeating: "# x\n", count: 4_000_000) }
        let clients = try (0..<5).map { _ in try stage.connect(receiveByteCount: 4_096) }
        clients[1].send("GET /met")
        clients[2].send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(clients[2].next()?.status == 200)
        clients[3].send(Self.request)
        clients[4].send("GET /metrics HTTP/1.0\r\n\r\n")
        while stage.renderCount.withLock({ $0 }) < 2 {}
        try stage.perform { $0.close() }
        for client in clients { _ = client.rest() }
        #expect(throws: (any Error).self) { try stage.connect() }
    }

    @Test func `an address that cannot be used is named in a sentence`() throws {
        let held = try HeldPort(listens: true)
        let loop = try UVLoop()
        for (text, sentence) in [
            ("127.0.0.1:\(held.port)", "Port \(held.port) on 127.0.0.1 is in use"),
            ("192.0.2.1:0", "192.0.2.1 is not an address of this machine"),
        ] {
            let address = try MetricsAddress(text)
            let content = MetricsContent(metrics: { [] }, obstacle: { nil })
            let failure = try #require(throws: MetricsServer.Failure.self) {
                try MetricsServer(on: loop, at: address, content: content, log: EventLog(style: .json))
            }
            #expect(failure.description.hasPrefix("--metrics-listen: \(sentence)"))
        }
        loop.run()
    }
}
