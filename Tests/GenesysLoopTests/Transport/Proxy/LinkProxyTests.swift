import Testing

@testable import GenesysLoop

/// Links through a scripted proxy.
@Suite(.timeLimit(.minutes(patience(2)))) struct LinkProxyTests {
    static let accepted = Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8)
    /// A SOCKS5 proxy that opens the tunnel for a name, after this many bytes of the client's request.
    static let socksReply: [UInt8] = [5, 0, 0, 1, 127, 0, 0, 1, 0, 80]

    private static func socks(_ name: String) -> [ScriptedProxy.Step] {
        [.bytes(3), .say([5, 0]), .bytes(7 + name.utf8.count), .say(socksReply), .relay]
    }

    // MARK: - Through

    enum Way: CaseIterable { case http, https, socks5 }

    @Test(arguments: Way.allCases, [false, true])
    func `messages come through the proxy, dripping or not, and names are resolved by it`(
        way: Way, isSecure: Bool
    ) throws {
        for chunk in [Int.max, 1] {
            let host = "service.invalid"
            let server = try ScriptedServer(
                UVLoop(), tls: isSecure, Step.upgrade + [.text("a"), .text("b")] + Step.goodbye)
            // The certificate of the server is for localhost; with TLS the client must request that name.
            let name = isSecure ? "localhost" : host
            let script = way == .socks5 ? Self.socks(name) : [.head, .say(Self.accepted), .relay]
            let proxy = try ScriptedProxy(to: server, tls: way == .https, script)
            proxy.chunk = chunk
            let log = Locked<Set<String>>([])
            let port = proxy.port
            server.loop.resolver.lookup = { question in
                _ = log.withLock { $0.insert(question.host) }
                return .success([SocketAddress(numeric: "127.0.0.1", port: port)].compactMap(\.self))
            }
            let probe = LinkProbe(server)
            probe.didReceive = { probe, link in if probe.messages.count == 2 { link.sendClose(.normal) } }
            try proxy.use(for: probe, scheme: way == .socks5 ? "socks5h" : nil)
            try probe.run(host: name)
            #expect(probe.texts == ["a", "b"])
            #expect(probe.end?.closeCode == 1_000, "\(String(describing: probe.end))")
            // Only the proxy's name was looked up here, not the server's.
            #expect(log.withLock { $0 } == ["localhost"])
            #expect(probe.phases.prefix(3) == [.resolving, .connecting, .tunneling])
            if way == .socks5 {
                #expect(
                    proxy.said == [5, 1, 0, 5, 1, 0, 3, UInt8(name.utf8.count)] + Array(name.utf8)
                        + [UInt8(server.port >> 8), UInt8(server.port & 0xFF)])
            } else {
                #expect(
                    proxy.saidText.hasPrefix(
                        "CONNECT \(name):\(server.port) HTTP/1.1\r\nHost: \(name):\(server.port)\r\n"))
                #expect(!proxy.saidText.contains("Authorization"))
            }
            if way == .https { #expect(proxy.connections.first?.hadCloseNotify == true) }
        }
    }

    @Test func `a megabyte through TLS inside TLS arrives whole`() throws {
        let texts = (0..<200).map { String(repeating: "\($0 % 10)", count: 8_000) }
        let server = try ScriptedServer(
            UVLoop(), tls: true, Step.upgrade + texts.map { .text($0) } + Step.goodbye)
        let proxy = try ScriptedProxy(to: server, tls: true, [.head, .say(Self.accepted), .relay])
        let probe = LinkProbe(server)
        // It pauses in the middle of some reads: what was read must not be lost.
        probe.didReceive = { probe, link in
            if probe.messages.count % 7 == 3 {
                link.pauseReading()
                let bound = LoopBound(link, on: link.loop)
                link.loop.execute { bound.value.resumeReading() }
            }
            if probe.messages.count == texts.count { link.sendClose(.normal) }
        }
        try proxy.use(for: probe)
        try probe.run()
        #expect(probe.texts == texts)
    }

    @Test func `credentials go to the proxy and not to the server`() throws {
        let server = try ScriptedServer(UVLoop(), Step.upgrade + [.text("a"), .fin])
        let proxy = try ScriptedProxy(to: server, [.head, .say(Self.accepted), .relay])
        let probe = LinkProbe(server)
        try proxy.use(for: probe, user: "us%20er:p%40ss%3A@")
        try probe.run()
        #expect(probe.texts == ["a"])
        // "us er:p@ss:"
        #expect(proxy.saidText.contains("\r\nProxy-Authorization: Basic dXMgZXI6cEBzczo=\r\n"))
        let request = try #require(server.first.requests.first)
        #expect(!"\(request)".contains("dXMg"))
    }

    @Test func `user and password reach a SOCKS proxy that wants them`() throws {
        let server = try ScriptedServer(UVLoop(), Step.upgrade + [.text("a"), .fin])
        let proxy = try ScriptedProxy(
            to: server,
            [.bytes(4), .say([5, 2]), .bytes(9), .say([1, 0]), .bytes(16), .say(Self.socksReply), .relay])
        let probe = LinkProbe(server)
        try proxy.use(for: probe, scheme: "socks5", user: "me:p%3Ass@")
        try probe.run()
        #expect(probe.texts == ["a"])
        #expect(Array(proxy.said[4..<13]) == [1, 2] + Array("me".utf8) + [4] + Array("p:ss".utf8))
    }

    @Test(arguments: [false, true]) func `what the server says first is not lost behind the proxy's answer`(
        isSOCKS: Bool
    ) throws {
        // A refusal of the upgrade that came before the request, and an alert that came before the ClientHello.
        let early: [(tls: Bool, bytes: [UInt8], reason: FailureReason)] = [
            (false, Array("HTTP/1.1 403 Forbidden\r\n\r\n".utf8), .httpForbidden),
            (true, [21, 3, 3, 0, 2, 2, 40], .tlsHandshake),
        ]
        for (tls, bytes, reason) in early {
            let server = try ScriptedServer(UVLoop(), tls: tls, [])
            let script: [ScriptedProxy.Step] =
                isSOCKS
                ? [.bytes(3), .say([5, 0]), .bytes(16), .say(Self.socksReply + bytes)]
                : [.head, .say(Self.accepted + bytes)]
            let proxy = try ScriptedProxy(to: server, script)
            let probe = LinkProbe(server)
            try proxy.use(for: probe, scheme: isSOCKS ? "socks5" : "http")
            try probe.run()
            #expect(probe.end?.failure.reason == reason, "\(String(describing: probe.end))")
        }
    }
}
