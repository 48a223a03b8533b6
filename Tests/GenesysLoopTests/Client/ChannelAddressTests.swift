import Testing

@testable import GenesysLoop

/// A name with two addresses, of which the first accepts connections and then fails.
@Suite(.timeLimit(.minutes(patience(1)))) struct ChannelAddressTests {
    /// How the bad address fails after it accepted a connection.
    enum Sickness: CaseIterable {
        case silence, refusal, noConfirmation

        var script: [Step] {
            switch self {
            case .silence: [.deaf, .clientEnd]
            case .refusal: [.request, .bytes(Array("HTTP/1.1 503 Later\r\n\r\n".utf8)), .fin]
            case .noConfirmation: Step.upgrade + [.message, .fin]
            }
        }
    }

    @Test(arguments: Sickness.allCases)
    func `after a failure above TCP the other address is tried, and kept to`(sickness: Sickness) throws {
        let loop = try UVLoop()
        let sick = try ScriptedServer(loop, sickness.script)
        let healthy = try ScriptedServer(
            loop, Step.subscription + [.reset], Step.subscription + [.notify(1)] + Step.goodbye)
        let addresses = [sick, healthy].compactMap { SocketAddress(numeric: "127.0.0.1", port: $0.port) }
        loop.resolver.lookup = { _ in .success(addresses) }
        let host = ChannelHost()
        host.didReceive = { channel, _ in channel.close() }
        let channel = try host.channel(to: healthy) {
            var backoff = ReconnectPolicy.Backoff()
            (backoff.base, backoff.floor) = (.milliseconds(1), .zero)
            $0.reconnect = .backoff(backoff)
            $0.deadlines.upgrade = .milliseconds(150)
        }
        host.didEnd = {
            sick.clientDidFinish()
            healthy.clientDidFinish()
        }
        channel.open()
        healthy.run()
        host.forget()
        for connection in sick.connections { connection.forget() }
        #expect(host.events.last == .closed)
        #expect(host.numbers == [1])
        #expect(sick.connections.count == 1)
        #expect(healthy.connections.count == 2)
    }

    @Test func `a proxy's addresses are learned as well`() throws {
        let loop = try UVLoop()
        let sick = try ScriptedServer(loop, [.deaf, .clientEnd])
        let server = try ScriptedServer(loop, Step.subscription + [.notify(1)] + Step.goodbye)
        let accepted = Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8)
        let proxy = try ScriptedProxy(to: server, [.head, .say(accepted), .relay])
        let addresses = [sick.port, proxy.port].compactMap { SocketAddress(numeric: "127.0.0.1", port: $0) }
        loop.resolver.lookup = { _ in .success(addresses) }
        let host = ChannelHost()
        host.didReceive = { channel, _ in channel.close() }
        let setting = ProxySetting.url(try ProxyURI("http://proxy.test:3128"))
        let channel = try host.channel(to: server) {
            var backoff = ReconnectPolicy.Backoff()
            (backoff.base, backoff.floor) = (.milliseconds(1), .zero)
            $0.reconnect = .backoff(backoff)
            $0.deadlines.proxy = .milliseconds(150)
            $0.proxy = setting
        }
        host.didEnd = {
            for one in [sick, server] { one.clientDidFinish() }
            proxy.close()
        }
        channel.open()
        server.run()
        host.forget()
        for connection in sick.connections { connection.forget() }
        #expect(host.numbers == [1])
        #expect(sick.connections.count == 1)
        #expect(proxy.connections.count == 1)
        #expect(server.connections.count == 1)
    }
}
