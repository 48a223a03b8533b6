import GenesysLoop
import Testing

@testable import genesys_loop

/// What the metrics server answers to requests of all kinds.
@Suite(.timeLimit(.minutes(patience(2)))) struct MetricsRequestTests {
    private static let plain = "text/plain; charset=utf-8"

    @Test func `each page has its type and its text`() throws {
        let stage = try MetricsStage()
        stage.text.withLock { $0 = "a_total 1\n" }
        for (path, type, body) in [
            ("/metrics", "text/plain; version=0.0.4; charset=utf-8", "a_total 1\n"),
            ("/healthz", Self.plain, "ok\n"), ("/readyz", Self.plain, "ready\n"),
            ("/metrics?name=a", "text/plain; version=0.0.4; charset=utf-8", "a_total 1\n"),
            ("http://example.com/healthz", Self.plain, "ok\n"),
        ] {
            let answer = try #require(stage.get(path))
            #expect(answer.status == 200)
            #expect(answer.body == body)
            #expect(answer.fields["content-type"] == type)
            #expect(answer.fields["connection"] == "close")
        }
        stage.obstacle.withLock { $0 = "It is early." }
        let answer = try #require(stage.get("/readyz"))
        #expect(answer.status == 503)
        #expect(answer.body == "It is early.\n")
        #expect(stage.get("/healthz")?.status == 200)
    }

    @Test func `HEAD has the length of the body, and no body`() throws {
        let stage = try MetricsStage()
        stage.text.withLock { $0 = "a 1\n" }
        let client = try stage.connect()
        client.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\nHEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        let answer = try #require(client.next(omitsBody: true))
        #expect(answer.status == 200)
        #expect(answer.fields["content-length"] == "4")
        #expect(client.next(omitsBody: true)?.status == 404)
        client.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(client.next()?.body == "a 1\n")
        #expect(client.rest() == [])
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404), ("GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404), ("POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("get /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 405), ("OPTIONS /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    ])
    func `an unknown path and another method are refused, and the connection goes on`(
        request: String, status: Int
    ) throws {
        let stage = try MetricsStage()
        let client = try stage.connect()
        client.send(request)
        let answer = try #require(client.next())
        #expect(answer.status == status)
        #expect(answer.fields["allow"] == (status == 405 ? "GET, HEAD" : nil))
        #expect(answer.fields["connection"] == nil)
        #expect(answer.body.hasSuffix(".\n"))
        client.send("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        #expect(client.next()?.status == 200)
    }

    @Test(arguments: [
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 413),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
        ("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 405),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n", 400),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x, chunked\r\n\r\n", 501),
        ("GET /metrics HTTP/1.1\r\n\r\n", 400), ("GET /metrics HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        ("GET /metrics\r\n\r\n", 400), ("GET  /metrics HTTP/1.1\r\n\r\n", 400), ("GET /metrics HTTP/1.1\n\n", 400),
        ("GET /metrics HTTP/2.0\r\n\r\n", 400), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        ("GET /metrics HTTP/1.1\r\nHost : x\r\n\r\n", 400), ("GET /metrics HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", 400),
        ("\u{16}\u{3}\u{1}\u{0}\n", 400), ("GET /metrics HTTP/1.0\r\n\r\n", 200),
        ("GET /healthz HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\n", 200),
        ("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: te, Close\r\n\r\nGET / HTTP/1.1\r\n", 200),
    ])
    func `the connection ends after a request that is malformed, has a body, or says so`(
        request: String, status: Int
    ) throws {
        try Self.check(request, status)
    }

    @Test func `a head of more than 8 KiB is refused, wherever its bytes are`() throws {
        let start = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: "
        let end = "\r\n\r\n"
        let room = 8_192 - start.utf8.count - end.utf8.count
        for (head, status) in [
            (start + String(repeating: "a", count: room) + end, 200),
            (start + String(repeating: "a", count: room + 1) + end, 431),
            (start + String(repeating: "a", count: 65_536) + end, 431),
            ("GET /" + String(repeating: "a", count: 8_188), 431), (String(repeating: "\r\n", count: 5_000), 431),
            (String(repeating: "\u{0}", count: 8_193), 431),
        ] { try Self.check(head, status) }
    }

    /// Sends a request whole, and in pieces; the connection must end with the answer, and others be served.
    private static func check(_ request: String, _ status: Int) throws {
        let stage = try MetricsStage()
        for size in [request.count, 7] {
            let client = try stage.connect()
            var rest = Substring(request)
            while !rest.isEmpty, client.send(String(rest.prefix(size))) { rest = rest.dropFirst(size) }
            let answer = try #require(client.next())
            #expect(answer.status == status)
            #expect(answer.fields["connection"] == "close")
            #expect(client.rest() == [])
        }
        #expect(stage.get("/healthz")?.status == 200)
    }

    @Test func `requests that come together are answered in order, each with its own answer`() throws {
        let stage = try MetricsStage()
        let client = try stage.connect()
        let paths = (0..<60).map { ["/metrics", "/nothing", "/healthz", "/readyz"][$0 % 4] }
        client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
        for path in paths {
            let answer = try #require(client.next())
            #expect((answer.status == 404) == (path == "/nothing"))
            #expect((answer.body == "ok\n") == (path == "/healthz"))
        }
        // A head whose parts come in different turns of the loop, behind others.
        client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HT")
        #expect(client.next()?.body == "ok\n")
        client.send("TP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.next()?.body == "ready\n")
        client.shutdown()
        #expect(client.rest() == [])
        #expect(stage.renderCount.withLock { $0 } == 15)
    }

    @Test func `a client that ends its output still gets its answer`() throws {
        let stage = try MetricsStage()
        // Larger than the buffers of the kernel.
        stage.text.withLock { $0 = String(repeating: "# x\n", count: 4_000_000) }
        let client = try stage.connect()
        client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        client.shutdown()
        #expect(client.next()?.body.utf8.count == 16_000_000)
        #expect(client.rest() == [])
    }
}
