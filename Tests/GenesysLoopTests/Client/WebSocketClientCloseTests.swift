import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(2)))) struct WebSocketClientCloseTests {
    @Test(arguments: [1_000, 3_000, 4_999] as [UInt16])
    func `a close of ours carries code and reason, and the peer's answer is told`(code: UInt16) throws {
        let server = try EchoServer(UVLoop(), tls: true)
        let host = WebSocketHost()
        let code = CloseCode(rawValue: code)
        let reason = String(repeating: "\u{E9}", count: 61) + "e"
        server.didReceive = { connection, _ in
            connection.close(.goingAway, "answer")
            connection.tcp.shutdown()
        }
        host.onEvent = { event, client in
            guard event == .opened else { return }
            do { try client.close(code, reason: reason) } catch { Issue.record("\(error)") }
        }
        try host.run(server)
        #expect(try server.connection.events == [.close(code, reason)])
        #expect(host.events == [.opened, .closed(.goingAway, "answer")])
    }

    @Test(
        arguments: [
            (1_000, "bye"), (1_001, ""), (1_011, "broken"), (1_012, ""), (3_999, ""), (nil, ""),
        ] as [(UInt16?, String)])
    func `a close of the peer is told with code and reason, and answered with its code`(
        code: UInt16?, reason: String
    ) throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let code = code.map { CloseCode(rawValue: $0) }
        server.didOpen = { connection in
            connection.send(.text, Array("last".utf8))
            connection.close(code, reason)
            connection.send(.text, Array("too late".utf8))
        }
        server.didReceive = { connection, _ in connection.tcp.shutdown() }
        try host.run(server)
        #expect(host.events == [.opened, .text("last"), .closed(code ?? .noStatusReceived, reason)])
        #expect(try server.connection.events == [.close(code, "")])
    }

    @Test func `codes and reasons that must not be sent are refused, and nothing changes`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        host.onEvent = { event, client in
            guard event == .opened else { return }
            for code in [0, 999, 1_001, 1_002, 1_004, 1_005, 1_006, 1_011, 1_015, 2_999, 5_000, 65_535] as [UInt16] {
                #expect(throws: WebSocketUsageError.invalidCloseCode) { try client.close(CloseCode(rawValue: code)) }
            }
            #expect(throws: WebSocketUsageError.closeReasonTooLong) {
                try client.close(.normal, reason: String(repeating: "\u{E9}", count: 62))
            }
            #expect((try? client.send(text: "still open")) == .sent)
            client.close()
        }
        try host.run(server)
        let events = try server.connection.events
        #expect(events == [.message(.text, Array("still open".utf8)), .close(.normal, "")])
    }

    @Test func `what was sent before a close arrives before it, and nothing is delivered after it`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        host.onEvent = { event, client in
            guard event == .opened else { return }
            (0..<100).forEach { #expect((try? client.send(text: "\($0)")) == .sent) }
            client.close()
            client.close()
        }
        try host.run(server)
        let messages = (0..<100).map { EchoConnection.Event.message(.text, Array("\($0)".utf8)) }
        #expect(try server.connection.events == messages + [.close(.normal, "")])
        // The echoes came before the peer's Close frame and were dropped.
        #expect(host.events == [.opened, .closed(.normal, "")])
    }

    @Test func `a peer that does not answer a close is left at the deadline`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.didReceive = { connection, _ in connection.send(.text, [0x61]) }
        host.onEvent = { event, client in if event == .opened { client.close() } }
        try host.run(server) { $0.deadlines.close = .milliseconds(20) }
        #expect(host.events == [.opened, .closed(.abnormalClosure, "")])
    }

    @Test func `a peer that breaks a rule or ends after our close does not make it a failure`() throws {
        let endings: [(EchoConnection) -> Void] = [
            { $0.write([0x83, 0x00]) }, { $0.tcp.shutdown() }, { $0.tcp.abort() },
        ]
        for ending in endings {
            let server = try EchoServer(UVLoop())
            let host = WebSocketHost()
            server.didReceive = { connection, _ in ending(connection) }
            host.onEvent = { event, client in if event == .opened { client.close() } }
            try host.run(server) { $0.deadlines.close = .milliseconds(200) }
            #expect(host.events == [.opened, .closed(.abnormalClosure, "")])
        }
    }

    @Test func `a close before the connection is open ends it without a word to the peer`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.respond = { _ in Array("HTTP/1.1 101 ".utf8) }
        host.onEvent = { event, _ in if event.isTerminal { server.end() } }
        let client = try host.client(server)
        client.open()
        // The request has arrived: the client waits for the rest of the response.
        server.didOpen = { _ in client.close() }
        server.run()
        #expect(host.events == [.closed(.abnormalClosure, "")])
        #expect(try server.connection.events == [])
        host.onEvent = { _, _ in }
    }

    @Test func `a client that is closed without having been open says so`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        host.onEvent = { event, client in
            client.open()
            server.end()
        }
        try host.client(server).close()
        #expect(host.events == [], "something was told from within the call")
        server.run()
        #expect(host.events == [.closed(.abnormalClosure, "")])
        #expect(server.connections.isEmpty)
        host.onEvent = { _, _ in }
    }

    @Test func `a paused client that closes still hears the peer's answer`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        host.onEvent = { event, client in
            guard event == .opened else { return }
            client.pause()
            client.close()
            client.pause()
        }
        try host.run(server)
        #expect(host.events == [.opened, .closed(.normal, "")])
    }
}
