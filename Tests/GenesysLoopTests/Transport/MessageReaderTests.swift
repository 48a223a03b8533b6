import Testing

@testable import GenesysLoop

@Suite struct MessageReaderTests {
    enum Event: Equatable {
        case message(MessageKind, [UInt8])
        case ping
        case pong
        case close(CloseCode?)
        case violation(WebSocketViolation)
    }

    /// Feeds a stream in pieces and returns all events; the last violation once.
    static func events(
        _ stream: [UInt8], cuts: [Int] = [], role: WebSocketRole = .client, limit: Int = 1 << 20,
        deflate: DeflateParameters? = DeflateParameters()
    ) -> [Event] {
        var reader = MessageReader(
            role: role, limits: MessageLimits(maxMessageByteCount: limit), deflate: deflate)
        var events: [Event] = []
        var start = 0
        for cut in cuts + [stream.count] {
            let piece = Array(stream[start..<cut])
            start = cut
            var offset = 0
            feeding: while true {
                do throws(WebSocketViolation) {
                    switch try reader.next(in: piece.span, at: &offset) {
                    case .needMore: break feeding
                    case .message(let kind, let range): events.append(.message(kind, Array(piece[range])))
                    case .assembledMessage(let kind):
                        let message = reader.takeMessage()
                        events.append(.message(kind, message))
                        reader.recycle(message)
                    case .ping: events.append(.ping)
                    case .pong: events.append(.pong)
                    case .close(let code): events.append(.close(code))
                    }
                } catch {
                    if events.last != .violation(error) { events.append(.violation(error)) }
                    break feeding
                }
            }
        }
        return events
    }

    /// A frame as the peer of `role` sends it.
    static func frame(
        to role: WebSocketRole, _ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true, isCompressed: Bool = false
    ) -> [UInt8] {
        var output: [UInt8] = []
        FrameEncoder.append(
            opcode, isFinal: isFinal, isCompressed: isCompressed, payload: payload,
            maskingKey: role == .server ? 0xA1B2_C3D4 : nil, to: &output)
        return output
    }

    static func compressed(_ message: [UInt8]) throws -> [UInt8] {
        var deflater = Deflater(windowBits: 15, keepsContext: true)
        return try deflater.compressed(message)
    }

    @Test(arguments: [WebSocketRole.client, .server])
    func `messages with and without compression come in any pieces`(role: WebSocketRole) throws {
        var deflater = Deflater(windowBits: 15, keepsContext: true)
        let texts = (0..<4).map {
            Array("\u{20AC} \($0) \(String(repeating: "\u{F6}b\($0)", count: 20 + 9 * $0))".utf8)
        }
        var stream: [UInt8] = []
        var expected: [Event] = []
        for text in texts {
            let payload = try deflater.compressed(text)
            let half = payload.count / 2
            stream += Self.frame(to: role, .text, Array(payload[..<half]), isFinal: false, isCompressed: true)
            stream += Self.frame(to: role, .ping, [1])
            stream += Self.frame(to: role, .continuation, Array(payload[half...]))
            stream += Self.frame(to: role, .binary, [0xFF, 0xFE])
            expected += [.ping, .message(.text, text), .message(.binary, [0xFF, 0xFE])]
        }
        stream += Self.frame(to: role, .close, [0x03, 0xE8])
        expected += [.close(.normal)]
        #expect(Self.events(stream, role: role) == expected)
        #expect(Self.events(stream, cuts: Array(1..<stream.count), role: role) == expected)
        for cut in 1..<stream.count { #expect(Self.events(stream, cuts: [cut], role: role) == expected) }
    }

    @Test func `without an agreement RSV1 stays a violation`() throws {
        let stream = Self.frame(to: .client, .text, try Self.compressed([0x41]), isCompressed: true)
        #expect(Self.events(stream, deflate: nil) == [.violation(.reservedBitSet)])
    }

    @Test func `text is checked after it is decompressed, as soon as it comes`() throws {
        let bad = Self.frame(to: .client, .text, try Self.compressed([0x41, 0xC3, 0x28]), isCompressed: true)
        #expect(Self.events(bad) == [.violation(.invalidUTF8)])
        let cut = Self.frame(to: .client, .text, try Self.compressed([0x41, 0xC3]), isCompressed: true)
        #expect(Self.events(cut) == [.violation(.invalidUTF8)])
        let binary = Self.frame(to: .client, .binary, try Self.compressed([0x41, 0xC3]), isCompressed: true)
        #expect(Self.events(binary) == [.message(.binary, [0x41, 0xC3])])
        // The first fragment suffices, although the message continues.
        let payload = try Self.compressed([0xFF] + InflaterTests.noise(1, 9_000))
        let first = Self.frame(to: .client, .text, Array(payload[..<4_000]), isFinal: false, isCompressed: true)
        #expect(Self.events(first) == [.violation(.invalidUTF8)])
    }

    @Test func `every violation ends it, and stays`() throws {
        let bomb = Self.frame(
            to: .client, .binary, try Self.compressed([UInt8](repeating: 0, count: 200_000)), isCompressed: true)
        let after = Self.frame(to: .client, .text, [0x41])
        #expect(Self.events(bomb + after, limit: 100_000) == [.violation(.messageTooLarge)])
        #expect(Self.events(bomb + after, cuts: [bomb.count], limit: 100_000) == [.violation(.messageTooLarge)])
        let garbage = Self.frame(to: .client, .binary, [0xFF, 0xFF], isCompressed: true)
        #expect(Self.events(garbage + after) == [.violation(.invalidCompressedData)])
        let empty = Self.frame(to: .client, .binary, [], isCompressed: true)
        #expect(Self.events(empty + after) == [.violation(.invalidCompressedData)])
        let endless = (0..<3_000).flatMap { index in
            Self.frame(
                to: .client, index == 0 ? .binary : .continuation, [0, 0, 0, 0xFF, 0xFF], isFinal: false,
                isCompressed: index == 0)
        }
        #expect(Self.events(endless, limit: 1_000) == [.violation(.messageTooLarge)], "data that become nothing")
    }

    @Test func `memory is taken with the first compressed message and given back without a window`() throws {
        var parameters = DeflateParameters()
        parameters.serverNoContextTakeover = true
        let payload = try Self.compressed([0x41, 0x42])
        for (deflate, keeps) in [(DeflateParameters(), true), (parameters, false)] {
            var reader = MessageReader(role: .client, deflate: deflate)
            let plain = Self.frame(to: .client, .text, [0x41])
            let first = Self.frame(to: .client, .text, Array(payload[..<1]), isFinal: false, isCompressed: true)
            let rest = Self.frame(to: .client, .continuation, Array(payload[1...]))
            var held: [Bool] = []
            for piece in [plain, first, rest] {
                var offset = 0
                while try reader.next(in: piece.span, at: &offset) != .needMore {}
                reader.releaseIdleState()
                held.append(reader.holdsInflateState)
            }
            #expect(held == [false, true, keeps])
        }
    }
}
