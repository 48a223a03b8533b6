import Testing

@testable import GenesysLoop
@testable import ServerKit

@Suite struct UpgradeRequestTests {
    static let key = "dGhlIHNhbXBsZSBub25jZQ=="

    static func parse(_ bytes: [UInt8], cuts: [Int] = []) throws(UpgradeRequestError) -> UpgradeRequestHead? {
        var parser = UpgradeRequestParser()
        var start = 0
        for cut in cuts + [bytes.count] {
            let piece = Array(bytes[start..<cut])
            start = cut
            if case .complete(let head, _) = try parser.receive(piece.span) { return head }
        }
        return nil
    }

    @Test func `a request is written as the standard wants it`() throws {
        let uri = try WebSocketURI("wss://Example.com:8443/channels/a?b=c")
        let bytes = try UpgradeRequest.encode(
            uri: uri, key: Self.key, subprotocols: ["chat", "superchat"], extraHeaders: [("X-Trace", "1")])
        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                GET /channels/a?b=c HTTP/1.1\r
                Host: example.com:8443\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Key: \(Self.key)\r
                Sec-WebSocket-Version: 13\r
                Sec-WebSocket-Protocol: chat, superchat\r
                User-Agent: GenesysLoop\r
                X-Trace: 1\r
                \r\n
                """)
    }

    @Test(arguments: [
        ("X\r\nEvil", "1"), ("X", "1\r\nEvil: 2"), ("X", "1\n"), ("X", "\r"), ("X", "\u{0}"), ("", "1"), ("X Y", "1"),
        ("X:", "1"), ("X", "\u{7F}"), ("Host", "h"), ("sec-websocket-KEY", "k"), ("Transfer-Encoding", "chunked"),
    ])
    func `a header that would break the head is refused`(name: String, value: String) throws {
        let uri = try WebSocketURI("ws://h/")
        let error = #expect(throws: InvalidHeader.self) {
            try UpgradeRequest.encode(uri: uri, key: Self.key, extraHeaders: [(name, value)])
        }
        #expect(error?.description.contains("Evil") == false)
    }

    @Test func `subprotocols, key and user agent cannot break the head either`() throws {
        let uri = try WebSocketURI("ws://h/")
        for subprotocols in [["a", "a"], ["a b"], ["a,b"], [""], ["a\r\n"]] {
            #expect(throws: InvalidHeader.self) {
                try UpgradeRequest.encode(uri: uri, key: Self.key, subprotocols: subprotocols)
            }
        }
        #expect(throws: InvalidHeader.self) { try UpgradeRequest.encode(uri: uri, key: "a\r\nb") }
        #expect(throws: InvalidHeader.self) { try UpgradeRequest.encode(uri: uri, key: Self.key, userAgent: "a\nb") }
    }

    @Test func `a server reads what the client writes, however it is cut`() throws {
        let uri = try WebSocketURI("ws://[::1]:9000/a/b?c")
        let bytes = try UpgradeRequest.encode(uri: uri, key: Self.key, subprotocols: ["x", "y"], userAgent: nil)
        for cut in 0...bytes.count {
            let head = try #require(try Self.parse(bytes, cuts: [cut]))
            #expect(head.method == "GET")
            #expect(head.target == "/a/b?c")
            #expect(head.host == "[::1]:9000")
            #expect(head.key == Self.key)
            #expect(head.subprotocols == ["x", "y"])
            #expect(head.extensions == [])
            try head.checkUpgrade()
        }
        #expect(try Self.parse(bytes, cuts: Array(1..<bytes.count)) != nil)
    }

    @Test func `a second request on the same connection begins after the first`() throws {
        let request = utf8("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        var parser = UpgradeRequestParser()
        let both = request + request
        guard case .complete(let first, let consumed) = try parser.receive(both.span) else {
            return #expect(Bool(false), "incomplete")
        }
        #expect(consumed == request.count)
        guard case .complete(let second, _) = try parser.receive(request.span) else {
            return #expect(Bool(false), "incomplete")
        }
        #expect(first == second)
    }

    @Test(
        arguments: [
            ("POST / HTTP/1.1", nil, nil, 405), ("GET / HTTP/1.1", "Host", nil, 400),
            ("GET / HTTP/1.1", "Host", "Host: a\r\nHost: a", 400), ("GET / HTTP/1.1", "Upgrade", nil, 426),
            ("GET / HTTP/1.1", "Upgrade", "Upgrade: h2c", 426), ("GET / HTTP/1.1", "Connection", nil, 400),
            ("GET / HTTP/1.1", "Sec-WebSocket-Version", "Sec-WebSocket-Version: 8", 426),
            ("GET / HTTP/1.1", "Sec-WebSocket-Version", nil, 426), ("GET / HTTP/1.1", "Sec-WebSocket-Key", nil, 400),
            ("GET / HTTP/1.1", "Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ", 400),
            ("GET / HTTP/1.1", "Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==", 400),
        ] as [(String, String?, String?, Int)])
    func `a request that opens no WebSocket is told why`(
        line: String, dropped: String?, added: String?, status: Int
    ) throws {
        var headers = [
            "Host: h", "Upgrade: WebSocket", "Connection: keep-alive, upgrade", "Sec-WebSocket-Key: \(Self.key)",
            "Sec-WebSocket-Version: 13",
        ]
        if let dropped { headers.removeAll { $0.hasPrefix(dropped + ":") } }
        if let added { headers.append(added) }
        let text = ([line] + headers + ["", ""]).joined(separator: "\r\n")
        let head = try #require(try Self.parse(utf8(text)))
        let error = #expect(throws: UpgradeRequestError.self) { try head.checkUpgrade() }
        #expect(error?.status == status)
    }

    @Test(arguments: [
        ("/a?b", "/a?b", "h"), ("http://Other:1/a?b", "/a?b", "Other:1"), ("WSS://o", "/", "o"),
        ("https://o?q", "/?q", "o"), ("http:///a", "http:///a", "h"), ("ftp://o/a", "ftp://o/a", "h"), ("*", "*", "h"),
        ("o:443", "o:443", "h"), ("/http://o/", "/http://o/", "h"),
    ])
    func `an absolute target is that of its path, for the host that it names`(
        text: String, target: String, host: String
    ) throws {
        let head = try #require(try Self.parse(utf8("GET \(text) HTTP/1.1\r\nHost: h\r\n\r\n")))
        #expect(head.target == target)
        #expect(head.host == host)
    }

    @Test func `a request of HTTP 1_0 is read, and opens no WebSocket`() throws {
        let head = try #require(try Self.parse(utf8("GET / HTTP/1.0\r\n\r\n")))
        #expect(head.isHTTP10)
        let error = #expect(throws: UpgradeRequestError.self) { try head.checkUpgrade() }
        #expect(error?.status == 400)
    }

    @Test(arguments: [
        ("GET /\r\n\r\n", 400), ("GET / HTTP/1.2\r\n\r\n", 400), ("GET  / HTTP/1.1\r\n\r\n", 400),
        ("G(T / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\n", 400), ("GET / HTTP/1.1\r\n X: y\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nX: \(String(repeating: "a", count: 17_000))", 431),
    ])
    func `a malformed request is refused with its status, and again`(text: String, status: Int) {
        var parser = UpgradeRequestParser()
        for piece in [utf8(text), utf8("GET / HTTP/1.1\r\n\r\n")] {
            do throws(UpgradeRequestError) {
                _ = try parser.receive(piece.span)
                Issue.record("accepted")
            } catch {
                #expect(error.status == status)
            }
        }
    }

    @Test func `a response of the server is accepted by the client`() throws {
        let bytes = try UpgradeResponse.accept(
            acceptValue: UpgradeResponseTests.accept, subprotocol: "x", extraHeaders: [("X-A", "b")])
        #expect(
            UpgradeResponseTests.outcome(bytes, offered: ["x"]) == .accepted(rest: [], subprotocol: "x"))
        let refusal = try UpgradeResponse.refuse(status: 503, headers: [("Retry-After", "5")], body: utf8("later"))
        let read = try #require(UpgradeResponseTests.outcome(refusal).refusal)
        #expect(read.status == 503 && read.delay(now: WallTime(seconds: 0)) == .seconds(5))
        #expect(read.body == utf8("later"))
        let text = String(decoding: refusal, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(text.hasSuffix("Content-Length: 5\r\nConnection: close\r\n\r\nlater"))
        #expect(throws: InvalidHeader.self) { try UpgradeResponse.refuse(status: 400, headers: [("a", "b\r\nc")]) }
        let unversioned = String(decoding: try UpgradeResponse.refuse(status: 426), as: UTF8.self)
        #expect(unversioned.contains("\r\nUpgrade: websocket\r\n"))
        #expect(unversioned.contains("\r\nConnection: Upgrade, close\r\n"))
    }
}
