/// Checks that bytes arriving in pieces are UTF-8 (RFC 3629), and refuses the first byte that cannot be.
///
/// Overlong forms, surrogates and scalars above U+10FFFF are refused. Runs of ASCII are skipped 128 bytes
/// at a time, other sequences are checked as one word each; only the last bytes of a piece are checked one by one.
///
/// A sequence has at most four bytes, so the state is what may follow: how many bytes, and the range of the next.
struct UTF8Validator: Equatable, Sendable {
    private var missingByteCount: UInt8 = 0
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// Whether the bytes so far end with a whole sequence.
    var isComplete: Bool { missingByteCount == 0 }

    /// Whether `range` of `bytes` is UTF-8 on its own.
    @inline(__always)
    static func isValid(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let end = Bytes.endOfASCII(in: bytes, range)
        if end == range.upperBound { return true }
        var validator = UTF8Validator()
        return validator.consume(bytes, end..<range.upperBound) && validator.isComplete
    }

    /// Consumes the next piece.
    ///
    /// False: no continuation can make the bytes UTF-8.
    mutating func consume(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        let end = range.upperBound
        while missingByteCount > 0, index < end {
            guard step(bytes[index]) else { return false }
            index &+= 1
        }
        while index < end {
            index = Bytes.endOfASCII(in: bytes, index..<end)
            guard Self.skipSequences(in: bytes, &index, end) else { return false }
            // With eight bytes or more left, a long run of ASCII begins here.
            if end &- index >= 8 { continue }
            while index < end {
                guard step(bytes[index]) else { return false }
                index &+= 1
            }
        }
        return true
    }

    /// Moves `index` over whole sequences, as long as eight bytes are left and no long run of ASCII begins.
    ///
    /// RFC 3629 §4: the second byte decides about overlong forms (after E0, F0), surrogates (ED) and the end (F4).
    /// Each branch adds its own constant, so that the next load need not wait for the comparisons of this one.
    private static func skipSequences(in bytes: Span<UInt8>, _ index: inout Int, _ end: Int) -> Bool {
        var asciiWordCount = 0
        while end &- index >= 8 {
            let eight = Bytes.littleEndianWord(in: bytes, at: index)
            let high = eight & 0x8080_8080_8080_8080
            if high == 0 {
                index &+= 8
                asciiWordCount &+= 1
                if asciiWordCount == 2 { return true }
                continue
            }
            asciiWordCount = 0
            if high & 0x80 == 0 {
                index &+= high.trailingZeroBitCount / 8
                continue
            }
            let word = UInt32(truncatingIfNeeded: eight)
            if word & 0x00C0_C0F0 == 0x0080_80E0 {
                let deciding = word & 0x200F
                if deciding == 0 || deciding == 0x200D { return false }
                // Such sequences come in runs: the same eight bytes hold a second one.
                let second = UInt32(truncatingIfNeeded: eight &>> 24)
                let decidingSecond = second & 0x200F
                let isSecond = second & 0x00C0_C0F0 == 0x0080_80E0 && decidingSecond != 0 && decidingSecond != 0x200D
                index &+= 3
                if _fastPath(isSecond) { index &+= 3 }
            } else if word & 0xC0E0 == 0x80C0 {
                if word & 0x1E == 0 { return false }
                index &+= 2
            } else if word & 0xC0C0_C0F8 == 0x8080_80F0 {
                let deciding = word & 0x3007
                if deciding == 0 || (deciding & 7 >= 4 && deciding != 4) { return false }
                index &+= 4
            } else {
                return false
            }
        }
        return true
    }

    /// Consumes one byte.
    private mutating func step(_ byte: UInt8) -> Bool {
        if missingByteCount > 0 {
            guard byte >= lowest, byte <= highest else { return false }
            missingByteCount &-= 1
            (lowest, highest) = (0x80, 0xBF)
            return true
        }
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: expect(1)
        case 0xE0: expect(2, lowest: 0xA0)
        case 0xED: expect(2, highest: 0x9F)
        case 0xE1...0xEF: expect(2)
        case 0xF0: expect(3, lowest: 0x90)
        case 0xF1...0xF3: expect(3)
        case 0xF4: expect(3, highest: 0x8F)
        default: return false
        }
        return true
    }

    private mutating func expect(_ count: UInt8, lowest: UInt8 = 0x80, highest: UInt8 = 0xBF) {
        missingByteCount = count
        self.lowest = lowest
        self.highest = highest
    }
}
