import Testing

@testable import GenesysLoop

@Suite struct ViolationTests {
    struct Row: Sendable, CustomStringConvertible {
        var violation: WebSocketViolation
        var code: CloseCode
        var stream: [UInt8]
        var role = WebSocketRole.client
        var limits = MessageLimits()
        var deflate: DeflateParameters?
        /// The byte at which the stream becomes illegal.
        var position: Int
        var description: String { "\(violation) \(stream.prefix(12))" }

        var frames: FrameStream { FrameStream(role: role, limits: limits, deflate: deflate, bytes: stream) }
    }

    /// With permessage-deflate agreed on.
    private static let compressedRows: [Row] =
        [
            [0x89 | 0x40, 0x00], [0x88 | 0x40, 0x00], [0x8A | 0x40, 0x00],
        ].map {
            Row(
                violation: .misplacedCompressedBit, code: .protocolError, stream: $0, deflate: DeflateParameters(),
                position: 0)
        } + [
            Row(
                violation: .misplacedCompressedBit, code: .protocolError, stream: [0x41, 0x00, 0x40, 0x00],
                deflate: DeflateParameters(), position: 2),
            Row(
                violation: .reservedBitSet, code: .protocolError, stream: [0xE1, 0x00], deflate: DeflateParameters(),
                position: 0),
            // A block of the third type, which does not exist.
            Row(
                violation: .invalidCompressedData, code: .invalidPayload, stream: [0xC2, 0x03, 0x06, 0x00, 0x00],
                deflate: DeflateParameters(), position: 2),
            // A stored block whose length check fails.
            Row(
                violation: .invalidCompressedData, code: .invalidPayload,
                stream: [0xC2, 0x06, 0x00, 0x05, 0x00, 0xFA, 0x7F, 0x01], deflate: DeflateParameters(), position: 6),
            // The end of the message in the middle of a stored block.
            Row(
                violation: .invalidCompressedData, code: .invalidPayload,
                stream: [0xC2, 0x06, 0x00, 0x09, 0x00, 0xF6, 0xFF, 0x41], deflate: DeflateParameters(), position: 7),
            // Invalid text, in a stored block.
            Row(
                violation: .invalidUTF8, code: .invalidPayload,
                stream: [0xC1, 0x09, 0x00, 0x03, 0x00, 0xFC, 0xFF, 0x41, 0xFF, 0x42, 0x00],
                deflate: DeflateParameters(), position: 8),
        ]

    static let rows: [Row] =
        [
            Row(violation: .reservedBitSet, code: .protocolError, stream: [0xC1, 0x00], position: 0),
            Row(violation: .reservedBitSet, code: .protocolError, stream: [0xA1, 0x00], position: 0),
            Row(violation: .reservedBitSet, code: .protocolError, stream: [0x91, 0x00], position: 0),
            Row(violation: .reservedBitSet, code: .protocolError, stream: [0xC9, 0x00], position: 0),
            Row(violation: .unexpectedContinuation, code: .protocolError, stream: [0x80, 0x00], position: 0),
            Row(violation: .unexpectedContinuation, code: .protocolError, stream: [0x00, 0x00], position: 0),
            Row(
                violation: .unexpectedContinuation, code: .protocolError,
                stream: [0x01, 0x00, 0x80, 0x00, 0x80, 0x00], position: 4),
            Row(violation: .interleavedMessage, code: .protocolError, stream: [0x01, 0x00, 0x81, 0x00], position: 2),
            Row(violation: .interleavedMessage, code: .protocolError, stream: [0x01, 0x00, 0x02, 0x00], position: 2),
            Row(violation: .fragmentedControlFrame, code: .protocolError, stream: [0x09, 0x00], position: 0),
            Row(violation: .fragmentedControlFrame, code: .protocolError, stream: [0x08, 0x00], position: 0),
            Row(violation: .fragmentedControlFrame, code: .protocolError, stream: [0x0A, 0x00], position: 0),
            Row(
                violation: .controlFrameTooLong, code: .protocolError, stream: [0x89, 0x7E, 0x00, 0x7E], position: 1),
            Row(violation: .controlFrameTooLong, code: .protocolError, stream: [0x88, 0x7F], position: 1),
            Row(violation: .maskedServerFrame, code: .protocolError, stream: [0x81, 0x80, 0, 0, 0, 0], position: 1),
            Row(
                violation: .unmaskedClientFrame, code: .protocolError, stream: [0x81, 0x00], role: .server,
                position: 1),
            Row(
                violation: .unmaskedClientFrame, code: .protocolError, stream: [0x89, 0x00], role: .server,
                position: 1),
            Row(violation: .nonMinimalLength, code: .protocolError, stream: [0x81, 0x7E, 0x00, 0x7D], position: 3),
            Row(
                violation: .nonMinimalLength, code: .protocolError,
                stream: [0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], position: 7),
            Row(
                violation: .lengthOutOfRange, code: .protocolError,
                stream: [0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0], position: 2),
            Row(
                violation: .messageTooLarge, code: .messageTooBig,
                stream: [0x82, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], position: 9),
            Row(violation: .truncatedCloseCode, code: .protocolError, stream: [0x88, 0x01, 0x03], position: 1),
            Row(
                violation: .invalidCloseReason, code: .invalidPayload, stream: [0x88, 0x04, 0x03, 0xE8, 0xC3, 0x28],
                position: 5),
            Row(
                violation: .invalidCloseReason, code: .invalidPayload, stream: [0x88, 0x03, 0x03, 0xE8, 0xE2],
                position: 4),
            Row(violation: .invalidUTF8, code: .invalidPayload, stream: [0x81, 0x01, 0xFF], position: 2),
            Row(violation: .invalidUTF8, code: .invalidPayload, stream: [0x81, 0x05, 0x41, 0xED, 0xA0], position: 4),
            Row(violation: .invalidUTF8, code: .invalidPayload, stream: [0x81, 0x02, 0x41, 0xC3], position: 3),
            Row(
                violation: .invalidUTF8, code: .invalidPayload, stream: [0x01, 0x01, 0xC3, 0x80, 0x00], position: 4),
            Row(
                violation: .invalidUTF8, code: .invalidPayload,
                stream: frame(0x81, [0x41, 0xF4, 0x90, 0x41], key: 0x1234_5678), role: .server, position: 8),
            // A long reason does not hide the code, and its end does not hide its start.
            Row(
                violation: .invalidCloseCode, code: .protocolError, stream: [0x88, 0x7D, 0x03, 0xED, 0x41],
                position: 3),
            Row(
                violation: .invalidCloseReason, code: .invalidPayload,
                stream: [0x88, 0x7D, 0x03, 0xE8, 0x41, 0xC3, 0x28, 0x41], position: 6),
            Row(
                violation: .invalidCloseReason, code: .invalidPayload,
                stream: frame(0x88, [0x03, 0xE8, 0x41, 0xED, 0xA0, 0x41], key: 0x1234_5678), role: .server,
                position: 10),
            // The second fragment ends a sequence that the first began, and begins an invalid one.
            Row(
                violation: .invalidUTF8, code: .invalidPayload,
                stream: [0x01, 0x02, 0xE2, 0x82, 0x00, 0x05, 0xAC, 0xED, 0xA0, 0x80, 0x41], position: 8),
            Row(
                violation: .messageTooLarge, code: .messageTooBig, stream: frame(0x02, [1, 2, 3]) + [0x80, 0x08],
                limits: MessageLimits(maxMessageByteCount: 10), position: 6),
            // Together 2^63 + 2 bytes, which no `Int` can hold.
            Row(
                violation: .messageTooLarge, code: .messageTooBig,
                stream: frame(0x02, [1, 2, 3]) + [0x80, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
                limits: MessageLimits(maxMessageByteCount: .max), position: 14),
            Row(
                violation: .tooManyFrames, code: .policyViolation, stream: [0x02, 0x00, 0x00, 0x00, 0x00, 0x00],
                limits: MessageLimits(maxFrameCount: 2), position: 5),
        ] + compressedRows
        + [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF].map { opcode in
            Row(violation: .unknownOpcode, code: .protocolError, stream: [0x80 | opcode, 0x00], position: 0)
        }
        + [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map { (code: UInt16) in
            Row(
                violation: .invalidCloseCode, code: .protocolError,
                stream: [0x88, 0x02, UInt8(code >> 8), UInt8(code & 0xFF)], position: 3)
        }

    @Test(arguments: rows)
    func `a violation is the same however the stream is cut, with its close code`(row: Row) {
        let prefix = frame(0x82, [1, 2, 3], key: row.role == .server ? 1 : nil)
        var stream = row.frames
        stream.bytes = prefix + stream.bytes
        stream.events = nil
        var random = SeededGenerator(seed: 1)
        #expect(stream.complaints(longestForEveryCut: .max, using: &random) == [])
        let events = stream.replay(upTo: [stream.bytes.count]).events
        #expect(events.first == .message(.binary, [1, 2, 3]))
        #expect(events.dropFirst().filter { $0 != .message(.text, []) } == [.violation(row.violation)])
        #expect(row.violation.closeCode == row.code)
    }

    @Test(arguments: rows)
    func `a violation is found at the first byte that cannot be legal`(row: Row) {
        let replay = row.frames.replayByBytes()
        #expect(replay.faultIndex == row.position)
        #expect(replay.events.last == .violation(row.violation))
    }

    /// The code sent to the peer, and the section of the rule.
    static let answers: [WebSocketViolation: (code: UInt16, section: String)] = [
        .reservedBitSet: (1002, "RFC 6455 §5.2"),
        .misplacedCompressedBit: (1002, "RFC 7692 §6"),
        .invalidCompressedData: (1007, "RFC 7692 §6.2"),
        .unknownOpcode: (1002, "RFC 6455 §5.2"),
        .nonMinimalLength: (1002, "RFC 6455 §5.2"),
        .lengthOutOfRange: (1002, "RFC 6455 §5.2"),
        .maskedServerFrame: (1002, "RFC 6455 §5.1"),
        .unmaskedClientFrame: (1002, "RFC 6455 §5.1"),
        .fragmentedControlFrame: (1002, "RFC 6455 §5.5"),
        .controlFrameTooLong: (1002, "RFC 6455 §5.5"),
        .unexpectedContinuation: (1002, "RFC 6455 §5.4"),
        .interleavedMessage: (1002, "RFC 6455 §5.4"),
        .truncatedCloseCode: (1002, "RFC 6455 §5.5.1"),
        .invalidCloseCode: (1002, "RFC 6455 §7.4"),
        .invalidCloseReason: (1007, "RFC 6455 §5.5.1"),
        .invalidUTF8: (1007, "RFC 6455 §8.1"),
        .messageTooLarge: (1009, "RFC 6455 §10.4"),
        .tooManyFrames: (1008, "RFC 6455 §10.4"),
    ]

    @Test(arguments: WebSocketViolation.allCases)
    func `every violation has a stream, its close code, its section and a sentence`(violation: WebSocketViolation) {
        #expect(Self.rows.contains { $0.violation == violation }, "no stream breaks it")
        #expect(violation.closeCode.rawValue == Self.answers[violation]?.code)
        #expect(violation.closeCode.isValidOnWire)
        #expect(violation.section == Self.answers[violation]?.section)
        #expect(violation.description.hasSuffix("."))
        let namesakes = WebSocketViolation.allCases.filter { $0.description == violation.description }
        #expect(namesakes == [violation])
    }

    @Test func `a close code is accepted in the ranges of the registry only`() {
        for code in UInt16.min...UInt16.max {
            let stream = [0x88, 0x02, UInt8(code >> 8), UInt8(code & 0xFF)]
            let isLegal = [1000...1003, 1007...1014, 3000...4999].contains { $0.contains(code) }
            let expected: OwnedEvent =
                isLegal ? .close(CloseCode(rawValue: code), "") : .violation(.invalidCloseCode)
            let events = DecoderHarness.events(stream)
            if events != [expected] { Issue.record("\(code): \(events)") }
        }
    }

    @Test(arguments: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
    func `a registered or private close code is accepted`(code: UInt16) {
        let stream = [0x88, 0x02, UInt8(code >> 8), UInt8(code & 0xFF)]
        #expect(DecoderHarness.eventsOfEveryCut(stream) == [.close(CloseCode(rawValue: code), "")])
    }
}
