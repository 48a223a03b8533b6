/// The name of an object's member in two machine words, for comparisons without a loop or a `String`.
struct PackedName: Equatable, Sendable {
    /// Every name that the protocol knows is at most this long.
    static let maxByteCount = 15

    private(set) var low: UInt64 = 0
    private(set) var high: UInt64 = 0
    /// Distinguishes a name from the same name followed by NUL (`"result\u0000"`).
    private(set) var byteCount = 0

    init() {}

    /// The name in `range`, a string with its quotes; nil if it is too long to be known.
    init?(_ range: Range<Int>, hasEscapes: Bool, in message: Span<UInt8>) {
        if hasEscapes {
            self.init(unescaping: range.lowerBound &+ 1..<range.upperBound &- 1, in: message)
        } else {
            self.init(from: range.lowerBound, to: range.upperBound, in: message)
        }
    }

    /// The name from `start` to `end`, a string without escapes, with its quotes; nil if it is too long to be known.
    @inline(__always)
    init?(from start: Int, to end: Int, in message: Span<UInt8>) {
        let byteCount = end &- start &- 2
        guard byteCount <= PackedName.maxByteCount else { return nil }
        self.init()
        self.byteCount = byteCount
        low = message.word(at: start &+ 1) & PackedName.mask(byteCount)
        high = byteCount > 8 ? message.word(at: start &+ 9) & PackedName.mask(byteCount &- 8) : 0
    }

    /// The name in `range` without its escapes: `"topic\u004eame"` is `topicName` (RFC 8259 §8.3).
    @inline(never)
    private init?(unescaping range: Range<Int>, in message: Span<UInt8>) {
        self.init()
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = message.byteOrZero(at: position)
            if byte == UInt8(ascii: "\\") {
                let escape = JSONText.escape(at: position, in: message)
                guard escape.scalar.isASCII, byteCount < PackedName.maxByteCount else { return nil }
                append(UInt8(truncatingIfNeeded: escape.scalar.value))
                position += escape.byteCount
            } else {
                guard byteCount < PackedName.maxByteCount else { return nil }
                append(byte)
                position += 1
            }
        }
    }

    /// Adds one byte.
    ///
    /// The caller has checked that there is room.
    @inline(__always)
    mutating func append(_ byte: UInt8) {
        if byteCount < 8 {
            low |= UInt64(byte) << UInt64(byteCount &* 8)
        } else {
            high |= UInt64(byte) << UInt64((byteCount &- 8) &* 8)
        }
        byteCount &+= 1
    }

    /// Ones in the lowest `byteCount` bytes, at most all eight.
    @inline(__always)
    private static func mask(_ byteCount: Int) -> UInt64 {
        byteCount >= 8 ? .max : (1 &<< UInt64(byteCount &* 8)) &- 1
    }
}

extension PackedName {
    /// The name of a literal of at most 15 ASCII bytes.
    ///
    /// The optimizer folds it to constants.
    @safe @inline(__always)
    init(_ literal: StaticString) {
        precondition(literal.hasPointerRepresentation && literal.utf8CodeUnitCount <= PackedName.maxByteCount)
        self.init()
        for index in 0..<literal.utf8CodeUnitCount {
            // In bounds of the literal, which is never freed.
            append(unsafe literal.utf8Start[index])
        }
    }
}
