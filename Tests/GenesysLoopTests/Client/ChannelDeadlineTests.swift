import Testing

@testable import GenesysLoop
@testable import ServerKit

/// Each way in which a connection fails has its own reason and phase.
@Suite(.timeLimit(.minutes(patience(1)))) struct ChannelDeadlineTests {
    @Test func `a name that is not found`() throws {
        let server = try ScriptedServer(UVLoop(), [])
        server.loop.resolver.lookup = { _ in
            .failure(ResolverError(code: -2, text: "not known", isNoSuchName: true))
        }
        let host = ChannelHost()
        // Even the back-off does not try again.
        try host.run(on: server) { $0.reconnect = .backoff(.init()) }
        #expect(host.events == [.failed(.dns)])
        #expect(host.failure?.phase == .dns)
        #expect(host.failure?.kind == .connection)
    }

    @Test func `a port where nobody listens`() throws {
        let server = try ScriptedServer(UVLoop(), [])
        server.clientDidFinish()
        let host = ChannelHost()
        try host.run(on: server, host: "127.0.0.1")
        #expect(host.events == [.failed(.connect)])
        #expect(host.failure?.phase == .connect)
    }

    @Test func `a server that is silent in the TLS handshake`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, [.deaf])
        let host = ChannelHost()
        try host.run(on: server) { $0.deadlines.tls = .milliseconds(20) }
        #expect(host.events == [.failed(.timeout)])
        #expect(host.failure?.phase == .tls)
    }

    @Test func `a server that does not answer the upgrade`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, [.request, .clientEnd])
        let host = ChannelHost()
        try host.run(on: server) { $0.deadlines.upgrade = .milliseconds(20) }
        #expect(host.events == [.failed(.timeout)])
        #expect(host.failure?.phase == .upgrade)
    }

    @Test func `a service that does not confirm the subscription`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, Step.upgrade + [.message, .message] + Step.goodbye)
        let host = ChannelHost()
        try host.run(on: server) { $0.deadlines.subscribe = .milliseconds(20) }
        #expect(host.events == [.failed(.subscriptionTimeout)])
        #expect(host.failure?.phase == .subscribe)
        #expect(host.failure?.kind == .subscription)
        // Requested twice, then closed in order.
        #expect(try server.first.messages.count == 2)
        #expect(try server.first.closeCodes == [.normal])
    }

    @Test func `a service that falls silent`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, Step.subscription + [.message, .clientEnd])
        let host = ChannelHost()
        try host.run(on: server) {
            $0.heartbeatTimeout = .milliseconds(20)
            $0.pingTimeout = .milliseconds(20)
        }
        #expect(host.events == [.subscribed, .failed(.heartbeatLost)])
        #expect(host.failure?.kind == .receive)
        #expect(try server.first.messages.last == Command.ping)
    }

    @Test func `a peer that does not answer our Close frame does not keep the channel open`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, Step.subscription + [.closeFrame, .clientEnd])
        let host = ChannelHost()
        host.didHear = { channel, event in if event == .subscribed { channel.close() } }
        try host.run(on: server) { $0.deadlines.close = .milliseconds(20) }
        #expect(host.events == [.subscribed, .closed])
    }

    @Test func `a peer that reads nothing does not keep the channel open`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, Step.subscription + [.stopReading])
        let host = ChannelHost()
        host.didHear = { channel, event in if event == .subscribed { channel.close() } }
        try host.run(on: server) { $0.deadlines.close = .milliseconds(20) }
        #expect(host.events == [.subscribed, .closed])
    }

    @Test func `a thousand topics in one subscription reach a server that reads slowly and answers in pieces`() throws {
        let topics = (0..<1_000).map { Topic("v2.users.00000000-0000-4000-8000-\($0 + 100_000_000_000).presence") }
        let slowly = (0..<20).flatMap { _ in [.stopReading, .turn, .turn, .startReading, .turn] as [Step] }
        let server = try ScriptedServer(
            UVLoop(), tls: true, Step.upgrade + slowly + [.message, .confirm, .notify(1)] + Step.goodbye)
        server.chunk = 5
        let host = ChannelHost()
        host.didReceive = { channel, _ in channel.close() }
        try host.run(on: server, topics: topics)
        #expect(host.events == [.subscribed, .closed])
        let command = try #require(server.first.messages.first)
        #expect(command.count > 57_000)
        #expect(host.numbers == [1])
    }

    @Test func `a certificate that is not trusted`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, Step.subscription)
        let host = ChannelHost()
        let stranger = try CertificateAuthority(commonName: "Stranger")
        try host.run(on: server) { $0.tls.trust = .pem(stranger.certificatePEM) }
        #expect(host.events == [.failed(.tlsUnknownIssuer)])
        #expect(host.failure?.phase == .tls)
        #expect(host.failure?.isRetryable == false)
    }
}
