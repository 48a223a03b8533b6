import Testing

@testable import GenesysLoop

/// The handshake as a value: every row at every place where its input can be cut.
@Suite struct ProxyHandshakeTests {
    enum Outcome: Equatable {
        case needMore
        case open(rest: [UInt8])
        case failed(ProxyError)
    }

    /// Feeds bytes in pieces, and records the output.
    static func outcome(
        _ bytes: [UInt8], cuts: [Int] = [], proxy: String = "http://p", target: String = "wss://h"
    ) throws -> (Outcome, said: [UInt8]) {
        var handshake = try ProxyHandshake(with: ProxyURI(proxy), to: WebSocketURI(target), userAgent: nil)
        var said = handshake.takeOutgoing()
        var start = 0
        for cut in cuts + [bytes.count] {
            let piece = Array(bytes[start..<cut])
            start = cut
            do throws(ProxyError) {
                let consumed = try handshake.receive(piece.span)
                said += handshake.takeOutgoing()
                if let consumed { return (.open(rest: Array(piece[consumed...]) + Array(bytes[cut...])), said) }
            } catch {
                return (.failed(error), said)
            }
        }
        return (.needMore, said)
    }

    private static func expect(
        _ bytes: [UInt8], _ outcome: Outcome, proxy: String = "http://p", target: String = "wss://h",
        saying said: [UInt8]? = nil
    ) throws {
        let all = Array(1..<max(1, bytes.count))
        for cuts in [[], all] + all.map({ [$0] }) {
            let result = try Self.outcome(bytes, cuts: cuts, proxy: proxy, target: target)
            #expect(result.0 == outcome, "cut at \(cuts.prefix(3))")
            if let said { #expect(result.said == said, "cut at \(cuts.prefix(3))") }
        }
    }

    private static func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

    // MARK: - HTTP

    @Test(arguments: [
        "HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\nServer: x\r\n\r\n", "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 200 \r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 299 x\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 102 x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n folded\r\n\r\n",
    ])
    func `a 2xx opens the tunnel, which begins behind the head`(head: String) throws {
        try Self.expect(Self.utf8(head), .open(rest: []))
        try Self.expect(
            Self.utf8(head) + [0x16, 0x03, 0x0D, 0x0A, 0x0D, 0x0A], .open(rest: [0x16, 0x03, 13, 10, 13, 10]))
        try Self.expect(Self.utf8(head).dropLast(), .needMore)
    }

    @Test(
        arguments: [
            (
                "HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"a\", nonce=\"b\", Basic\r\nContent-Length: 0\r\n\r\n",
                407, ["Digest", "Basic"], nil
            ),
            (
                "HTTP/1.0 502 Bad\r\nbad header\r\nRetry-After: 3\r\nRetry-After: soon\r\nContent-Length: 2\r\n\r\nno",
                502, [],
                3
            ),
            ("HTTP/1.1 301\r\nLocation: /x\r\n\r\n", 301, [], nil), ("HTTP/1.1 101 x\r\n\r\n", 101, [], nil),
            ("HTTP/1.1 999 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", 999, [], nil),
            ("HTTP/1.1 500 x\r\nbare\rreturn\r\n", 500, [], nil),
        ] as [(String, Int, [String], Int?)])
    func `a refusal is told with what it says, wherever it is cut`(
        answer: String, status: Int, schemes: [String], delay: Int?
    ) throws {
        let bytes = Self.utf8(answer)
        guard case .failed(let fault) = try Self.outcome(bytes).0 else { return #expect(Bool(false)) }
        let refusal = try #require(fault.refusal)
        #expect(refusal.status == status)
        #expect(refusal.schemes == schemes)
        #expect(refusal.delay(now: WallTime(seconds: 0)) == delay.map { .seconds($0) })
        try Self.expect(bytes, .failed(fault))
    }

    @Test(arguments: [
        ("HTTP/2 200\r\n\r\n", ProxyError.head(.malformedStartLine)),
        ("HTTP/1.2 200 OK\r\n\r\n", .head(.malformedStartLine)),
        ("HTTP/1.1 20 OK\r\n\r\n", .head(.malformedStartLine)), ("HTTP/1.1 200OK\r\n\r\n", .head(.malformedStartLine)),
        ("HTTP/1.1 099 OK\r\n\r\n", .head(.malformedStartLine)),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", .head(.malformedStartLine)),
        ("HTTP/1.1 200 OK\n\n", .head(.bareLineFeed)), ("HTTP/1.1 200 OK\r\r\n", .head(.bareCarriageReturn)),
        ("<html>", .head(.malformedStartLine)), ("\n", .head(.bareLineFeed)),
    ])
    func `everything else is a fault, wherever it is cut`(head: String, fault: ProxyError) throws {
        try Self.expect(Self.utf8(head), .failed(fault))
    }

    @Test func `a head may have 16 KiB and no byte more`() throws {
        let start = "HTTP/1.1 200 OK\r\nX: "
        let fill = HeadLineReader.maxByteCount - start.utf8.count - 4
        let longest = Self.utf8(start) + Array(repeating: 0x61, count: fill) + Self.utf8("\r\n\r\n")
        #expect(try Self.outcome(longest).0 == .open(rest: []))
        #expect(try Self.outcome(longest.dropLast(4) + [0x61] + longest.suffix(4)).0 == .failed(.head(.tooLong)))
    }

    @Test(arguments: [
        ("wss://h", "h:443"), ("ws://h", "h:80"), ("wss://h:8443/x?y", "h:8443"), ("wss://[FE80::1]", "[fe80::1]:443"),
        ("wss://127.0.0.1:1", "127.0.0.1:1"),
    ])
    func `the request names host and port`(target: String, authority: String) throws {
        let (_, said) = try Self.outcome([], target: target)
        #expect(said == Self.utf8("CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n\r\n"))
    }

    @Test func `a user agent is sent, and credentials as Basic`() throws {
        var handshake = try ProxyHandshake(
            with: ProxyURI("https://Aladdin:open%20sesame@p"), to: WebSocketURI("wss://h"), userAgent: "a/1")
        #expect(
            handshake.takeOutgoing()
                == Self.utf8(
                    "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
                        + "User-Agent: a/1\r\n\r\n"))
        #expect(handshake.takeOutgoing() == [])
        var split = try ProxyHandshake(with: ProxyURI("http://p"), to: WebSocketURI("wss://h"), userAgent: "a\r\nX: y")
        #expect(split.takeOutgoing() == Self.utf8("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"))
    }

    // MARK: - SOCKS5

    @Test(
        arguments: [
            ("wss://h", [3, 1, 0x68, 1, 187]), ("ws://127.0.0.200:258", [1, 127, 0, 0, 200, 1, 2]),
            ("wss://[2001:db8::1]", [4, 0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 187]),
        ] as [(String, [UInt8])])
    func `SOCKS names the server as it is named, and the tunnel begins behind the reply`(
        target: String, address: [UInt8]
    ) throws {
        let replies: [[UInt8]] = [
            [5, 0, 0, 1, 1, 2, 3, 4, 5, 6], [5, 0, 0, 4] + Array(1...18), [5, 0, 0, 3, 2, 0x61, 0x62, 0, 80],
            [5, 0, 0, 3, 0, 0, 80],
        ]
        for reply in replies {
            try Self.expect(
                [5, 0] + reply + [5, 0, 0], .open(rest: [5, 0, 0]), proxy: "socks5://p", target: target,
                saying: [5, 1, 0, 5, 1, 0] + address)
            try Self.expect([5, 0] + reply.dropLast(), .needMore, proxy: "socks5://p", target: target)
        }
    }

    @Test func `SOCKS credentials are sent where they are asked for, and only there`() throws {
        let reply: [UInt8] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        let request: [UInt8] = [5, 1, 0, 3, 1, 0x68, 1, 187]
        try Self.expect(
            [5, 2, 1, 0] + reply, .open(rest: []), proxy: "socks5h://ab:c@p",
            saying: [5, 2, 0, 2, 1, 2, 0x61, 0x62, 1, 0x63] + request)
        try Self.expect(
            [5, 0] + reply, .open(rest: []), proxy: "socks5://ab:c@p", saying: [5, 2, 0, 2] + request)
        try Self.expect(
            [5, 2, 1, 0] + reply, .open(rest: []), proxy: "socks5://ab@p",
            saying: [5, 2, 0, 2, 1, 2, 0x61, 0x62, 0] + request)
    }

    @Test(
        arguments: [
            ([5, 255], ProxyError.noMethod(hasOfferedPassword: true)),
            ([5, 1], .brokenRule("it chose a method that was not offered")),
            ([4, 0], .brokenRule("its first byte is no version 5")), ([5, 2, 1, 1], .credentialsRefused),
            ([5, 2, 1, 0, 4, 0], .brokenRule("its reply is not one of version 5")), ([5, 0, 5, 5], .reply(5)),
            ([5, 0, 5, 255], .reply(255)),
            ([5, 0, 5, 0, 0, 2, 0], .brokenRule("the address of its reply is of an unknown kind")),
        ] as [([UInt8], ProxyError)])
    func `a SOCKS fault is told wherever it is cut`(bytes: [UInt8], fault: ProxyError) throws {
        try Self.expect(bytes, .failed(fault), proxy: "socks5://a:b@p")
    }

    @Test func `an end before the tunnel is one, unless a status came`() throws {
        for (bytes, fault) in [
            ("", .ended), ("HTTP/1.1 20", .ended), ("HTTP/1.1 200 OK\r\n", .ended),
            ("HTTP/1.1 407 x\r\nA", .refused(try .of(407, reason: "x"))),
            ("HTTP/1.1 403 x\r\n\r\nbecau", .refused(try .of(403, reason: "x", body: "becau"))),
        ] as [(String, ProxyError)] {
            var handshake = try ProxyHandshake(with: ProxyURI("http://p"), to: WebSocketURI("wss://h"), userAgent: nil)
            _ = try handshake.receive(Self.utf8(bytes).span)
            #expect(handshake.endOfInput() == fault)
        }
    }
}
