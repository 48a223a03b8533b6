import GenesysLoop
import GenesysSimulator
import Testing

/// The echo server on the wire.
@Suite struct EchoServerTests {
    private static let certificates = Result { try SimulatorCertificates.inMemory() }

    private func server(
        _ loop: UVLoop, tls: Bool = false, _ change: (inout EchoServer.Configuration) -> Void = { _ in }
    ) throws -> EchoServer {
        var configuration = EchoServer.Configuration()
        change(&configuration)
        let server = try EchoServer(
            on: loop, certificates: tls ? try Self.certificates.get() : nil, configuration: configuration)
        server.start()
        return server
    }

    private func client(_ server: EchoServer, tls: Bool = false) throws -> RawClient {
        try RawClient(
            server.loop, port: server.port, trust: tls ? try Self.certificates.get().caCertificatePEM : [],
            greeting: RawClient.upgrade("any"))
    }

    @Test(arguments: [false, true])
    func `messages come back in order, pings are answered, a Close frame is too`(tls: Bool) throws {
        let loop = try UVLoop()
        let server = try server(loop, tls: tls)
        let client = try client(server, tls: tls)
        client.didOpen = { client in
            client.send("one")
            client.send(.binary, Array(repeating: 50, count: 100_000))
            client.send(.ping, [7])
            client.send("")
            client.send(.close, [3, 232])
        }
        client.didEnd = { _ in server.close() }
        loop.run()
        client.forget()
        #expect(client.messages == ["one", String(repeating: "2", count: 100_000), ""])
        #expect(client.pongs == [[7]])
        #expect(client.closeCode == .normal)
        #expect(client.ending == "EOF")
        #expect(server.echoCount == 3)
        #expect(server.openSocketCount == 0)
    }

    @Test(arguments: [nil, 15, 9], [false, true])
    func `permessage-deflate is agreed on where both want it`(windowBits: Int?, isOffered: Bool) throws {
        let loop = try UVLoop()
        let server = try server(loop) { configuration in
            guard let windowBits else { return }
            configuration.compression = .permessageDeflate
            configuration.compression?.serverMaxWindowBits = windowBits
            configuration.compression?.serverNoContextTakeover = windowBits == 9
        }
        let host = EchoHost(["small", String(repeating: "a long message that repeats itself; ", count: 5_000), ""])
        var configuration = WebSocketClientConfiguration()
        configuration.compression = isOffered ? .permessageDeflate : nil
        let client = try WebSocketClient(uri: server.uri, on: loop, delegate: host, configuration: configuration)
        host.didEnd = { server.close() }
        client.open()
        loop.run()
        host.didEnd = {}
        #expect(host.received == host.sent)
        #expect(host.wasCompressed == (isOffered && windowBits != nil))
        #expect(host.closeCode == .normal)
    }

    @Test func `a malformed offer of extensions is refused`() throws {
        let loop = try UVLoop()
        let server = try server(loop) { $0.compression = .permessageDeflate }
        let client = try RawClient(
            loop, port: server.port, trust: [],
            greeting: RawClient.upgrade("any", extra: "Sec-WebSocket-Extensions: permessage-deflate; =\r\n"))
        client.didEnd = { _ in server.close() }
        loop.run()
        client.forget()
        #expect(client.head?.hasPrefix("HTTP/1.1 400 ") == true)
        #expect(server.openSocketCount == 0)
    }

    @Test func `a client that does not read is not read from, and gets everything when it does`() throws {
        let loop = try UVLoop()
        let server = try server(loop) {
            $0.highWaterMark = 65_536
            $0.lowWaterMark = 16_384
        }
        let client = try client(server)
        let message = String(repeating: "m", count: 16_384)
        let count = 1_500
        var greatestQueue = 0
        var (last, quietTurns) = (0, 0)
        let pump = Pump(loop) { pump in
            greatestQueue = max(greatestQueue, server.queuedByteCount)
            quietTurns = client.tcp.queuedByteCount == last && last > 0 ? quietTurns + 1 : 0
            last = client.tcp.queuedByteCount
            // Nothing has moved for a while: the client's data waits in the kernel, and so does the data for the
            // client.
            guard quietTurns < 1_000 else { return client.tcp.startReading() }
            pump.again()
        }
        client.didOpen = { client in
            client.tcp.stopReading()
            for _ in 0..<count { client.send(message) }
            pump.again()
        }
        client.didReceive = { client, _ in
            if client.messages.count == count { client.send(.close, []) }
        }
        client.didEnd = { _ in server.close() }
        loop.run()
        client.forget()
        #expect(client.messages.count == count)
        #expect(client.messages.allSatisfy { $0 == message })
        #expect(client.hasClosed)
        #expect(greatestQueue >= 65_536)
        // The mark, the message that exceeded it, and the data of one 64 KiB read.
        #expect(greatestQueue <= 65_536 + 16_384 + 65_536 + 1_024)
    }

    @Test func `a client that never reads does not keep the server from closing`() throws {
        let loop = try UVLoop()
        let server = try server(loop) {
            $0.highWaterMark = 65_536
            $0.lowWaterMark = 16_384
            $0.closeTimeout = .milliseconds(20)
        }
        let client = try client(server)
        let message = [UInt8](repeating: 1, count: 262_144)
        let pump = Pump(loop) { pump in
            if server.queuedByteCount >= 65_536 { return server.close { client.tcp.close() } }
            pump.again()
        }
        client.didOpen = { client in
            client.tcp.stopReading()
            for _ in 0..<100 { client.send(.binary, message) }
            pump.again()
        }
        loop.run()
        client.forget()
        #expect(server.openSocketCount == 0)
    }

    @Test(
        arguments: [
            ([0x81, 0x01, 65], CloseCode.protocolError), ([0xC1, 0x80, 0, 0, 0, 0], .protocolError),
            ([0x81, 0x81, 0, 0, 0, 0, 0xFF], .invalidPayload), ([0x82, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0], .messageTooBig),
            ([0x88, 0x81, 0, 0, 0, 0, 1], .protocolError),
        ] as [([UInt8], CloseCode)])
    func `a violation is answered with its code, and with the end`(bytes: [UInt8], code: CloseCode) throws {
        let loop = try UVLoop()
        let server = try server(loop) { $0.maxMessageSize = 1_000 }
        let client = try client(server)
        client.didOpen = { client in client.sendBytes(bytes) }
        client.didEnd = { _ in server.close() }
        loop.run()
        client.forget()
        #expect(client.closeCode == code)
        #expect(client.ending == "EOF")
    }

    @Test func `closing the server says 1001 to all`() throws {
        let loop = try UVLoop()
        let server = try server(loop)
        let clients = try (0..<3).map { _ in try client(server) }
        var openCount = 0
        var isClosed = false
        for client in clients {
            client.didOpen = { _ in
                openCount += 1
                if openCount == clients.count { server.close { isClosed = true } }
            }
            client.didReceiveClose = { client in client.send(.close, [3, 233]) }
        }
        loop.run()
        for client in clients { client.forget() }
        #expect(isClosed)
        #expect(clients.allSatisfy { $0.closeCode == .goingAway })
    }
}

/// Sends texts, each after the previous echo, then closes.
private final class EchoHost: WebSocketClientDelegate {
    let sent: [String]
    private(set) var received: [String] = []
    private(set) var wasCompressed = false
    private(set) var closeCode: CloseCode?
    var didEnd: () -> Void = {}

    init(_ texts: [String]) { sent = texts }

    func webSocketDidOpen(_ client: WebSocketClient) {
        wasCompressed = client.isCompressed
        sendNext(client)
    }

    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>) {
        received.append((try? String(copying: UTF8Span(validating: text))) ?? "")
        sendNext(client)
    }

    private func sendNext(_ client: WebSocketClient) {
        guard received.count < sent.count else { return client.close() }
        _ = try? client.send(text: sent[received.count])
    }

    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>) {}

    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String) {
        closeCode = code
        didEnd()
    }

    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure) { didEnd() }
}
