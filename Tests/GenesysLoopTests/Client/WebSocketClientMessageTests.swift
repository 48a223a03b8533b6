import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(2)))) struct WebSocketClientMessageTests {
    static let sizes = [0, 1, 125, 126, 65_535, 65_536, 1_048_576]

    /// Varying bytes, so that a misplaced byte is detected.
    static func pattern(_ count: Int) -> [UInt8] {
        let block = (0..<251).map { UInt8($0 % 94 + 32) }
        return Array((0...(count / 251)).map { _ in block }.joined().prefix(count))
    }

    @Test(arguments: [false, true])
    func `messages of every size come back as they went`(tls: Bool) throws {
        let server = try EchoServer(UVLoop(), tls: tls)
        let host = WebSocketHost()
        var rest = Self.sizes.flatMap { [(MessageKind.text, $0), (.binary, $0)] }
        var sent: [WebSocketHost.Event] = []
        func sendNext(_ client: WebSocketClient) {
            guard let (kind, count) = rest.popLast() else { return client.close() }
            let bytes = Self.pattern(count)
            let text = String(decoding: bytes, as: UTF8.self)
            sent.append(kind == .text ? .text(text) : .binary(bytes))
            let result = try? kind == .text ? client.send(text: text) : client.send(binary: bytes)
            #expect(result == .sent)
        }
        host.onEvent = { event, client in if !event.isTerminal { sendNext(client) } }
        try host.run(server)
        #expect(host.events == [.opened] + sent + [.closed(.normal, "")])
    }

    @Test func `a client sends back what it borrows, and the server gets it all`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let payloads = [0, 1, 126, 70_000].map { Self.pattern($0) }
        server.didOpen = { connection in
            for payload in payloads {
                connection.send(.text, payload)
                connection.send(.binary, payload)
            }
            connection.close(.normal)
        }
        server.didReceive = { _, _ in }
        host.onMessage = { kind, bytes, client in
            let result = try? kind == .text ? client.send(text: bytes) : client.send(binary: bytes)
            #expect(result == .sent)
        }
        try host.run(server)
        let echoes = payloads.flatMap { [EchoConnection.Event.message(.text, $0), .message(.binary, $0)] }
        #expect(try server.connection.events == echoes + [.close(.normal, "")])
        #expect(host.events.last == .closed(.normal, ""))
    }

    @Test func `fragments are one message, with control frames in between`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.didOpen = { connection in
            connection.send(.text, Array("zw\u{F6}".utf8.dropLast()), isFinal: false)
            connection.send(.ping, [1, 2])
            connection.send(.continuation, [], isFinal: false)
            connection.send(.pong, [3])
            connection.send(.continuation, Array("\u{F6}lf".utf8.dropFirst()))
            connection.send(.binary, [0xFF], isFinal: false)
            connection.send(.continuation, [0xFE])
        }
        host.onEvent = { event, client in if event == .binary([0xFF, 0xFE]) { client.close() } }
        try host.run(server)
        #expect(
            host.events == [.opened, .pong([3]), .text("zw\u{F6}lf"), .binary([0xFF, 0xFE]), .closed(.normal, "")])
        #expect(try server.connection.events == [.pong([1, 2]), .close(.normal, "")])
    }

    @Test func `a ping brings its pong`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let longest = [UInt8](repeating: 7, count: 125)
        host.onEvent = { event, client in
            switch event {
            case .opened:
                #expect(throws: WebSocketUsageError.pingTooLong) { try client.ping(longest + [7]) }
                _ = try? client.ping()
                _ = try? client.ping(longest)
            case .pong(longest): client.close()
            default: break
            }
        }
        try host.run(server)
        #expect(host.events == [.opened, .pong([]), .pong(longest), .closed(.normal, "")])
        #expect(try server.connection.events == [.ping([]), .ping(longest), .close(.normal, "")])
    }

    @Test func `text that is not UTF-8 is refused before it is sent`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        host.onEvent = { event, client in
            guard event == .opened else { return }
            let bytes: [UInt8] = [0xC3, 0x28]
            #expect(throws: WebSocketUsageError.invalidUTF8) { try client.send(text: bytes.span) }
            client.close()
        }
        try host.run(server)
        #expect(try server.connection.events == [.close(.normal, "")])
    }

    @Test func `what is sent too early or too late is refused`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let refuse = { (client: WebSocketClient) in
            #expect(throws: WebSocketUsageError.notOpen) { try client.send(text: "x") }
            #expect(throws: WebSocketUsageError.notOpen) { try client.send(binary: [1]) }
            #expect(throws: WebSocketUsageError.notOpen) { try client.ping() }
            #expect(!client.isOpen)
            #expect(client.queuedByteCount == 0)
        }
        refuse(try host.client(server))
        host.onEvent = { event, client in
            if event == .opened {
                #expect(client.isOpen)
                client.close()
                #expect(throws: WebSocketUsageError.notOpen) { try client.send(text: "x") }
            } else {
                refuse(client)
            }
        }
        try host.run(server)
        #expect(host.events == [.opened, .closed(.normal, "")])
    }

    @Test func `a pause ends after the message under way, and nothing is lost by it`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let loop = server.loop
        server.didOpen = { connection in (0..<20).forEach { connection.send(.text, Array("\($0)".utf8)) } }
        var isPaused = false
        host.onEvent = { event, client in
            #expect(!isPaused, "\(event) came during the pause")
            guard case .text(let text) = event else { return }
            if text == "19" { return client.close() }
            client.pause()
            isPaused = true
            loop.afterTurns(1) {
                isPaused = false
                client.resume()
            }
        }
        try host.run(server)
        #expect(host.events == [.opened] + (0..<20).map { .text("\($0)") } + [.closed(.normal, "")])
    }

    @Test func `a client paused before it is open delivers nothing until it resumes`() throws {
        let server = try EchoServer(UVLoop(), tls: true)
        let host = WebSocketHost()
        let loop = server.loop
        server.respond = { head in
            // The first message shares a segment with the response.
            var bytes = EchoConnection.acceptance(of: head)
            FrameEncoder.append(.text, payload: [0x61], maskingKey: nil, to: &bytes)
            return bytes
        }
        var hasResumed = false
        host.onEvent = { event, client in
            if event == .opened {
                loop.afterTurns(1) {
                    hasResumed = true
                    client.resume()
                }
            } else if event == .text("a") {
                #expect(hasResumed)
                client.close()
            }
        }
        let previous = host.onEvent
        host.onEvent = { event, client in
            previous(event, client)
            if event.isTerminal { server.end() }
        }
        let client = try host.client(server)
        client.pause()
        client.open()
        server.run()
        host.onEvent = { _, _ in }
        #expect(host.events == [.opened, .text("a"), .closed(.normal, "")])
    }
}
