import Testing

@testable import GenesysLoop

/// How the decoder handles RSV1 (RFC 7692 §6); decompression has its own tests.
@Suite struct CompressedFrameTests {
    private func events(
        _ stream: [UInt8], role: WebSocketRole = .client, limit: Int = 1_000, byByte: Bool = false
    ) throws(WebSocketViolation) -> [MessageDecoder.Event] {
        var decoder = MessageDecoder(
            role: role, limits: MessageLimits(maxMessageByteCount: limit), allowsCompression: true)
        var events: [MessageDecoder.Event] = []
        for piece in byByte ? stream.map({ [$0] }) : [stream] {
            var offset = 0
            while true {
                let event = try decoder.next(in: piece.span, at: &offset)
                if event == .needMore { break }
                events.append(event)
            }
        }
        return events
    }

    @Test func `compressed payload is handed out as it comes`() throws {
        #expect(try events([0xC1, 3, 1, 2, 3]) == [.compressed(.text, 2..<5, isLast: true)])
        #expect(
            try events([0xC2, 2, 1, 2], byByte: true) == [
                .compressed(.binary, 0..<1, isLast: false), .compressed(.binary, 0..<1, isLast: true),
            ])
        #expect(try events([0xC1, 0]) == [.compressed(.text, 2..<2, isLast: true)])
    }

    @Test func `fragments and control frames in between keep the message compressed`() throws {
        let stream: [UInt8] = [0x41, 1, 9, 0x89, 1, 7, 0x00, 0, 0x00, 1, 8, 0x80, 0, 0x81, 1, 0x41]
        #expect(
            try events(stream) == [
                .compressed(.text, 2..<3, isLast: false), .ping, .compressed(.text, 10..<11, isLast: false),
                .compressed(.text, 13..<13, isLast: true), .message(.text, 15..<16),
            ])
    }

    @Test func `a server gets masked pieces unmasked`() throws {
        var decoder = MessageDecoder(role: .server, allowsCompression: true)
        var stream: [UInt8] = []
        FrameEncoder.append(
            .text, isCompressed: true, payload: [1, 2, 3, 4, 5], maskingKey: 0x0102_0304, to: &stream)
        var pieces: [[UInt8]] = []
        for byte in stream {
            var offset = 0
            while true {
                let event = try decoder.next(in: [byte].span, at: &offset)
                guard case .compressed(.text, nil, let isLast) = event else { break }
                pieces.append(decoder.takeMessage())
                #expect(isLast == (pieces.count == 5))
            }
        }
        #expect(pieces == [[1], [2], [3], [4], [5]])
    }

    @Test(
        arguments: [
            ([0xC9, 0x00], WebSocketViolation.misplacedCompressedBit, 0),
            ([0xCA, 0x00], .misplacedCompressedBit, 0),
            ([0xC8, 0x00], .misplacedCompressedBit, 0),
            ([0x41, 0x00, 0xC0, 0x00], .misplacedCompressedBit, 2),
            ([0x01, 0x00, 0xC0, 0x00], .misplacedCompressedBit, 2),
            ([0x01, 0x00, 0xC1, 0x00], .interleavedMessage, 2),
            ([0xC0, 0x00], .unexpectedContinuation, 0),
            ([0xE1, 0x00], .reservedBitSet, 0),
            ([0xD1, 0x00], .reservedBitSet, 0),
            ([0xC3, 0x00], .unknownOpcode, 0),
        ] as [([UInt8], WebSocketViolation, Int)])
    func `RSV1 elsewhere is a violation at its byte`(stream: [UInt8], violation: WebSocketViolation, index: Int) {
        #expect(throws: violation) { try events(stream) }
        #expect(throws: violation) { try events(Array(stream[...index]), byByte: true) }
        #expect(throws: Never.self) { try events(Array(stream[..<index]), byByte: true) }
    }

    @Test func `compressed payload has a limit of its own`() throws {
        // 1,000 + 125 + 1,024 bytes: an eighth more than the message and a little.
        #expect(throws: Never.self) { try events([0xC1, 126, 0x08, 0x65], limit: 1_000) }
        #expect(throws: WebSocketViolation.messageTooLarge) { try events([0xC1, 126, 0x08, 0x66], limit: 1_000) }
        let fragments = Array(repeating: [0x00, 100] + [UInt8](repeating: 0, count: 100), count: 22).joined()
        #expect(throws: WebSocketViolation.messageTooLarge) {
            try events([0x41, 0] + Array(fragments), limit: 1_000)
        }
        #expect(MessageLimits(maxMessageByteCount: .max).maxCompressedByteCount == .max)
    }

    @Test func `the encoder sets RSV1 on the first frame only when told to`() {
        var output: [UInt8] = []
        FrameEncoder.append(.binary, isFinal: false, isCompressed: true, payload: [1], maskingKey: nil, to: &output)
        FrameEncoder.append(.continuation, payload: [2], maskingKey: nil, to: &output)
        #expect(output == [0x42, 1, 1, 0x80, 1, 2])
    }
}
