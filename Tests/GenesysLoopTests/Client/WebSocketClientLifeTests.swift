import Foundation
import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(2)))) struct WebSocketClientLifeTests {
    enum Moment: CaseIterable { case opened, text, binary, pong, writable, closed, failed }
    enum Deed: CaseIterable {
        case close, closeWithCode, closeTwice, sendAndPing, pauseAndResume, pause, open, forgetDelegate, openAnother
    }

    static func matches(_ event: WebSocketHost.Event, _ moment: Moment) -> Bool {
        switch (event, moment) {
        case (.opened, .opened), (.text, .text), (.binary, .binary), (.pong, .pong), (.writable, .writable),
            (.closed, .closed), (.failed, .failed):
            true
        default: false
        }
    }

    @Test(arguments: Moment.allCases, Deed.allCases)
    func `everything is legal in every callback`(_ moment: Moment, _ deed: Deed) throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let others = (WebSocketHost(), WebSocketHost())
        let watch = ClientWatch(server)
        var isDone = false
        server.didOpen = { connection in
            guard connection === server.connections.first else { return }
            connection.send(.text, [0x61])
            connection.send(.binary, [1])
            connection.send(.pong, [2])
        }
        server.didReceive = { connection, event in
            if case .message = event {
                if moment == .failed { return connection.tcp.abort() }
                connection.close(.goingAway)
            } else {
                connection.answer(event)
            }
        }
        host.onEvent = { event, client in
            if event == .opened {
                _ = try? client.send(text: "last")
                _ = try? client.send(text: "one too many")
            }
            guard Self.matches(event, moment), !isDone else { return }
            isDone = true
            Self.perform(deed, on: client, server, others.0)
        }
        watch.open(try host.client(server) { $0.sendHighWaterMark = 1 })
        server.run()
        host.onEvent = { _, _ in }
        #expect(isDone)
        let ends = host.events.filter(\.isTerminal)
        #expect(ends.count == (deed == .forgetDelegate && moment != .closed && moment != .failed ? 0 : 1))
        if [.close, .closeWithCode, .closeTwice].contains(deed), moment != .failed {
            #expect(ends.allSatisfy { if case .closed = $0 { true } else { false } })
        }
        if deed == .openAnother { #expect(others.0.events == [.opened, .closed(.normal, "")]) }
    }

    private static func perform(
        _ deed: Deed, on client: WebSocketClient, _ server: EchoServer, _ other: WebSocketHost
    ) {
        switch deed {
        case .close: client.close()
        case .closeWithCode: _ = try? client.close(CloseCode(rawValue: 3_001), reason: "enough")
        case .closeTwice:
            client.close()
            client.close()
        case .sendAndPing:
            _ = try? client.send(text: "x")
            _ = try? client.send(binary: [1])
            _ = try? client.ping()
        case .pauseAndResume:
            client.pause()
            client.resume()
        case .pause:
            client.pause()
            server.loop.afterTurns(1) { client.resume() }
        case .open: client.open()
        case .forgetDelegate:
            client.delegate = nil
            #expect(client.delegate == nil)
        case .openAnother:
            other.onEvent = { event, client in if event == .opened { client.close() } }
            do { try other.client(server).open() } catch { Issue.record("\(error)") }
        }
    }

    @Test func `a client lives until its terminal call, and no longer`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        weak var remembered: WebSocketClient?
        host.onEvent = { event, client in
            remembered = client
            if event == .opened { client.close() }
        }
        try host.run(server)
        #expect(host.events == [.opened, .closed(.normal, "")])
        #expect(remembered == nil)
    }

    @Test func `a client that was never opened leaves nothing behind`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        do {
            let client = try host.client(server)
            client.pause()
            client.resume()
        }
        server.loop.afterTurns(1) { server.end() }
        server.run()
        #expect(host.events.isEmpty)
    }

    @Test func `a delegate that is gone closes the client at the next delivery`() throws {
        let server = try EchoServer(UVLoop())
        var host: WebSocketHost? = WebSocketHost()
        let watch = ClientWatch(server)
        watch.open(try #require(host).client(server))
        host = nil
        server.run()
        #expect(try server.connection.events == [.close(.normal, "")])
    }

    @Test(
        arguments: [
            ([0x83, 0x00], FailureReason.protocolViolation, CloseCode.protocolError),
            ([0x81, 0x80, 0, 0, 0, 0], .protocolViolation, .protocolError),
            ([0x81, 0x01, 0xFF], .protocolViolation, .invalidPayload),
            ([0x88, 0x01, 0x03], .protocolViolation, .protocolError),
            ([0x82, 0x7E, 0x04, 0x01], .messageTooLarge, .messageTooBig),
        ] as [([UInt8], FailureReason, CloseCode)])
    func `a rule that the peer breaks is told, and it is told so`(
        bytes: [UInt8], reason: FailureReason, code: CloseCode
    ) throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.didOpen = { connection in
            connection.send(.text, [0x61])
            connection.write(bytes)
        }
        server.didReceive = { connection, _ in connection.tcp.shutdown() }
        try host.run(server) { $0.maxMessageSize = 1_024 }
        #expect(host.events == [.opened, .text("a"), .failed(reason)])
        #expect(try server.connection.events == [.close(code, "")])
        #expect(host.failure?.phase == .open)
        #expect(host.failure?.underlying?.code == Int(code.rawValue))
    }

    @Test(arguments: [false, true]) func `an end without a Close frame is a failure`(byReset: Bool) throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        server.didReceive = { connection, _ in
            if byReset { connection.tcp.abort() } else { connection.tcp.shutdown() }
        }
        host.onEvent = { event, client in if event == .opened { _ = try? client.ping() } }
        try host.run(server)
        #expect(host.events == [.opened, .failed(.connectionClosed)])
        #expect(host.failure?.description.hasPrefix("The WebSocket was lost: ") == true)
    }

    @Test func `neither printing nor dumping a client shows its URI`() throws {
        let loop = try UVLoop()
        let client = try WebSocketClient(uri: "ws://host/secret?token", on: loop)
        var dumped = ""
        dump(client, to: &dumped)
        for text in ["\(client)", String(reflecting: client), dumped] {
            #expect(!text.contains("secret") && !text.contains("token"))
        }
        #expect("\(client)" == "WebSocketClient(ws://host/…)")
    }

    @Test func `a call on another thread traps with a sentence`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            nonisolated(unsafe) let client = try WebSocketClient(uri: "ws://localhost/", on: loop)
            onOtherThread { unsafe client.close() }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("WebSocketClient.close was called on a thread that is not its event loop's"))
    }
}

/// Ends the server when the client, which only the loop retains, is deallocated.
private final class ClientWatch {
    private let server: EchoServer
    private weak var client: WebSocketClient?

    init(_ server: EchoServer) { self.server = server }

    func open(_ client: WebSocketClient) {
        self.client = client
        client.open()
        check()
    }

    private func check() {
        guard client != nil || !server.loop.openObjects.isEmpty else { return server.end() }
        server.loop.afterTurns(1) { self.check() }
    }
}
