import Testing

@testable import GenesysLoop
@testable import ServerKit

@Suite(.timeLimit(.minutes(patience(2)))) struct WebSocketClientUpgradeTests {
    @Test func `the request carries subprotocols, headers and user agent`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.respond = { EchoConnection.acceptance(of: $0, subprotocol: "b") }
        host.onEvent = { event, client in
            guard event == .opened else { return }
            #expect(client.subprotocol == "b")
            client.close()
        }
        try host.run(server) {
            $0.subprotocols = ["a", "b"]
            $0.headers = [("Authorization", "Bearer x"), ("X-Trace", "1")]
            $0.userAgent = "test/1"
        }
        let request = try #require(try server.connection.request)
        #expect(request.subprotocols == ["a", "b"])
        #expect(request.fields.values(of: "authorization") == ["Bearer x"])
        #expect(request.fields.values(of: "x-trace") == ["1"])
        #expect(request.fields.values(of: "user-agent") == ["test/1"])
        #expect(host.events == [.opened, .closed(.normal, "")])
    }

    @Test func `a server may choose no subprotocol`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        host.onEvent = { event, client in
            guard event == .opened else { return }
            #expect(client.subprotocol == nil)
            client.close()
        }
        try host.run(server) {
            $0.subprotocols = ["a"]
            $0.userAgent = nil
        }
        #expect(try server.connection.request?.fields.values(of: "user-agent") == [])
        #expect(host.events == [.opened, .closed(.normal, "")])
    }

    @Test(arguments: [[], ["a"]]) func `a subprotocol that was not offered is a failure`(offered: [String]) throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.respond = { EchoConnection.acceptance(of: $0, subprotocol: "z") }
        try host.run(server) { $0.subprotocols = offered }
        #expect(host.events == [.failed(.invalidHandshake)])
        #expect(host.failure?.phase == .upgrade)
    }

    @Test func `what would break the request is refused at once, without its value`() throws {
        let server = try EchoServer(UVLoop())
        let changes: [(inout WebSocketClientConfiguration) -> Void] = [
            { $0.headers = [("X", "1\r\nEvil: 2")] }, { $0.headers = [("X\r\nEvil", "1")] },
            { $0.headers = [("Sec-WebSocket-Key", "Evil")] }, { $0.headers = [("Host", "Evil")] },
            { $0.userAgent = "Evil\n" }, { $0.subprotocols = ["Evil\r\n"] }, { $0.subprotocols = ["a", "a"] },
            { $0.subprotocols = ["a b"] },
        ]
        for change in changes {
            let error = #expect(throws: WebSocketUsageError.self) {
                try WebSocketHost().client(server, configure: change)
            }
            #expect(error?.description.contains("Evil") == false)
        }
        let failure = #expect(throws: WebSocketFailure.self) {
            try WebSocketClient(uri: "http://h/secret", on: server.loop)
        }
        #expect(failure?.reason == .invalidURI)
        #expect(failure.map { "\($0)".contains("secret") } == false)
    }

    @Test func `another status than 101 is told with what it says`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.respond = { _ in try? UpgradeResponse.refuse(status: 503, headers: [("Retry-After", "7")]) }
        try host.run(server)
        #expect(host.events == [.failed(.invalidStatusCode)])
        #expect(host.failure?.status == 503)
        #expect(host.failure?.retryAfter == .seconds(7))
        #expect(host.failure?.isRetryable == true)
    }

    @Test(arguments: [(401, FailureReason.httpUnauthorized), (404, .httpNotFound), (302, .invalidStatusCode)])
    func `a refusal is described without a word of channels`(status: Int, reason: FailureReason) throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.respond = { _ in try? UpgradeResponse.refuse(status: status) }
        try host.run(server)
        #expect(host.events == [.failed(reason)])
        let text = try #require(host.failure?.description)
        #expect(
            text == "The WebSocket could not be opened: the server answered the upgrade with HTTP status \(status).")
    }

    @Test func `nobody listens`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let uri = server.uri
        server.stopListening()
        try host.run(server, uri: uri)
        #expect(host.events == [.failed(.connect)])
        #expect(host.failure?.phase == .connect)
    }

    @Test func `a certificate that is not trusted`() throws {
        let server = try EchoServer(UVLoop(), tls: true)
        let host = WebSocketHost()
        let other = try CertificateAuthority(commonName: "other")
        try host.run(server) { $0.tls.trust = .pem(other.certificatePEM) }
        #expect(host.events == [.failed(.tlsUnknownIssuer)])
        #expect(host.failure?.phase == .tls)
    }

    @Test func `an upgrade that takes too long`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.respond = { _ in Array("HTTP/1.1 101 ".utf8) }
        try host.run(server) { $0.deadlines.upgrade = .milliseconds(20) }
        #expect(host.events == [.failed(.timeout)])
        #expect(host.failure?.phase == .upgrade)
    }

    @Test func `a trust store that cannot be used is refused at once`() throws {
        let loop = try UVLoop()
        var configuration = WebSocketClientConfiguration()
        configuration.tls.trust = .pem([1, 2, 3])
        let failure = #expect(throws: WebSocketFailure.self) {
            try WebSocketClient(uri: "wss://localhost/", on: loop, configuration: configuration)
        }
        #expect(failure?.phase == .tls)
        // It has no effect without TLS.
        _ = try WebSocketClient(uri: "ws://localhost/", on: loop, configuration: configuration)
    }
}
