import Testing

@testable import GenesysLoop
@testable import ServerKit

@Suite(.timeLimit(.minutes(patience(1)))) struct WebSocketClientCompressionTests {
    static func terms(_ noContext: Bool, _ bits: Int) -> DeflateParameters {
        var parameters = DeflateParameters()
        parameters.serverNoContextTakeover = noContext
        parameters.clientNoContextTakeover = noContext
        parameters.serverMaxWindowBits = bits
        parameters.clientMaxWindowBits = bits
        return parameters
    }

    @Test(arguments: [(false, 15), (true, 15), (false, 8), (true, 9)], [false, true])
    func `compressed messages of every size come back as they went`(terms: (Bool, Int), tls: Bool) throws {
        let server = try EchoServer(UVLoop(), tls: tls)
        server.deflate = Self.terms(terms.0, terms.1)
        let host = WebSocketHost()
        var rest = [0, 1, 63, 64, 125, 126, 65_536, 300_000].flatMap { [(MessageKind.text, $0), (.binary, $0)] }
        var sent: [WebSocketHost.Event] = []
        var wereCompressed = false
        host.onEvent = { event, client in
            guard !event.isTerminal else { return }
            wereCompressed = client.isCompressed
            guard let (kind, count) = rest.popLast() else { return client.close() }
            let bytes = WebSocketClientMessageTests.pattern(count)
            let text = String(decoding: bytes, as: UTF8.self)
            sent.append(kind == .text ? .text(text) : .binary(bytes))
            let result = try? kind == .text ? client.send(text: text) : client.send(binary: bytes)
            #expect(result == .sent)
        }
        try host.run(server) { $0.compression = .permessageDeflate }
        #expect(wereCompressed)
        #expect(host.events == [.opened] + sent + [.closed(.normal, "")])
    }

    @Test func `a server that declines is a server without compression`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        var wasCompressed = true
        host.onEvent = { event, client in
            if event == .opened { _ = try? client.send(text: String(repeating: "a", count: 200)) }
            if case .text = event {
                wasCompressed = client.isCompressed
                client.close()
            }
        }
        try host.run(server) { $0.compression = .permessageDeflate }
        #expect(!wasCompressed)
        #expect(host.events == [.opened, .text(String(repeating: "a", count: 200)), .closed(.normal, "")])
    }

    @Test func `what was not offered is not accepted`() throws {
        let server = try EchoServer(UVLoop())
        server.respond = { EchoConnection.acceptance(of: $0, extensions: "permessage-deflate") }
        let host = WebSocketHost()
        try host.run(server)
        #expect(host.events == [.failed(.invalidHandshake)])
        #expect(try server.connection.request?.extensions == [])
    }

    @Test(arguments: [
        "permessage-deflate; server_max_window_bits=16", "permessage-deflate, permessage-deflate", "x",
        "permessage-deflate; client_max_window_bits=10",
    ]) func `an answer that breaks the offer fails the handshake`(answer: String) throws {
        let server = try EchoServer(UVLoop())
        server.respond = { EchoConnection.acceptance(of: $0, extensions: answer) }
        let host = WebSocketHost()
        try host.run(server) {
            $0.compression = .permessageDeflate
            $0.compression?.clientMaxWindowBits = 9
        }
        #expect(host.events == [.failed(.invalidHandshake)])
    }

    @Test func `a bomb ends the connection with 1009 before it goes off`() throws {
        let server = try EchoServer(UVLoop())
        server.deflate = DeflateParameters()
        let host = WebSocketHost()
        server.didOpen = { $0.send(.binary, [UInt8](repeating: 0, count: 16 << 20)) }
        try host.run(server) {
            $0.compression = .permessageDeflate
            $0.maxMessageSize = 1_000_000
        }
        #expect(host.events == [.opened, .failed(.messageTooLarge)])
        #expect(try server.connection.events == [.close(.messageTooBig, "")])
    }

    @Test func `data that cannot be decompressed end the connection with 1007`() throws {
        let server = try EchoServer(UVLoop())
        server.deflate = DeflateParameters()
        let host = WebSocketHost()
        server.didOpen = { $0.write([0xC1, 0x02, 0xFF, 0xFF]) }
        try host.run(server) { $0.compression = .permessageDeflate }
        #expect(host.events == [.opened, .failed(.protocolViolation)])
        #expect(try server.connection.events == [.close(.invalidPayload, "")])
    }

    @Test func `a paused host finds its compressed messages when it resumes`() throws {
        let server = try EchoServer(UVLoop())
        server.deflate = DeflateParameters()
        let host = WebSocketHost()
        let texts = (0..<50).map { "message \($0) " + String(repeating: "ab\($0)", count: 40) }
        server.didOpen = { connection in
            for text in texts { connection.send(.text, Array(text.utf8)) }
            connection.close(.normal)
        }
        host.onEvent = { event, client in
            guard case .text = event else { return }
            client.pause()
            let bound = LoopBound(client, on: client.loop)
            client.loop.execute { bound.value.resume() }
        }
        try host.run(server) { $0.compression = .permessageDeflate }
        #expect(host.events == [.opened] + texts.map { .text($0) } + [.closed(.normal, "")])
    }

    @Test func `window sizes beyond the possible are taken as the nearest`() {
        var compression = Compression()
        compression.clientMaxWindowBits = 3
        compression.serverMaxWindowBits = 99
        #expect(compression.clientMaxWindowBits == 8)
        #expect(compression.serverMaxWindowBits == 15)
    }
}
