/// The inside of a JSON string, skipped eight bytes at a time (RFC 8259 §7).
enum JSONString {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// The offset of the first byte from `start` that ends or interrupts plain text: a quote, a `\`, a control
    /// character or the end of the message.
    ///
    /// The lowest mark of `marks` is exact: a borrow can only set false marks above a true one.
    @inline(__always)
    static func special(from start: Int, in message: Span<UInt8>) -> Int {
        // Most names and many values end in the first word: a predicted branch is faster than waiting for two words.
        let marks = JSONString.marks(of: message.word(at: start))
        guard marks == 0 else { return start &+ marks.trailingZeroBitCount / 8 }
        var offset = start &+ 8
        while true {
            let words = message.wordPair(at: offset)
            let (low, high) = (JSONString.marks(of: words.0), JSONString.marks(of: words.1))
            guard low | high == 0 else {
                let lowCount = low.trailingZeroBitCount / 8, highCount = 8 &+ high.trailingZeroBitCount / 8
                return offset &+ (low != 0 ? lowCount : highCount)
            }
            offset &+= 16
            while let words = message.wordQuad(at: offset), !JSONString.hasMarks(words) { offset &+= 32 }
        }
    }

    /// The high bit of each byte that is not plain text.
    ///
    /// Bytes past the end of the message are 0 and thus marked.
    ///
    /// `x ^ 2` turns the quote (0x22) into 0x20 and leaves the control characters below 0x20, so that one comparison
    /// with 0x21 finds both.
    @inline(__always)
    private static func marks(of word: UInt64) -> UInt64 {
        let quoteOrControl = (word ^ (ones &* 0x02)) &- (ones &* 0x21)
        let backslash = (word ^ (ones &* 0x5C)) &- ones
        return (quoteOrControl | backslash) & ~word & highBits
    }

    /// Whether any byte is not plain text.
    @inline(__always)
    private static func hasMarks(_ words: SIMD4<UInt64>) -> Bool {
        let quoteOrControl = (words ^ SIMD4(repeating: ones &* 0x02)) &- SIMD4(repeating: ones &* 0x21)
        let backslash = (words ^ SIMD4(repeating: ones &* 0x5C)) &- SIMD4(repeating: ones)
        let marks = (quoteOrControl | backslash) & ~words & SIMD4(repeating: highBits)
        return marks[0] | marks[1] | marks[2] | marks[3] != 0
    }

    /// Whether there is a `\` in the string in `range`, which has been scanned.
    static func hasEscapes(_ range: Range<Int>, in message: Span<UInt8>) -> Bool {
        special(from: range.lowerBound &+ 1, in: message) != range.upperBound &- 1
    }

    /// The offset after a string whose first special byte, at `start`, is not its end.
    @inline(never)
    static func endWithEscapes(from start: Int, in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        var offset = start
        while true {
            switch message.byteOrZero(at: offset) {
            case UInt8(ascii: "\""): return offset &+ 1
            case UInt8(ascii: "\\"):
                offset = special(from: try endOfEscape(at: offset, in: message), in: message)
            default: throw EnvelopeScanner.violation(.controlCharacter, at: offset, in: message)
            }
        }
    }

    /// The offset after the escape whose `\` is at `offset`.
    ///
    /// A lone surrogate is legal grammar (RFC 8259 §8.2).
    @inline(never)
    static func endOfEscape(at offset: Int, in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        switch message.byteOrZero(at: offset &+ 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return offset &+ 2
        case UInt8(ascii: "u"):
            for digit in offset &+ 2..<offset &+ 6 {
                guard JSONText.hexadecimalDigit(message.byteOrZero(at: digit)) != nil else {
                    throw EnvelopeScanner.violation(.invalidEscape, at: digit, in: message)
                }
            }
            return offset &+ 6
        default:
            throw EnvelopeScanner.violation(.invalidEscape, at: offset &+ 1, in: message)
        }
    }
}

/// The grammar of JSON numbers (RFC 8259 §6).
enum JSONNumber {
    /// The offset after the number that starts at `start` with a digit or `-`.
    @inline(__always)
    static func end(from start: Int, in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        let first = message.byteOrZero(at: start) == UInt8(ascii: "-") ? start &+ 1 : start
        var offset = try endOfDigits(from: first, in: message)
        if message.byteOrZero(at: first) == UInt8(ascii: "0") && offset > first &+ 1 {
            throw EnvelopeScanner.violation(.invalidNumber, at: first &+ 1, in: message)  // a zero leads
        }
        if message.byteOrZero(at: offset) == UInt8(ascii: ".") {
            offset = try endOfDigits(from: offset &+ 1, in: message)
        }
        if message.byteOrZero(at: offset) | 0x20 == UInt8(ascii: "e") {
            offset &+= 1
            let sign = message.byteOrZero(at: offset)
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { offset &+= 1 }
            offset = try endOfDigits(from: offset, in: message)
        }
        return offset
    }

    /// The offset after one or more digits.
    ///
    /// Byte by byte: branch prediction guesses the count, so the scanner does not wait for it. Eight bytes at a time is
    /// slower for messages with many numbers (`Scripts/bench codec`).
    @inline(__always)
    private static func endOfDigits(from start: Int, in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        var offset = start
        while message.byteOrZero(at: offset) &- UInt8(ascii: "0") < 10 { offset &+= 1 }
        guard offset > start else { throw EnvelopeScanner.violation(.invalidNumber, at: offset, in: message) }
        return offset
    }
}

/// A violation of the grammar of RFC 8259.
package enum JSONViolation: Equatable, Sendable, CustomStringConvertible {
    /// The text ends inside a value or before one.
    case unexpectedEnd
    /// A byte order mark (RFC 8259 §8.1: must not be added).
    case byteOrderMark
    /// §3: no value where one must be, as in `[1,]`.
    case expectedValue
    /// §4: no member name where one must be, as in `{"a":1,}`.
    case expectedName
    /// §4: a name without its colon.
    case expectedColon
    /// §4, §5: a value is followed by something other than a comma or the end of its container.
    case expectedCommaOrEnd
    /// §3: a word that is not `true`, `false` or `null`.
    case invalidLiteral
    /// §6: `01`, `+1`, `.5`, `1.`, `1e`, `-`.
    case invalidNumber
    /// §7: a `\` before something that cannot be escaped, or `\u` without four hexadecimal digits.
    case invalidEscape
    /// §7: an unescaped control character in a string.
    case controlCharacter
    /// §2: something other than white space after the value.
    case trailingBytes

    /// A phrase that fits after "The message is not JSON:".
    package var description: String {
        switch self {
        case .unexpectedEnd: "it ends too early"
        case .byteOrderMark: "it starts with a byte order mark"
        case .expectedValue: "a value is missing"
        case .expectedName: "the name of a member is missing"
        case .expectedColon: "a colon is missing"
        case .expectedCommaOrEnd: "a comma or the end of an array or object is missing"
        case .invalidLiteral: "a word is none of true, false and null"
        case .invalidNumber: "a number is malformed"
        case .invalidEscape: "an escape is malformed"
        case .controlCharacter: "a string holds a control character"
        case .trailingBytes: "something follows its end"
        }
    }
}
