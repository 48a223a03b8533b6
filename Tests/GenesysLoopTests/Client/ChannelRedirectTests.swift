import Testing

@testable import GenesysLoop
@testable import ServerKit

/// Redirects of a channel's upgrade. `RedirectTrailTests` tests which ones are followed.
@Suite(.timeLimit(.minutes(patience(1)))) struct ChannelRedirectTests {
    private static func redirecting(to location: String, status: Int = 307) throws -> [Step] {
        let answer = try UpgradeResponse.refuse(status: status, headers: [("Location", location)])
        return [.request, .bytes(answer), .closeNotify, .fin]
    }

    private static let channel = Step.subscription + [.notify(1)] + Step.goodbye

    @Test(arguments: [false, true]) func `a channel goes where it is sent, if it may, and is told nothing`(tls: Bool)
        throws
    {
        let server = try ScriptedServer(
            UVLoop(), tls: tls, Self.redirecting(to: "/gateway"), Self.redirecting(to: "next", status: 301),
            Self.channel)
        let host = ChannelHost()
        host.didReceive = { channel, _ in channel.close() }
        try host.run(on: server) { $0.maxRedirects = 2 }
        #expect(host.events == [.subscribed, .closed])
        #expect(host.numbers == [1])
        #expect(server.connections.map { $0.requests.first?.target } == ["/channels/secret", "/gateway", "/next"])
    }

    @Test func `a channel has neither headers nor subprotocols of a host's that could go along`() throws {
        let server = try ScriptedServer(UVLoop(), Self.redirecting(to: "/gateway"), Self.channel)
        let host = ChannelHost()
        host.didReceive = { channel, _ in channel.close() }
        try host.run(on: server) { $0.maxRedirects = 1 }
        let known: Set = [
            "host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version", "user-agent",
        ]
        #expect(server.connections.count == 2)
        for connection in server.connections {
            let request = try #require(connection.requests.first)
            #expect(Set(request.fields.names) == known)
            #expect(request.fields.values(of: "user-agent") == ["GenesysLoop"])
        }
        // There is no way to give it some: its configuration has no such member.
        let members = Mirror(reflecting: ChannelConfiguration()).children.compactMap(\.label)
        #expect(!members.contains { $0.lowercased().contains("header") || $0.lowercased().contains("subprotocol") })
    }

    @Test func `a channel follows none by itself`() throws {
        let server = try ScriptedServer(UVLoop(), Self.redirecting(to: "/gateway"))
        let host = ChannelHost()
        try host.run(on: server)
        #expect(host.events == [.failed(.invalidStatusCode)])
        #expect(host.failure?.status == 307)
        #expect(server.connections.count == 1)
    }

    @Test func `a circle is a failure that says so`() throws {
        let server = try ScriptedServer(UVLoop(), Self.redirecting(to: "/channels/secret"))
        let host = ChannelHost()
        try host.run(on: server) { $0.maxRedirects = 3 }
        #expect(host.events == [.failed(.invalidStatusCode)])
        #expect(host.failure?.underlying?.text == "it is one redirect more than the limit of 3")
        #expect(server.connections.count == 4)
    }

    @Test func `a channel that is closed on the way leaves nothing`() throws {
        let host = ChannelHost()
        var channel: NotificationChannel?
        let server = try ScriptedServer(
            UVLoop(), Self.redirecting(to: "/gateway"), [.request, .act { channel?.close() }, .clientEnd])
        channel = try host.channel(to: server) { $0.maxRedirects = 1 }
        channel?.open()
        server.run()
        host.forget()
        #expect(host.events == [.closed])
        #expect(channel?.driver.trails == [:])
        channel = nil
    }

    @Test func `a reconnect begins at the channel's own address`() throws {
        let server = try ScriptedServer(
            UVLoop(), Self.redirecting(to: "/gateway"), Step.subscription + [.fin], Self.redirecting(to: "/other"),
            Self.channel)
        let host = ChannelHost()
        host.didReceive = { channel, _ in channel.close() }
        try host.run(on: server) {
            $0.maxRedirects = 1
            var backoff = ReconnectPolicy.Backoff()
            backoff.base = .milliseconds(1)
            backoff.floor = .zero
            $0.reconnect = .backoff(backoff)
        }
        #expect(host.events.last == .closed)
        #expect(
            server.connections.map { $0.requests.first?.target }
                == ["/channels/secret", "/gateway", "/channels/secret", "/other"])
    }

    /// A server that requires a client certificate, and a redirect to another host that also does.
    private func outcome(
        elsewhere: (_ port: UInt16) -> String?, _ change: (inout TLSConfiguration) -> Void
    ) throws -> ChannelHost {
        let people = try CertificateAuthority(commonName: "People")
        var request = CertificateRequest(commonName: "me", names: [])
        request.purpose = .client
        let me = try people.issue(request)
        let loop = try UVLoop()
        let other = try ScriptedServer(loop, tls: true, clientTrust: people.certificatePEM, Self.channel)
        let server = try ScriptedServer(
            loop, tls: true, clientTrust: people.certificatePEM,
            Self.redirecting(to: elsewhere(other.port) ?? "/gateway"), Self.channel)
        let host = ChannelHost()
        host.didReceive = { channel, _ in channel.close() }
        let channel = try host.channel(to: server) {
            $0.maxRedirects = 1
            $0.tls.identity = ClientIdentity(certificate: .pem(me.chainPEM), key: .pem(me.keyPEM))
            change(&$0.tls)
        }
        host.didEnd = {
            other.clientDidFinish()
            server.clientDidFinish()
        }
        channel.open()
        server.run()
        host.forget()
        return host
    }

    @Test func `the same host is shown again who we are, under the name that counts for it`() throws {
        let host = try outcome(elsewhere: { _ in nil }, { $0.serverName = "localhost" })
        #expect(host.events == [.subscribed, .closed])
    }

    @Test func `another host is not shown who we are`() throws {
        let host = try outcome(elsewhere: { "wss://localhost:\($0)/" }, { _ in })
        #expect(host.failure?.reason == .tlsClientCertificate, "\(host.events)")
    }

    @Test func `the server name of the configuration does not count for another host`() throws {
        let host = try outcome(elsewhere: { "wss://[::ffff:127.0.0.1]:\($0)/" }, { $0.serverName = "localhost" })
        #expect(host.failure?.reason == .tlsHostMismatch, "\(host.events)")
    }
}
