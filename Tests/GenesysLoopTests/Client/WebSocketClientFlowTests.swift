import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(2)))) struct WebSocketClientFlowTests {
    /// Sends numbered messages as long as they are taken.
    final class Sender {
        let message: [UInt8]
        let count: Int
        var next = 0
        var refusals = 0
        /// The largest number of bytes ever queued.
        var peak = 0

        init(count: Int, byteCount: Int) {
            self.count = count
            message = [UInt8](repeating: 0x61, count: byteCount - 4)
        }

        static func numbered(_ number: Int) -> [UInt8] {
            [UInt8(number >> 24 & 0xFF), UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
        }

        /// False after a `.wouldBlock`.
        func go(_ client: WebSocketClient) -> Bool {
            while next < count {
                guard (try? client.send(binary: Sender.numbered(next) + message)) == .sent else {
                    refusals += 1
                    return false
                }
                next += 1
                peak = max(peak, client.queuedByteCount)
            }
            client.close()
            return true
        }
    }

    @Test(arguments: [false, true])
    func `a server that does not read stops the sender, and gets everything in order when it reads`(tls: Bool) throws {
        let server = try EchoServer(UVLoop(), tls: tls)
        let host = WebSocketHost()
        let high = 1_048_576
        let low = 262_144
        let size = 65_536
        let sender = Sender(count: 384, byteCount: size)
        server.didOpen = { $0.tcp.stopReading() }
        var received = 0
        server.didReceive = { connection, event in
            guard case .message(.binary, let bytes) = event else { return connection.answer(event) }
            #expect(bytes.count == size && Array(bytes.prefix(4)) == Sender.numbered(received))
            received += 1
        }
        var isBlocked = false
        var isReading = false
        let send = { (client: WebSocketClient) in
            isBlocked = !sender.go(client)
            guard isBlocked, !isReading else { return }
            let refusals = sender.refusals
            server.loop.afterTurns(10) {
                // Nothing moved for ten turns: the sockets are full.
                guard isBlocked, refusals == sender.refusals else { return }
                #expect(client.queuedByteCount > low)
                isReading = true
                server.connections.first?.tcp.startReading()
            }
        }
        host.onEvent = { event, client in
            switch event {
            case .opened: send(client)
            case .writable:
                #expect(isBlocked)
                #expect(client.queuedByteCount <= low + 1_024)
                send(client)
            default: break
            }
        }
        try host.run(server) {
            $0.sendHighWaterMark = high
            $0.sendLowWaterMark = low
        }
        #expect(isReading)
        #expect(received == sender.count)
        #expect(sender.peak < high + size + 1_024)
        #expect(host.events.filter { $0 == .writable }.count == sender.refusals)
        #expect(host.events.last == .closed(.normal, ""))
    }

    @Test func `a sender that always fills the queue does not starve the loop`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let loop = server.loop
        var turns = 0
        let sender = Sender(count: 200, byteCount: 8)
        server.didReceive = { connection, event in
            if case .close = event { connection.answer(event) }
        }
        var written = 0
        host.onEvent = { event, client in
            switch event {
            case .opened, .writable:
                if event == .writable { written += 1 }
                #expect(turns >= written, "two callouts in one turn")
                loop.afterTurns(1) { turns += 1 }
                _ = sender.go(client)
            default: break
            }
        }
        // One message fills the queue.
        try host.run(server) { $0.sendHighWaterMark = 1 }
        #expect(written == 199)
        #expect(try server.connection.events.count == 201)
    }

    @Test func `one message of any size is taken`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let message = [UInt8](repeating: 1, count: 4 << 20)
        host.onEvent = { event, client in
            switch event {
            case .opened:
                #expect((try? client.send(binary: message)) == .sent)
                #expect((try? client.send(binary: [])) == .wouldBlock)
                #expect((try? client.ping()) == .wouldBlock)
            case .binary: client.close()
            default: break
            }
        }
        try host.run(server)
        #expect(try server.connection.events == [.message(.binary, message), .close(.normal, "")])
        #expect(host.events.filter { $0 == .writable }.count == 1)
    }

    @Test func `an echo that is refused is kept, paused for, and sent later`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let sent = (0..<50).map { Sender.numbered($0) + [UInt8](repeating: 0x62, count: 20_000) }
        server.didOpen = { connection in
            for message in sent { connection.send(.binary, message) }
            connection.close(.normal)
        }
        server.didReceive = { connection, event in
            if case .close = event { connection.tcp.shutdown() }
        }
        var refused: [UInt8]?
        host.onMessage = { _, bytes, client in
            guard (try? client.send(binary: bytes)) == .wouldBlock else { return }
            #expect(refused == nil)
            refused = bytes.byteArray()
            client.pause()
        }
        host.onEvent = { event, client in
            guard event == .writable, let message = refused else { return }
            refused = nil
            #expect((try? client.send(binary: message)) == .sent)
            client.resume()
        }
        try host.run(server) { $0.sendHighWaterMark = 30_000 }
        #expect(try server.connection.events == sent.map { .message(.binary, $0) } + [.close(.normal, "")])
        #expect(host.events.contains(.writable))
        #expect(host.events.last == .closed(.normal, ""))
    }
}
