import Testing

@testable import GenesysLoop

@Suite struct MessageDecoderTests {
    /// Made for each use: a global whose enum payloads hide their pointers looks like a leak to a leak detector.
    static var vectors: [(stream: [UInt8], role: WebSocketRole, events: [OwnedEvent])] {
        [
            // RFC 6455 §5.7.
            ([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], .client, [.message(.text, utf8("Hello"))]),
            (
                [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], .server,
                [.message(.text, utf8("Hello"))]
            ),
            (
                [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f], .client,
                [.message(.text, utf8("Hello"))]
            ),
            ([0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], .client, [.ping(utf8("Hello"))]),
            (
                [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], .server,
                [.pong(utf8("Hello"))]
            ),
            (
                [0x82, 0x7E, 0x01, 0x00] + [UInt8](repeating: 7, count: 256), .client,
                [
                    .message(.binary, [UInt8](repeating: 7, count: 256))
                ]
            ),
            // Empty ones.
            ([0x81, 0x00, 0x82, 0x00], .client, [.message(.text, []), .message(.binary, [])]),
            ([0x81, 0x80, 1, 2, 3, 4], .server, [.message(.text, [])]),
            ([0x01, 0x00, 0x00, 0x00, 0x80, 0x00], .client, [.message(.text, [])]),
            ([0x89, 0x00, 0x8A, 0x00], .client, [.ping([]), .pong([])]),
            // Control frames between fragments.
            (
                [0x02, 0x01, 1, 0x89, 0x01, 9, 0x00, 0x01, 2, 0x8A, 0x00, 0x80, 0x01, 3], .client,
                [.ping([9]), .pong([]), .message(.binary, [1, 2, 3])]
            ),
            // A Close frame between fragments ends everything.
            ([0x02, 0x01, 1, 0x88, 0x00, 0x80, 0x01, 3], .client, [.close(nil, "")]),
            ([0x88, 0x02, 0x03, 0xE8], .client, [.close(.normal, "")]),
            ([0x88, 0x07, 0x03, 0xE9] + utf8("bye é".prefix(4) + "!"), .client, [.close(.goingAway, "bye !")]),
            ([0x88, 0x82, 0, 0, 0, 1, 0x0B, 0xB8], .server, [.close(CloseCode(rawValue: 3000), "")]),
            // Masked fragments: each starts again at the first byte of its key.
            (
                frame(0x01, utf8("añ"), key: 0x0102_0304) + frame(0x80, utf8("dir"), key: 0xFFEE_DDCC), .server,
                [.message(.text, utf8("añdir"))]
            ),
        ]
    }

    @Test(arguments: vectors.indices)
    func `a vector gives its events however it is cut`(index: Int) {
        let vector = Self.vectors[index]
        #expect(DecoderHarness.eventsOfEveryCut(vector.stream, role: vector.role) == vector.events)
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536], [WebSocketRole.client, .server])
    func `lengths at every border survive encoding and decoding`(count: Int, role: WebSocketRole) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var stream: [UInt8] = []
        let key: UInt32? = role == .server ? 0xDEAD_BEEF : nil
        FrameEncoder.append(.binary, payload: payload, maskingKey: key, to: &stream)
        FrameEncoder.append(.ping, payload: [1], maskingKey: key, to: &stream)
        let expected: [OwnedEvent] = [.message(.binary, payload), .ping([1])]
        let border = min(20, stream.count - 1)
        #expect(DecoderHarness.events(stream, role: role) == expected)
        for cut in 0...border { #expect(DecoderHarness.events(stream, cuts: [cut], role: role) == expected) }
        #expect(DecoderHarness.events(stream, cuts: Array(1...border), role: role) == expected)
        #expect(DecoderHarness.events(stream, cuts: [stream.count - 4, stream.count - 3], role: role) == expected)
    }

    @Test func `whole frames are handed out as ranges of the input`() {
        var harness = DecoderHarness()
        harness.feed(frame(0x81, utf8("one")) + frame(0x82, [UInt8](repeating: 1, count: 70_000)) + [0x81, 0x01])
        #expect(harness.wholeMessageCount == 2)
        // The header came earlier, the payload is whole: still no copy.
        harness.feed([0x41])
        #expect(harness.wholeMessageCount == 3)
        harness.feed([0x81, 0x02, 0x41])
        harness.feed([0x42])
        #expect(harness.wholeMessageCount == 3)
        #expect(harness.events.last == .message(.text, utf8("AB")))
    }

    @Test func `everything after a close frame is discarded in silence`() {
        var harness = DecoderHarness()
        harness.feed([0x88, 0x00, 0xFF, 0xFF] + frame(0x81, utf8("late")))
        harness.feed([0xFF, 0x00])
        #expect(harness.events == [.close(nil, "")])
        #expect(!harness.decoder.isMidMessage)
    }

    @Test func `a violation is thrown again by every later call`() {
        var decoder = MessageDecoder(role: .client)
        for piece in [[0x81, 0x80], [0x81, 0x00], []] as [[UInt8]] {
            var offset = 0
            do {
                let event = try decoder.next(in: piece.span, at: &offset)
                Issue.record("\(event)")
            } catch {
                #expect(error == .maskedServerFrame)
            }
            #expect(offset == piece.count)
        }
    }

    @Test func `a decoder knows whether the end of input is a clean one`() {
        var harness = DecoderHarness()
        #expect(!harness.decoder.isMidMessage)
        for piece in [[0x01], [0x02, 0x41], [0x42], [0x89, 0x00], [0x80], [0x01]] as [[UInt8]] {
            harness.feed(piece)
            #expect(harness.decoder.isMidMessage, "\(piece)")
        }
        harness.feed([0x43])
        #expect(!harness.decoder.isMidMessage)
        #expect(harness.events.last == .message(.text, utf8("ABC")))
    }

    @Test func `a message not taken is dropped by the next call`() throws {
        var decoder = MessageDecoder(role: .client)
        let input: [UInt8] = [0x02, 0x01, 1, 0x80, 0x01, 2, 0x02, 0x01, 3, 0x80, 0x01, 4]
        var offset = 0
        let first = try decoder.next(in: input.span, at: &offset)
        let second = try decoder.next(in: input.span, at: &offset)
        #expect(first == .assembledMessage(.binary))
        #expect(second == .assembledMessage(.binary))
        #expect(decoder.takeMessage() == [3, 4])
        #expect(decoder.takeMessage() == [])
    }

    @Test func `recycled storage is used again, however large, until it is released`() throws {
        var decoder = MessageDecoder(role: .client)
        let input: [UInt8] = [0x02, 0x01, 1, 0x80, 0x01, 2]
        var storage: [UInt8] = []
        storage.reserveCapacity(1_000_000)
        decoder.recycle(storage)
        storage = []
        var offset = 0
        _ = try decoder.next(in: input.span, at: &offset)
        var message = decoder.takeMessage()
        #expect(message == [1, 2])
        #expect(message.capacity >= 1_000_000)
        decoder.recycle(message)
        message = []
        decoder.releaseStorage()
        offset = 0
        _ = try decoder.next(in: input.span, at: &offset)
        #expect(decoder.takeMessage().capacity < 4_096)
    }

    @Test func `storage released amid a control frame takes nothing of it`() throws {
        var decoder = MessageDecoder(role: .client)
        let ping: [UInt8] = [0x89, 0x04, 0x61, 0x62, 0x63, 0x64]
        for byte in ping.dropLast() {
            var offset = 0
            #expect(try decoder.next(in: [byte].span, at: &offset) == .needMore)
            decoder.releaseStorage()
        }
        var offset = 0
        #expect(try decoder.next(in: [0x64].span, at: &offset) == .ping)
        #expect(decoder.controlPayload == utf8("abcd"))
    }

    @Test func `a message whose rest can be put behind it is left in place until it is whole`() throws {
        var decoder = MessageDecoder(role: .client)
        let input = frame(0x82, [UInt8](repeating: 7, count: 300))
        var offset = 0
        for count in 4..<input.count {
            let event = try decoder.next(in: input.span.extracting(..<count), at: &offset, mayGrow: true)
            #expect(event == .needMore)
            #expect(offset == 0)
        }
        #expect(try decoder.next(in: input.span, at: &offset, mayGrow: true) == .message(.binary, 4..<304))
        #expect(decoder.assemblyCapacity == 0)
    }

    @Test func `a message that is too large is refused at its header, whether its rest can be put behind it or not`() {
        var decoder = MessageDecoder(role: .client, limits: MessageLimits(maxMessageByteCount: 299))
        let input = frame(0x82, [UInt8](repeating: 7, count: 300))
        var offset = 0
        #expect(throws: WebSocketViolation.messageTooLarge) {
            try decoder.next(in: input.span.extracting(..<4), at: &offset, mayGrow: true)
        }
    }

    @Test func `storage grows with the bytes received and not with a declared length`() throws {
        var decoder = MessageDecoder(role: .client)
        let input: [UInt8] = [0x82, 0x7F, 0, 0, 0, 0, 0x00, 0xFF, 0xFF, 0xFF, 1, 2, 3]
        var offset = 0
        let event = try decoder.next(in: input.span, at: &offset)
        #expect(event == .needMore)
        #expect(decoder.assemblyCapacity < 4_096)
    }
}
