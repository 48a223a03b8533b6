import Testing

@testable import GenesysLoop

@Suite struct UpgradeResponseTests {
    static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    static let good = [
        "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ]

    enum Outcome: Equatable {
        case accepted(rest: [UInt8], subprotocol: String?)
        case needMore
        case failed(UpgradeFailure)

        var refusal: HTTPRefusal? {
            if case .failed(.refused(let refusal)) = self { refusal } else { nil }
        }
    }

    /// Feeds a response in pieces; what follows the head is collected as the rest.
    static func outcome(_ bytes: [UInt8], cuts: [Int] = [], offered: [String] = []) -> Outcome {
        var parser = UpgradeResponseParser(expectedAccept: accept, offeredSubprotocols: offered)
        var start = 0
        for cut in cuts + [bytes.count] {
            let piece = Array(bytes[start..<cut])
            start = cut
            do throws(UpgradeFailure) {
                guard case .accepted(let consumed) = try parser.receive(piece.span) else { continue }
                let rest = Array(piece[consumed...]) + Array(bytes[cut...])
                return .accepted(rest: rest, subprotocol: parser.subprotocol)
            } catch {
                return .failed(error)
            }
        }
        return parser.isReadingBody ? .failed(parser.endOfInput()) : .needMore
    }

    static func head(_ headers: [String]) -> [UInt8] {
        head("HTTP/1.1 101 Switching Protocols", headers)
    }

    static func head(_ status: String, _ headers: [String]) -> [UInt8] {
        utf8(([status] + headers + ["", ""]).joined(separator: "\r\n"))
    }

    static func isInvalid(_ bytes: [UInt8], offered: [String] = []) -> Bool {
        guard case .failed(.invalid(let reason, let section)) = outcome(bytes, offered: offered) else { return false }
        let byByte = outcome(bytes, cuts: Array(1..<max(1, bytes.count)), offered: offered)
        return reason.hasSuffix(".") && section.hasPrefix("RFC") && byByte == outcome(bytes, offered: offered)
    }

    @Test func `the response is accepted however it is cut, first frames behind it`() {
        let frames: [UInt8] = [0x81, 0x02, 0x7B, 0x7D, 0x0D, 0x0A]
        let bytes = Self.head(Self.good) + frames
        let expected = Outcome.accepted(rest: frames, subprotocol: nil)
        for cut in 0...bytes.count { #expect(Self.outcome(bytes, cuts: [cut]) == expected) }
        #expect(Self.outcome(bytes, cuts: Array(1..<bytes.count)) == expected)
        #expect(Self.outcome(Array(bytes[..<(bytes.count - frames.count - 1)])) == .needMore)
    }

    @Test func `the key and the subprotocol are compared by their bytes`() {
        let key = "Sec-WebSocket-Accept: "
        let kelvin = Self.good.map { $0.hasPrefix(key) ? $0.replacing("K", with: "\u{212A}") : $0 }
        #expect(kelvin == Self.good, "strings would be equal")
        #expect(Self.isInvalid(Self.head(kelvin)))
        #expect(Self.isInvalid(Self.head(Self.good + ["Sec-WebSocket-Protocol: \u{212A}"]), offered: ["K"]))
        #expect(!Self.isInvalid(Self.head(Self.good + ["Sec-WebSocket-Protocol: K"]), offered: ["K"]))
    }

    @Test(arguments: [
        ["UPGRADE: WebSocket", "connection: UPGRADE", "sec-websocket-accept: \(accept)"],
        ["Upgrade:websocket", "Connection:keep-alive, Upgrade", "Sec-WebSocket-Accept:\(accept)"],
        ["Upgrade: websocket ", "Connection: ,keep-alive ,\tupgrade,", "Sec-WebSocket-Accept: \t\(accept) \t"],
        ["Connection: keep-alive", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: \(accept)"],
        good + ["Server: x/1.0 (\u{FC})", "X-Empty:", "Date: a:b:c", "Set-Cookie: a", "Set-Cookie: b"],
        good + ["Content-Length: 0"],
        [
            "Upgrade: ,\tWebSocket , ", "Upgrade:", "Connection: \"a,upgrade\", Upgrade",
            "Sec-WebSocket-Accept: \(accept)",
        ],
    ])
    func `headers may be written in every legal way`(headers: [String]) {
        #expect(Self.outcome(Self.head(headers)) == .accepted(rest: [], subprotocol: nil))
    }

    @Test(arguments: ["HTTP/1.1 101", "HTTP/1.1 101 ", "HTTP/1.1 101 Anything at all"])
    func `the reason phrase does not matter`(line: String) {
        #expect(Self.outcome(Self.head(line, Self.good)) == .accepted(rest: [], subprotocol: nil))
    }

    @Test(arguments: [
        "HTTP/1.0 101 Switching Protocols", "HTTP/2 101 x", "HTTP/1.2 101 x", "http/1.1 101 x", "HTTP/1.1  101 x",
        "HTTP/1.1 1010 x", "HTTP/1.1 10 x", "HTTP/1.1 1o1 x", "HTTP/1.1 099 x", "HTTP/1.1\t101 x", "HTTP/1.1 101x",
        "HTTP/1.1 101 \u{1}", "SSH-2.0-OpenSSH", " HTTP/1.1 101 x", "", "ICY 200 OK", "HTTP/1.1 -10 x",
    ])
    func `a wrong status line is refused`(line: String) {
        #expect(Self.isInvalid(Self.head(line, Self.good)))
    }

    @Test func `bytes that are no HTTP are refused at once`() {
        #expect(Self.outcome(utf8("S")) != .needMore)
        #expect(Self.outcome(utf8("HTTP/1.")) == .needMore)
        #expect(Self.outcome([0x81, 0x02]) != .needMore)
    }

    @Test(arguments: ["7\n", "SSH-2.0-x\n", "\u{8}\r\u{8}"])
    func `bytes that are no HTTP are told as that however they are cut`(text: String) {
        let bytes = utf8(text)
        let whole = Self.outcome(bytes)
        guard case .failed(.invalid(let reason, _)) = whole else { return #expect(Bool(false), "taken: \(whole)") }
        #expect(reason == "The first line is not one of HTTP/1.1.")
        for cut in 1..<bytes.count { #expect(Self.outcome(bytes, cuts: [cut]) == whole) }
    }

    @Test(arguments: 0..<3) func `each header of the handshake is needed, once and right`(index: Int) {
        var headers = Self.good
        headers.remove(at: index)
        #expect(Self.isInvalid(Self.head(headers)))
        let name = Self.good[index].prefix { $0 != ":" }
        for value in ["", "x", "websockets", "Upgrade2", "up grade", "h2c, websocket", "s3pplmbitxaq9kygzzhzrbk+xoo="] {
            #expect(Self.isInvalid(Self.head(headers + ["\(name): \(value)"])), "\(name): \(value)")
        }
        let isList = name == "Connection"
        #expect(Self.isInvalid(Self.head(Self.good + [Self.good[index]])) != isList)
        #expect(Self.isInvalid(Self.head(Self.good + ["\(name): other"])) != isList)
    }

    @Test(arguments: [
        " folded", "\tfolded", "Name : value", "Na me: value", ": value", "no colon", "Name\u{1}: v", "Name: \u{0}",
        "Name: a\u{7F}b", "N\u{FC}: v", "Name: a\u{B}b",
    ])
    func `a malformed header is refused`(line: String) {
        #expect(Self.isInvalid(Self.head(Self.good + [line])))
        #expect(Self.isInvalid(Self.head([line] + Self.good)))
    }

    @Test func `only CR LF ends a line`() {
        let text = String(decoding: Self.head(Self.good), as: UTF8.self)
        #expect(Self.isInvalid(utf8(String(text.unicodeScalars.filter { $0 != "\r" }.map(Character.init)))))
        #expect(Self.isInvalid(utf8("HTTP/1.1 101 x\r\nA: b\nC: d\r\n\r\n")))
        #expect(Self.isInvalid(utf8("HTTP/1.1 101 x\r\nA: b\rC: d\r\n\r\n")))
        #expect(Self.isInvalid(utf8("HTTP/1.1 101 x\r\r\n\r\n")))
        #expect(Self.isInvalid(utf8("HTTP/1.1 101 x\r\nA: b\r\n\n")))
    }

    @Test func `extensions and subprotocols are accepted only when offered`() {
        #expect(Self.isInvalid(Self.head(Self.good + ["Sec-WebSocket-Extensions: permessage-deflate"])))
        #expect(Self.isInvalid(Self.head(Self.good + ["sec-websocket-extensions:"])))
        let chosen = Self.head(Self.good + ["Sec-WebSocket-Protocol: b"])
        #expect(Self.isInvalid(chosen))
        #expect(Self.isInvalid(chosen, offered: ["a", "B"]))
        #expect(Self.outcome(chosen, offered: ["a", "b"]) == .accepted(rest: [], subprotocol: "b"))
        #expect(Self.outcome(Self.head(Self.good), offered: ["a"]) == .accepted(rest: [], subprotocol: nil))
        #expect(Self.isInvalid(Self.head(Self.good + ["Sec-WebSocket-Protocol: a, b"]), offered: ["a", "b"]))
        let twice = ["Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: a"]
        #expect(Self.isInvalid(Self.head(Self.good + twice), offered: ["a"]))
    }

    @Test func `a head is at most 16 KiB, lines and number of headers included`() {
        func padded(_ total: Int) -> [UInt8] {
            let rest = total - Self.head(Self.good + ["X: "]).count
            return Self.head(Self.good + ["X: " + String(repeating: "a", count: rest)])
        }
        #expect(padded(16_384).count == 16_384)
        #expect(Self.outcome(padded(16_384)) == .accepted(rest: [], subprotocol: nil))
        #expect(Self.isInvalid(padded(16_385)))
        let endless = utf8("HTTP/1.1 101 x\r\n") + [UInt8](repeating: 0x61, count: 17_000)
        #expect(Self.isInvalid(endless))
        #expect(Self.isInvalid(Self.head(Array(repeating: "A: b", count: 4_000) + Self.good)))
        #expect(Self.isInvalid(utf8(String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 1_000))))
    }

    @Test(arguments: [200, 204, 301, 302, 400, 401, 403, 404, 407, 426, 429, 500, 503, 599])
    func `any other final status is reported with its number`(code: Int) throws {
        for bytes in [
            Self.head("HTTP/1.1 \(code) x", Self.good), Self.head("HTTP/1.0 \(code) x", []),
            // Neither a malformed nor an endless rest hides the status.
            Self.head("HTTP/1.1 \(code)", [" folded", "no colon"]), utf8("HTTP/1.1 \(code) x\r\nA: b\n\n"),
            utf8("HTTP/1.1 \(code) x\r\nA: ") + [UInt8](repeating: 65, count: 17_000),
        ] {
            let refusal = try #require(Self.outcome(bytes).refusal)
            #expect(refusal.status == code)
            #expect(refusal.location == nil && refusal.delay(now: WallTime(seconds: 0)) == nil && refusal.body == [])
        }
    }

    @Test func `a redirect brings its location, which the description does not repeat`() throws {
        let bytes = Self.head("HTTP/1.1 302 Found", ["location: wss://other/secret"])
        let outcome = Self.outcome(bytes)
        #expect(outcome.refusal?.location == "wss://other/secret")
        guard case .failed(let failure) = outcome else { return }
        #expect(failure.description == "The server answered the upgrade with status 302.")
    }

    @Test func `interim responses are passed over`() {
        let interim = Self.head("HTTP/1.1 103 Early Hints", ["Upgrade: x", "Link: </a>"])
        let bytes = Self.head("HTTP/1.1 100 Continue", []) + interim + Self.head(Self.good) + [1]
        #expect(Self.outcome(bytes, cuts: Array(1..<bytes.count)) == .accepted(rest: [1], subprotocol: nil))
        #expect(Self.outcome(bytes) == .accepted(rest: [1], subprotocol: nil))
    }

    @Test func `a failure is thrown again, and the end of input has one of its own`() throws {
        var parser = UpgradeResponseParser(expectedAccept: Self.accept)
        for piece in [Self.head("HTTP/1.1 404 Not Found", ["Content-Length: 0"]), Self.head(Self.good)] {
            do throws(UpgradeFailure) {
                _ = try parser.receive(piece.span)
                Issue.record("accepted")
            } catch {
                guard case .refused(let refusal) = error else { return #expect(Bool(false), "\(error)") }
                #expect(refusal.status == 404)
            }
        }
        parser = UpgradeResponseParser(expectedAccept: Self.accept)
        let start = utf8("HTTP/1.1 503 x\r\nRetry-After: 3\r\n")
        _ = try parser.receive(start.span)
        guard case .refused(let refusal) = parser.endOfInput() else { return #expect(Bool(false)) }
        #expect(refusal.status == 503 && refusal.delay(now: WallTime(seconds: 0)) == .seconds(3))
        parser = UpgradeResponseParser(expectedAccept: Self.accept)
        guard case .invalid = parser.endOfInput() else { return #expect(Bool(false)) }
    }
}
