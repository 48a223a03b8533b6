import GenesysLoop
import GenesysSimulator
import Testing

/// The REST side over HTTP, on the port of the sockets.
@Suite(.timeLimit(.minutes(patience(5)))) struct RESTServerTests {
    static let path = "/api/v2/notifications/channels"

    static func request(_ method: String, _ target: String, body: String = "", headers: String = "") -> String {
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        return "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n\(length)\(headers)\r\n\(body)"
    }

    /// Sends one request and returns the status line and the body.
    private func ask(
        _ stage: ServerStage, _ request: String, chunkSize: Int? = nil
    ) throws -> (status: String, body: String) {
        let client = try RawClient(stage, greeting: request, chunkSize: chunkSize)
        client.didEnd = { _ in stage.end() }
        stage.run()
        let status = client.head?.split(separator: "\r\n").first.map(String.init) ?? ""
        return (status, String(decoding: client.body, as: UTF8.self))
    }

    @Test(arguments: [true, false]) func `a channel is made and lists its URI`(tls: Bool) throws {
        let stage = try ServerStage(tls: tls)
        let answer = try ask(stage, Self.request("POST", Self.path))
        #expect(answer.status.hasPrefix("HTTP/1.1 200"))
        let made = try #require(stage.server.service.channelIDs.last)
        let scheme = tls ? "wss" : "ws"
        #expect(
            answer.body.hasPrefix(
                #"{"connectUri":"\#(scheme)://localhost:\#(stage.server.port)/channels/\#(made)","id":"\#(made)""#))
    }

    @Test(arguments: [nil, 1, 7]) func `a body may come in any pieces`(chunkSize: Int?) throws {
        let stage = try ServerStage()
        let target = "\(Self.path)/\(stage.id)/subscriptions"
        let answer = try ask(stage, Self.request("PUT", target, body: #"[{"id":"v2.a"}]"#), chunkSize: chunkSize)
        #expect(answer.status.hasPrefix("HTTP/1.1 200"))
        #expect(try stage.server.service.subscriptions(of: stage.id) == ["v2.a"])
    }

    private static let refused: [(String, Int)] = [
        (request("GET", "/api/elsewhere"), 404), (request("PATCH", path), 405),
        (request("POST", path, headers: "Content-Length: x\r\n"), 400),
        (request("POST", path, headers: "Content-Length: -1\r\n"), 400),
        (request("POST", path, headers: "Content-Length: 9999999999\r\n"), 413),
        (request("POST", path, headers: "Content-Length: +1\r\n"), 400),
        (request("POST", path, headers: "Content-Length: \r\n"), 400),
        (request("POST", path, headers: "Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
        (request("POST", path, headers: "Content-Length: 1048577\r\n"), 413),
        (request("POST", path, headers: "Transfer-Encoding: gzip\r\n"), 400),
        (request("POST", path, headers: "Transfer-Encoding: chunked, gzip\r\n"), 400),
        (request("POST", path, headers: "Transfer-Encoding: gzip, chunked\r\n"), 501),
        ("POST \(path) HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (request("GET", path, headers: "Expect: a-miracle\r\n"), 417),
        (request("GET", path, headers: "Expect: 100-continue, a-miracle\r\n"), 417),
        (request("GET", "/"), 404), (request("GET", "/channels/x"), 404), (request("OPTIONS", "*"), 404),
        (request("GET", "http://elsewhere.test/"), 404), (request("GET", "http:///api"), 404),
        (request("CONNECT", "elsewhere.test:443"), 404), ("GET /elsewhere HTTP/1.0\r\n\r\n", 404),
    ]

    @Test(arguments: refused) func `what is not served is refused`(request: String, status: Int) throws {
        let answer = try ask(try ServerStage(), request)
        #expect(answer.status.hasPrefix("HTTP/1.1 \(status) "))
    }

    private static let served: [String] = [
        request("GET", path, headers: "Upgrade: h2c\r\nConnection: Upgrade\r\n"),
        request("GET", "HTTPS://elsewhere.test:1\(path)?x"), request("GET", "https://localhost\(path)/"),
        "GET \(path) HTTP/1.0\r\n\r\n", request("GET", path, headers: "ACCEPT:*/*\r\n"),
        request("POST", path, headers: "Content-Length: 2\r\ncontent-length: 2\r\n") + "{}",
        request("POST", path, headers: "Expect: 100-Continue\r\n"),
        "POST \(path) HTTP/1.0\r\nExpect: a-miracle\r\n\r\n",
        request("GET", path) + request("GET", path), "\r\n" + request("GET", path),
        request("POST", path, body: "{}", headers: "Content-Type: application/json; charset=utf-8\r\n"),
    ]

    @Test(arguments: served) func `what other servers take is served`(request: String) throws {
        let answer = try ask(try ServerStage(), request)
        #expect(answer.status == "HTTP/1.1 200 OK")
        #expect(answer.body.hasPrefix("{"))
    }

    @Test(arguments: [nil, 1, 7]) func `a body in chunks is read, with its extensions and trailer fields`(
        chunkSize: Int?
    ) throws {
        let stage = try ServerStage()
        let target = "\(Self.path)/\(stage.id)/subscriptions"
        let body =
            "5;a=b\r\n[{\"id\r\n00C ; x=\"y\"\r\n\":\"v2.a\"},{\"\r\n"
            + "00b\r\nid\":\"v2.b\"}\r\n1\r\n]\r\n0\r\nX-Sum: 1\r\n\r\n"
        let answer = try ask(
            stage, Self.request("PUT", target, headers: "Transfer-Encoding: Chunked\r\n") + body,
            chunkSize: chunkSize)
        #expect(answer.status == "HTTP/1.1 200 OK", "\(answer)")
        #expect(try stage.server.service.subscriptions(of: stage.id) == ["v2.a", "v2.b"])
    }

    @Test func `a client that waits for it is told to continue, once, before the answer`() throws {
        for headers in ["Content-Length: 2\r\n", "Transfer-Encoding: chunked\r\n"] {
            let stage = try ServerStage()
            let client = try RawClient(
                stage, greeting: Self.request("POST", Self.path, headers: headers + "Expect: 100-continue\r\n"))
            let rest = headers.hasPrefix("C") ? "{}" : "2\r\n{}\r\n0\r\n\r\n"
            // The interim answer is the first head.
            client.didHead = { client in client.sendBytes(Array(rest.utf8)) }
            client.didEnd = { _ in stage.end() }
            stage.run()
            #expect(client.head == "HTTP/1.1 100 Continue")
            let answers = String(decoding: client.body, as: UTF8.self)
            #expect(answers.hasPrefix("HTTP/1.1 200 OK\r\n") && !answers.contains(" 100 "), "\(answers)")
        }
    }

    @Test func `the answer to HEAD has no body, and that of 204 no length`() throws {
        let head = try ask(try ServerStage(), Self.request("HEAD", Self.path + "/unknown"))
        #expect(head.status == "HTTP/1.1 404 Not Found" && head.body == "")
        let stage = try ServerStage()
        let client = try RawClient(
            stage, greeting: Self.request("DELETE", "\(Self.path)/\(stage.id)/subscriptions"))
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.head?.hasPrefix("HTTP/1.1 204 No Content\r\n") == true)
        #expect(client.head?.contains("Content-") == false)
    }

    @Test func `an upgrade may name its target by an absolute URI`() throws {
        let stage = try ServerStage(tls: false)
        let client = try RawClient(
            stage, greeting: RawClient.upgrade(stage.id).replacing("GET /", with: "GET http://localhost/"))
        client.didOpen = { client in client.send(.close, [3, 232]) }
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.head?.hasPrefix("HTTP/1.1 101 ") == true)
        #expect(client.closeCode == .normal)
    }

    @Test func `a server on all addresses names the host that the client asked for`() throws {
        for (host, header, expected) in [
            ("0.0.0.0", "simulator:99", "wss://simulator:99/channels/"), ("0.0.0.0", "a b", "wss://localhost:"),
            ("127.0.0.1", "simulator:99", "wss://127.0.0.1:"),
        ] {
            let loop = try UVLoop()
            let server = try SimulatorServer(on: loop, host: host, seed: 1)
            server.start()
            let client = try RawClient(
                loop, port: server.port, trust: server.caCertificatePEM,
                greeting: "POST \(Self.path) HTTP/1.1\r\nHost: \(header)\r\n\r\n")
            client.didEnd = { _ in server.close() }
            loop.run()
            let body = String(decoding: client.body, as: UTF8.self)
            #expect(body.hasPrefix(#"{"connectUri":"\#(expected)"#), "\(body)")
            client.forget()
        }
    }

    @Test func `a configured refusal of creations comes with its Retry-After`() throws {
        let stage = try ServerStage()
        stage.server.configuration.channels.creationRefusal = .tooManyRequests(retryAfter: 3)
        let client = try RawClient(stage, greeting: Self.request("POST", Self.path))
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.head?.contains("\r\nRetry-After: 3") == true)
    }
}
