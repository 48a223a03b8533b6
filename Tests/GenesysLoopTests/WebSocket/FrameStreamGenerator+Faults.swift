@testable import GenesysLoop

/// One way to break a rule; several may break the same one.
enum FrameFault: CaseIterable {
    case reservedBit, unknownOpcode, wrongMask
    case fragmentedControl, longControl, orphan, interleaved
    case shortLengthInTwo, shortLengthInEight, negativeLength, hugeLength
    case lengthBeyondLimit, tooManyFrames
    case halfCloseCode, badCloseCode, badCloseReason
    case badText, cutText
    case misplacedBit, badBlock, badCompressedText, bomb

    /// Whether it can follow the stream so far.
    func isPossible(after fragments: FrameStreamGenerator.Fragments?, in stream: FrameStream) -> Bool {
        switch self {
        case .orphan, .cutText: fragments == nil
        case .interleaved: fragments != nil
        case .badText: fragments?.kind != .binary && fragments?.isCompressed != true
        case .tooManyFrames: stream.limits.maxFrameCount < 20
        case .misplacedBit: stream.deflate != nil
        case .badBlock, .badCompressedText: stream.deflate != nil && fragments == nil
        case .bomb: stream.deflate != nil && fragments == nil && stream.limits.maxMessageByteCount < 1_000
        case .reservedBit, .unknownOpcode, .wrongMask, .fragmentedControl, .longControl, .shortLengthInTwo,
            .shortLengthInEight, .negativeLength, .hugeLength, .lengthBeyondLimit, .halfCloseCode, .badCloseCode,
            .badCloseReason:
            true
        }
    }
}

extension FrameStreamGenerator {
    /// Appends frames up to one that breaks a rule, and records the rule and the byte.
    mutating func appendFault() {
        let fault = any(FrameFault.allCases.filter { $0.isPossible(after: fragments, in: stream) })
        switch fault {
        case .reservedBit, .unknownOpcode, .wrongMask, .fragmentedControl, .longControl, .orphan, .interleaved:
            appendFaultyStart(fault)
        case .shortLengthInTwo, .shortLengthInEight, .negativeLength, .hugeLength, .lengthBeyondLimit:
            appendFaultyLength(fault)
        case .tooManyFrames: appendTooManyFrames()
        case .halfCloseCode, .badCloseCode, .badCloseReason: appendFaultyClose(fault)
        case .badText, .cutText: appendFaultyText(fault)
        case .misplacedBit:
            note(.misplacedCompressedBit, at: stream.bytes.count)
            stream.bytes.append(fragments == nil ? any([0xC8, 0xC9, 0xCA]) : any([0x40, 0xC0, 0xC8, 0xC9, 0xCA]))
        case .badBlock, .badCompressedText, .bomb: appendFaultyCompression(fault)
        }
    }

    private mutating func note(_ violation: WebSocketViolation, at index: Int) {
        stream.events?.append(.violation(violation))
        stream.faultIndex = index
    }

    /// The first byte of a data frame that may follow.
    private mutating func dataStart() -> UInt8 {
        fragments == nil ? any([0x01, 0x02, 0x81, 0x82]) : any([0x00, 0x80])
    }

    private mutating func appendFaultyStart(_ fault: FrameFault) {
        let start = stream.bytes.count
        switch fault {
        case .reservedBit:
            // If RSV1 has a meaning, another bit must be set.
            let bits = stream.deflate == nil ? UInt8(count(1...7)) : UInt8(any([1, 2, 3, 5, 6, 7]))
            stream.bytes.append(byte() & 0x8F | bits << 4)
            note(.reservedBitSet, at: start)
        case .unknownOpcode:
            stream.bytes.append(byte() & 0x80 | any([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]))
            note(.unknownOpcode, at: start)
        case .wrongMask:
            let first = isTrue(1, of: 2) ? dataStart() : any([0x88, 0x89, 0x8A])
            stream.bytes += [first, (maskBit ^ 0x80) | byte() & 0x7F]
            note(stream.role == .client ? .maskedServerFrame : .unmaskedClientFrame, at: start + 1)
        case .fragmentedControl:
            stream.bytes.append(any([0x08, 0x09, 0x0A]))
            note(.fragmentedControlFrame, at: start)
        case .longControl:
            stream.bytes += [any([0x88, 0x89, 0x8A]), maskBit | any([126, 127])]
            note(.controlFrameTooLong, at: start + 1)
        case .orphan:
            stream.bytes.append(any([0x00, 0x80]))
            note(.unexpectedContinuation, at: start)
        default:
            stream.bytes.append(any([0x01, 0x02, 0x81, 0x82]))
            note(.interleavedMessage, at: start)
        }
    }

    private mutating func appendFaultyLength(_ fault: FrameFault) {
        let start = stream.bytes.count
        let first = dataStart()
        let isCompressed = fragments?.isCompressed == true
        let limit = isCompressed ? stream.limits.maxCompressedByteCount : stream.limits.maxMessageByteCount
        let room = UInt64(limit - (fragments?.byteCount ?? 0))
        switch fault {
        case .shortLengthInTwo:
            stream.bytes += [first, maskBit | 126]
            appendLength(UInt64(count(0...125)), width: 2)
            note(.nonMinimalLength, at: start + 3)
        case .shortLengthInEight:
            stream.bytes += [first, maskBit | 127]
            appendLength(UInt64(any([0, 125, 126, 65_535, count(0...65_535)])), width: 8)
            note(.nonMinimalLength, at: start + 7)
        case .negativeLength:
            stream.bytes += [first, maskBit | 127]
            appendLength(
                any([1 << 63, UInt64.max, UInt64.random(in: (1 << 63)...UInt64.max, using: &random)]), width: 8)
            note(.lengthOutOfRange, at: start + 2)
        case .hugeLength:
            let length = UInt64.random(in: (1 << 32)..<(1 << 63), using: &random)
            appendHeader(first, length: any([(1 << 63) - 1, 1 << 62, length]))
            note(.messageTooLarge, at: stream.bytes.count - 1)
        default:
            appendHeader(first, length: room + any([1, 2, 1_000]))
            note(.messageTooLarge, at: stream.bytes.count - 1)
        }
    }

    private mutating func appendTooManyFrames() {
        var frameCount = fragments?.frameCount ?? 0
        var first: UInt8 = frameCount > 0 ? 0x00 : any([0x01, 0x02])
        while frameCount < stream.limits.maxFrameCount {
            append(first, [])
            first = 0x00
            frameCount += 1
            if isTrue(1, of: 4) {
                append(0x89, [7])
                stream.events?.append(.ping([7]))
            }
        }
        appendHeader(any([0x00, 0x80]), length: any([0, 1]))
        note(.tooManyFrames, at: stream.bytes.count - 1)
    }

    private mutating func appendFaultyClose(_ fault: FrameFault) {
        let start = stream.bytes.count
        switch fault {
        case .halfCloseCode:
            append(0x88, [3])
            note(.truncatedCloseCode, at: start + 1)
        case .badCloseCode:
            let code: UInt16 = any([0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2999, 5000, 65_535])
            let payload = append(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)] + payload(any([0, 1, 5, 123])))
            note(.invalidCloseCode, at: payload + 1)
        default:
            let code: UInt16 = any([1000, 1001, 3000, 4999])
            let reason = badText()
            let payload = append(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)] + reason.bytes)
            note(
                .invalidCloseReason, at: payload + 2 + reason.index
            )
        }
    }

    /// Text that becomes invalid at an index.
    private mutating func badText() -> (bytes: [UInt8], index: Int) {
        let before = text()
        let bad = any(UTF8Tests.invalid)
        return (before + bad.bytes + payload(count(0...4)), before.count + bad.position)
    }

    private mutating func appendFaultyText(_ fault: FrameFault) {
        if fragments != nil {
            // Wherever the text so far was cut, this byte is invalid.
            let payload = append(any([0x00, 0x80]), [any([0xFF, 0xC0, 0xF5])] + payload(count(0...3)))
            return note(.invalidUTF8, at: payload)
        }
        let isCut = fault == .cutText
        let bad =
            isCut ? (bytes: text() + any([[0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x8E]]), index: Int.max) : badText()
        let ends = ends(of: count(1...4), in: bad.bytes.count)
        var start = 0
        for (number, end) in ends.enumerated() {
            let first: UInt8 = (number == 0 ? 0x01 : 0x00) | (number == ends.count - 1 ? 0x80 : 0)
            let payload = append(first, Array(bad.bytes[start..<end]))
            if (start..<end).contains(bad.index) { return note(.invalidUTF8, at: payload + bad.index - start) }
            start = end
        }
        note(.invalidUTF8, at: stream.bytes.count - 1)
    }
}

extension FrameStreamGenerator {
    /// Invalid compressed data, or data that decompresses to something invalid.
    private mutating func appendFaultyCompression(_ fault: FrameFault) {
        switch fault {
        case .badBlock:
            // A valid block, then one of an invalid type, or a stored one whose length check fails.
            let good = StreamCompressor.stored(text())
            let bad: [UInt8] = any([[0x06], [0x07], [0x00, 0x01, 0x00, 0xFE, 0x00], [0x00, 0x01, 0x00, 0x01, 0x00]])
            let index = good.count + (bad.count == 1 ? 0 : 4)
            appendCompressed(0x02, good + bad + payload(count(0...4)), violation: .invalidCompressedData, index: index)
        case .badCompressedText:
            // Whatever follows it, even in the same read: more text, a broken block, more than the limit.
            let bad = badText()
            let after: [UInt8] = any([
                [], [0x06], StreamCompressor.stored([0x41]),
                StreamCompressor.stored([UInt8](repeating: 0x41, count: 400)),
            ])
            let index = 5 + bad.index
            appendCompressed(
                0x01, StreamCompressor.stored(bad.bytes) + after + [0x00], violation: .invalidUTF8, index: index)
        default:
            let byteCount = stream.limits.maxMessageByteCount + any([1, 2, 5_000])
            guard let bomb = compressor?.compressed([UInt8](repeating: 0x20, count: byteCount)) else { return }
            appendCompressed(any([0x01, 0x02]), bomb, violation: .messageTooLarge, index: nil)
        }
    }

    /// Appends, in fragments, the payload of a message with one faulty byte.
    private mutating func appendCompressed(
        _ kind: UInt8, _ bytes: [UInt8], violation: WebSocketViolation, index: Int?
    ) {
        let ends = ends(of: count(1...3), in: bytes.count)
        var start = 0
        for (number, end) in ends.enumerated() {
            let first: UInt8 = (number == 0 ? kind | 0x40 : 0x00) | (number == ends.count - 1 ? 0x80 : 0)
            let payload = append(first, Array(bytes[start..<end]))
            if let index, (start..<end).contains(index) { stream.faultIndex = payload + index - start }
            start = end
        }
        stream.events?.append(.violation(violation))
    }
}
