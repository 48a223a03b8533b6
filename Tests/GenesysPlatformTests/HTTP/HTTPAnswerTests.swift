import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

/// Requests and answers over real sockets.
@Suite(.timeLimit(.minutes(2))) struct HTTPAnswerTests {
    @Test func `an answer has its status, its headers and its body`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { _ in
            [WebServer.answer("201 Created", "X-One: a", "x-one: b", "ININ-Correlation-Id: abc-1", body: #"{"a":1}"#)]
        }
        let answer = try stage.answer(.get, server.url("/api/v2/channels?x=1")) {
            try $0.addHeader("Authorization", SecretBytes("Bearer planted-token-77"))
        }
        #expect(answer.status == 201)
        #expect(answer.body.text == #"{"a":1}"#)
        #expect(answer.header(named: "X-ONE") == "a, b")
        #expect(answer.header(named: "missing") == nil)
        #expect(answer.correlationID == "abc-1")
        #expect(answer.retryAfter == nil && answer.redirectHost == nil)
        let request = try #require(server.requests.first)
        #expect(request.method == "GET" && request.target == "/api/v2/channels?x=1")
        #expect(request.headers["host"] == "api.test:\(server.port)")
        #expect(request.headers["authorization"] == "Bearer planted-token-77")
        #expect(request.headers["user-agent"] == "GenesysLoop")
        #expect(request.headers["expect"] == nil && request.headers["accept-encoding"] == nil)
        stage.leave(server)
    }

    @Test func `each method sends its body, or none`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { request in
            let answer = WebServer.answer("200 OK", body: request.method == "HEAD" ? "" : request.body)
            return [answer]
        }
        let cases: [(HTTPRequest.Method, String?, String?)] = [
            (.get, nil, nil), (.head, nil, nil), (.post, "{\"b\":\"planted\"}", "15"), (.post, "", "0"),
            (.post, nil, "0"), (.put, "[]", "2"), (.delete, nil, nil),
        ]
        for (method, body, length) in cases {
            let answer = try stage.answer(method, server.url()) {
                $0.body = body.map { SecretBytes($0) }
                try $0.addHeader("Content-Type", "application/json")
            }
            let request = try #require(server.requests.last)
            #expect(request.method == method.rawValue)
            #expect(request.body == body ?? "", "\(method)")
            #expect(request.headers["content-length"] == length, "\(method)")
            #expect(request.headers["content-type"] == "application/json")
            #expect(answer.body.text == body ?? "")
        }
        stage.leave(server)
    }

    @Test func `a chunked answer, one in pieces, and one that ends with the connection are complete`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { request in
            switch request.target {
            case "/chunked":
                [
                    .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n"), .wait(.zero),
                    .text("3;x=y\r\n\":1\r\n"), .wait(.zero), .text("1\r\n}\r\n0\r\nTrailer: t\r\n\r\n"),
                ]
            case "/pieces":
                "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}".map { .text(String($0)) }
                    .flatMap { [$0, WebServer.Step.wait(.zero)] }
            case "/interim":
                [
                    .text("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), .wait(.zero),
                    WebServer.answer(body: "{\"a\":1}"),
                ]
            default: [.text("HTTP/1.0 200 OK\r\n\r\n{\"a\":1}"), .closeNotify, .fin]
            }
        }
        for target in ["/chunked", "/pieces", "/interim", "/until-the-end"] {
            let answer = try stage.answer(.get, server.url(target))
            #expect(answer.status == 200 && answer.body.text == #"{"a":1}"#, "\(target)")
            #expect(answer.header(named: "link") == nil)
        }
        stage.leave(server)
    }

    @Test func `empty answers and answers of every status are answers`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { request in
            let status = String(request.target.dropFirst())
            return [.text("HTTP/1.1 \(status) Any Thing\r\nContent-Length: 0\r\n\r\n")]
        }
        for status in [200, 202, 400, 401, 403, 404, 429, 500, 503, 599] {
            let answer = try stage.answer(.get, server.url("/\(status)"))
            #expect(answer.status == status && answer.body.count == 0)
        }
        stage.leave(server)
    }

    @Test func `Retry-After is a number of seconds, or a date that counts from the answer's own`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { request in
            [
                request.target == "/seconds"
                    ? WebServer.answer("429 Too Many Requests", "Retry-After: 7")
                    : WebServer.answer(
                        "503 Service Unavailable", "Date: Tue, 03 Feb 2026 17:59:07 GMT",
                        "Retry-After: Tue, 03 Feb 2026 18:00:07 GMT")
            ]
        }
        #expect(try stage.answer(.get, server.url("/seconds")).retryAfter == .seconds(7))
        #expect(try stage.answer(.get, server.url("/date")).retryAfter == .seconds(60))
        stage.leave(server)
    }

    @Test func `a redirect is an answer, and its target gets no request`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { _ in
            [WebServer.answer("302 Found", "Location: https://login.elsewhere.test/planted-path?x=planted")]
        }
        let answer = try stage.answer(.get, server.url())
        #expect(answer.status == 302)
        #expect(answer.redirectHost == "login.elsewhere.test")
        #expect(server.requests.count == 1)
        stage.leave(server)
    }

    @Test func `a kept connection serves the next request, a fresh one does not`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { _ in [WebServer.answer()] }
        for usesFreshConnection in [false, false, true, true, false] {
            _ = try stage.answer(.get, server.url()) { $0.usesFreshConnection = usesFreshConnection }
        }
        #expect(server.requests.map(\.connection).prefix(4) == [0, 0, 1, 2])
        #expect(server.requests[4].connection < 3)
        stage.leave(server)
    }

    @Test func `an idle engine keeps nothing on the loop, although it keeps its connection`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { _ in [WebServer.answer()] }
        _ = try stage.answer(.get, server.url())
        // The loop's own handle, the listener's and that of the server's connection.
        #expect(server.openCount == 1)
        stage.loop.run(for: .milliseconds(1))
        #expect(stage.engine.group.openCount == 0)
        stage.leave(server)
    }

    @Test func `four requests of a host are under way, the others wait, and all get their answers`() throws {
        let stage = try Stage()
        var largest = 0
        var pending = 0
        let server = try WebServer(stage.loop) { _ in
            pending += 1
            largest = max(largest, pending)
            return [.wait(.milliseconds(1)), .act { pending -= 1 }, WebServer.answer()]
        }
        for _ in 0..<20 { stage.start(try HTTPRequest(.get, server.url())) }
        try stage.run()
        #expect(stage.results.count == 20)
        #expect(stage.results.allSatisfy { (try? $0.get().status) == 200 })
        #expect(largest == 4 && server.requests.count == 20)
        #expect(Set(server.requests.map(\.connection)).count <= 4)
        stage.leave(server)
    }

    @Test func `a loopback URL may go without TLS`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop, tls: false) { _ in [WebServer.answer()] }
        #expect(try stage.answer(.get, server.url()).status == 200)
        stage.leave(server)
    }

    @Test func `a server name of the configuration is sent and verified, and the request goes to the host of the URL`()
        throws
    {
        let stage = try Stage(change: { $0.tls.serverName = "api.test" })
        let server = try WebServer(stage.loop) { _ in [WebServer.answer()] }
        #expect(try stage.answer(.get, server.url(host: "gateway.test")).status == 200)
        #expect(try stage.answer(.get, server.url(host: "127.0.0.1")).status == 200)
        let hosts = server.requests.map { $0.headers["host"] }
        #expect(hosts == ["gateway.test:\(server.port)", "127.0.0.1:\(server.port)"])
        stage.leave(server)
    }
}
