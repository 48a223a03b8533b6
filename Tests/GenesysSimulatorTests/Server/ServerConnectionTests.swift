import GenesysLoop
import GenesysSimulator
import Testing

/// The server's behavior on the wire, seen by a client that can misbehave.
@Suite struct ServerConnectionTests {
    private let subscribe = #"{"message":"subscribe","topics":["\#(stageTopic.rawValue)"],"correlationId":"c1"}"#

    @Test(arguments: [true, false])
    func `bytes may come in any pieces`(tls: Bool) throws {
        let stage = try ServerStage(tls: tls)
        let client = try RawClient(stage, chunkSize: 7)
        client.didOpen = { client in client.send(self.subscribe) }
        client.didReceive = { client, _ in client.send(.close, [3, 232]) }
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.head?.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == true)
        #expect(client.messages.first?.contains(#""correlationId":"c1""#) == true)
        #expect(client.closeCode == .normal)
        #expect(client.ending == "EOF")
        #expect(client.hadCloseNotify == tls)
    }

    @Test func `frames that come with the request are read after the answer`() throws {
        for delay in [Duration.zero, .milliseconds(5)] {
            let stage = try ServerStage(tls: false) { $0.channels.upgradeDelay = delay }
            let client = try RawClient(stage)
            FrameEncoder.append(
                .text, payload: Array(#"{"message":"ping"}"#.utf8), maskingKey: 7, to: &client.greeting)
            client.didReceive = { client, _ in client.send(.close, []) }
            client.didEnd = { _ in stage.end() }
            stage.run()
            #expect(client.messages == [#"{"topicName":"channel.metadata","eventBody":{"message":"pong"}}"#])
            #expect(client.hasClosed)
            #expect(client.closeCode == nil)
        }
    }

    @Test func `ping frames are answered with their payload, or not at all`() throws {
        for answers in [true, false] {
            let stage = try ServerStage { $0.liveness.answersPingFrames = answers }
            let client = try RawClient(stage)
            client.didOpen = { client in
                client.send(.ping, [1, 2, 3])
                client.send(.close, [3, 232])
            }
            client.didEnd = { _ in stage.end() }
            stage.run()
            #expect(client.pongs == (answers ? [[1, 2, 3]] : []))
        }
    }

    @Test func `heartbeats follow the scaled clock`() throws {
        let stage = try ServerStage { $0.timeScale = 10_000 }
        let client = try RawClient(stage)
        client.didReceive = { client, _ in if client.messages.count == 3 { client.send(.close, [3, 232]) } }
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.messages.prefix(3).allSatisfy { $0.contains("WebSocket Heartbeat") })
    }

    @Test func `what happens in one pass is one write`() throws {
        let stage = try ServerStage()
        let client = try RawClient(stage)
        client.didOpen = { client in client.send(self.subscribe) }
        client.didReceive = { client, _ in
            if client.messages.count == 1 { for number in 1...50 { stage.publish(number) } }
            if client.messages.count == 51 { client.send(.close, [3, 232]) }
        }
        client.didEnd = { _ in stage.end() }
        stage.run()
        // The reply, the fifty notifications (less than a record's 16 KiB together), the Close frame.
        #expect(client.messages.count == 51)
        #expect(client.records.count == 3)
    }

    @Test func `a long message is cut into frames`() throws {
        let stage = try ServerStage(tls: false) { $0.publishing.maxFrameByteCount = 4 }
        let client = try RawClient(stage)
        client.didOpen = { _ in stage.server.inject(Array("0123456789".utf8)) }
        client.didReceive = { client, _ in client.send(.close, [3, 232]) }
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.messages == ["0123456789"])
        let expected: [UInt8] = [0x01, 4] + Array("0123".utf8) + [0x00, 4] + Array("4567".utf8) + [0x80, 2]
        #expect(client.frames.starts(with: expected))
    }

    @Test func `a violation is answered with its code`() throws {
        let stage = try ServerStage()
        let client = try RawClient(stage)
        client.didOpen = { client in client.send(.text, [65], isMasked: false) }
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.closeCode == .protocolError)
        #expect(client.ending == "EOF")
    }

    @Test(arguments: [
        ("GET /channels/x HTTP/1.1\r\nHost: a\r\n\r\n", 404), ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        ("nonsense\r\n\r\n", 400), (RawClient.upgrade("streaming-0-unknown"), 404),
        ("GET / HTTP/1.1\r\nX: \(String(repeating: "y", count: 100_000))", 431),
    ])
    func `what opens no WebSocket gets an HTTP answer`(request: String, status: Int) throws {
        let stage = try ServerStage()
        let client = try RawClient(stage, greeting: request)
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.head?.hasPrefix("HTTP/1.1 \(status) ") == true)
        #expect(client.head?.contains("\r\nContent-Length: \(client.body.count)\r\n") == true)
        #expect(String(decoding: client.body, as: UTF8.self).hasSuffix(#""status":\#(status)}"#))
        #expect(client.ending == "EOF")
    }

    @Test func `a reset is a reset`() throws {
        for tls in [true, false] {
            let stage = try ServerStage(tls: tls) { $0.channels.upgrade = .reset }
            let client = try RawClient(stage)
            client.didEnd = { _ in stage.end() }
            stage.run()
            #expect(client.head == nil)
            #expect(client.ending == "ECONNRESET")
        }
    }

    @Test func `a dropped socket ends without a Close frame, after what was sent before`() throws {
        let stage = try ServerStage()
        let client = try RawClient(stage)
        client.didOpen = { _ in
            stage.server.inject(Array("last".utf8))
            stage.server.disconnect()
        }
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.messages == ["last"])
        #expect(!client.hasClosed && !client.hadCloseNotify)
        #expect(client.ending == "EOF")
    }

    @Test(arguments: [true, false])
    func `a half-closed connection is ended by the server, after what was sent before`(tls: Bool) throws {
        let stage = try ServerStage(tls: tls)
        let client = try RawClient(stage)
        client.didOpen = { client in
            stage.server.inject(Array("last".utf8))
            client.sendCloseNotify()
            client.tcp.shutdown()
        }
        client.didEnd = { _ in
            #expect(stage.server.service.sockets(of: stage.id).isEmpty)
            stage.end()
        }
        stage.run()
        #expect(client.messages == ["last"])
        #expect(client.ending == "EOF")
    }

    @Test func `a Close frame that is not answered has a deadline`() throws {
        let stage = try ServerStage()
        stage.server.closeTimeout = .milliseconds(20)
        let client = try RawClient(stage)
        client.didOpen = { _ in stage.server.disconnect(.all, .close(code: 4_000)) }
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.closeCode?.rawValue == 4_000)
        #expect(client.ending == "EOF")
    }

    @Test func `closing the server says 1001, then drops what does not answer`() throws {
        let stage = try ServerStage()
        stage.server.closeTimeout = .milliseconds(20)
        let deaf = try RawClient(stage)
        deaf.didOpen = { _ in stage.end() }
        stage.run()
        #expect(deaf.closeCode == .goingAway)
        #expect(deaf.ending == "EOF")
    }

    @Test func `a client that says nothing is given up`() throws {
        let stage = try ServerStage()
        stage.server.requestTimeout = .milliseconds(20)
        let client = try RawClient(stage, greeting: "GET / HTTP/1.1\r\n")
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.head == nil)
        #expect(client.ending == "EOF")
    }

    @Test func `plain HTTP on a TLS port ends`() throws {
        let stage = try ServerStage()
        let plain = TCPConnection(loop: stage.loop, group: HandleGroup(loop: stage.loop))
        let owner = PlainClient(plain) { stage.end() }
        plain.connect(to: try #require(SocketAddress(numeric: "127.0.0.1", port: stage.server.port)))
        plain.write(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        plain.startReading()
        stage.run()
        #expect(owner.hasEnded)
    }
}

/// Waits for the end of a connection.
final class PlainClient: TCPConnectionOwner {
    private let tcp: TCPConnection
    private let didEnd: () -> Void
    private(set) var hasEnded = false

    init(_ tcp: TCPConnection, didEnd: @escaping () -> Void) {
        self.tcp = tcp
        self.didEnd = didEnd
        unsafe tcp.owner = self
    }

    private func end() {
        hasEnded = true
        tcp.close()
        didEnd()
    }

    func connectionDidConnect(_ connection: TCPConnection) {}
    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) { end() }
    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {}
    func connectionDidReachEOF(_ connection: TCPConnection) { end() }
    func connection(_ connection: TCPConnection, didFailWith error: UVError) { end() }
    func connectionDidDrain(_ connection: TCPConnection) {}
}
