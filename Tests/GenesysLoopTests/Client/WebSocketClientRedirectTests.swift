import Testing

@testable import GenesysLoop
@testable import ServerKit

@Suite(.timeLimit(.minutes(patience(2)))) struct WebSocketClientRedirectTests {
    private func redirect(to location: String, status: Int = 302) -> [UInt8]? {
        try? UpgradeResponse.refuse(status: status, headers: [("Location", location)])
    }

    private func closing() -> WebSocketHost {
        let host = WebSocketHost()
        host.onEvent = { event, client in if event == .opened { client.close() } }
        return host
    }

    @Test(arguments: [false, true]) func `a redirect leads to another connection, in the same client`(tls: Bool) throws
    {
        let server = try EchoServer(UVLoop(), tls: tls)
        let host = closing()
        var targets: [String] = []
        server.respond = { request in
            targets.append(request.target)
            return targets.count < 3
                ? redirect(to: "next?\(targets.count)", status: 300 + [1, 8][targets.count - 1]) : nil
        }
        try host.run(server) {
            $0.headers = [("Authorization", "Bearer x")]
            $0.subprotocols = ["a"]
        }
        #expect(host.events == [.opened, .closed(.normal, "")])
        #expect(targets == ["/secret", "/next?1", "/next?2"])
        let last = try #require(server.connections.last?.request)
        #expect(last.fields.values(of: "authorization") == ["Bearer x"])
        #expect(last.subprotocols == ["a"])
    }

    @Test(arguments: [false, true])
    func `another host gets no header and no subprotocol, but those that are public`(declares: Bool) throws {
        let server = try EchoServer(UVLoop())
        let host = closing()
        let elsewhere = server.uri.replacing("localhost", with: "user:word@127.0.0.1")
        server.respond = { request in
            request.target == "/secret" && request.fields.values(of: "host")[0].hasPrefix("localhost")
                ? redirect(to: elsewhere) : nil
        }
        let names = [
            "Authorization", "cookie", "X-API-Key", "api-key", "X-Auth-Token", "X-Amz-Security-Token", "X-Trace",
        ]
        try host.run(server) {
            $0.headers = names.map { ($0, "1") }
            $0.subprotocols = ["bearer.secret", "v1.chat"]
            guard declares else { return }
            $0.publicHeaders = ["x-trace"]
            $0.publicSubprotocols = ["v1.chat"]
        }
        #expect(host.events == [.opened, .closed(.normal, "")])
        #expect(server.connections.count == 2)
        let requests = server.connections.compactMap(\.request)
        let first = try #require(requests.first), last = try #require(requests.last)
        for name in names {
            #expect(first.fields.values(of: name.lowercased()) == ["1"])
            #expect(last.fields.values(of: name.lowercased()) == (declares && name == "X-Trace" ? ["1"] : []))
        }
        #expect(first.subprotocols == ["bearer.secret", "v1.chat"])
        #expect(last.subprotocols == (declares ? ["v1.chat"] : []))
    }

    /// Redirects a client with a client certificate to another server.
    private func outcome(
        elsewhere: (_ port: UInt16) -> String?, _ change: (inout TLSConfiguration) -> Void
    ) throws -> WebSocketHost {
        let people = try CertificateAuthority(commonName: "People")
        var request = CertificateRequest(commonName: "me", names: [])
        request.purpose = .client
        let me = try people.issue(request)
        let server = try EchoServer(UVLoop(), tls: true, clientTrust: people.certificatePEM)
        let other = try EchoServer(server.loop, tls: true, clientTrust: people.certificatePEM)
        let location = elsewhere(other.port)
        server.respond = { $0.target == "/secret" ? redirect(to: location ?? "/next") : nil }
        let host = closing()
        host.onEvent = { event, client in
            if event == .opened { client.close() }
            if event.isTerminal { other.end() }
        }
        try host.run(server) {
            $0.tls.identity = ClientIdentity(certificate: .pem(me.chainPEM), key: .pem(me.keyPEM))
            change(&$0.tls)
        }
        return host
    }

    @Test func `the same host is shown again who we are, under the name that counts for it`() throws {
        let host = try outcome(elsewhere: { _ in nil }, { $0.serverName = "localhost" })
        #expect(host.events == [.opened, .closed(.normal, "")])
    }

    @Test func `another host is not shown who we are`() throws {
        let host = try outcome(elsewhere: { "wss://localhost:\($0)/" }, { _ in })
        #expect(host.events == [.failed(.tlsClientCertificate)])
    }

    @Test func `the server name of the configuration does not count for another host`() throws {
        let named = try outcome(elsewhere: { "wss://[::ffff:127.0.0.1]:\($0)/" }, { $0.serverName = "localhost" })
        #expect(named.events == [.failed(.tlsHostMismatch)])
    }

    @Test func `a circle is one failure with the last status, after six connections`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.respond = { _ in redirect(to: "/secret") }
        try host.run(server)
        #expect(host.events == [.failed(.invalidStatusCode)])
        #expect(server.connections.count == 6)
        #expect(
            host.failure?.description
                == "The WebSocket could not be opened: the server redirected the upgrade to localhost (HTTP status 302): "
                + "it is one redirect more than the limit of 5.")
    }

    @Test(arguments: [("ws://localhost/", "from wss: to ws:"), ("ftp://localhost/", "no WebSocket")])
    func `a redirect that must not be followed is a failure that says why`(location: String, why: String) throws {
        let server = try EchoServer(UVLoop(), tls: true)
        let host = WebSocketHost()
        server.respond = { _ in redirect(to: location) }
        try host.run(server)
        #expect(host.events == [.failed(.invalidStatusCode)])
        #expect(server.connections.count == 1)
        #expect(host.failure?.status == 302)
        #expect(host.failure?.description.contains(why) == true)
    }

    @Test func `none is followed where none may be`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.respond = { _ in redirect(to: "/x") }
        try host.run(server) { $0.maxRedirects = 0 }
        #expect(host.events == [.failed(.invalidStatusCode)])
        #expect(server.connections.count == 1)
    }

    @Test func `a client that is closed on the way to the next place says so, and leaves nothing`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let client = try host.client(server)
        server.respond = { _ in
            if server.connections.count == 2 { client.close() }
            return redirect(to: "/x")
        }
        host.onEvent = { event, _ in if event.isTerminal { server.end() } }
        client.open()
        server.run()
        host.onEvent = { _, _ in }
        #expect(host.events == [.closed(.abnormalClosure, "")])
        #expect(server.connections.count == 2)
    }

    @Test func `a place where nobody listens is the failure that counts`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let other = try EchoServer(server.loop)
        let uri = other.uri
        other.stopListening()
        server.respond = { _ in redirect(to: uri) }
        try host.run(server)
        #expect(host.events == [.failed(.connect)])
        #expect(host.failure?.status == nil)
    }
}
