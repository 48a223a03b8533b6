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

    @Test(arguments: [
        (request("GET", "/api/elsewhere"), 404), (request("PATCH", path), 405),
        (request("POST", path, headers: "Content-Length: x\r\n"), 400),
        (request("POST", path, headers: "Content-Length: -1\r\n"), 400),
        (request("POST", path, headers: "Content-Length: 9999999999\r\n"), 413),
        (request("POST", path, headers: "Transfer-Encoding: chunked\r\n"), 411),
        ("GET \(path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\n\r\n", 426),
    ]) func `what is not served is refused`(request: String, status: Int) throws {
        let answer = try ask(try ServerStage(), request)
        #expect(answer.status.hasPrefix("HTTP/1.1 \(status) "))
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
