internal import GenesysLoop

/// A command as it is sent: its words, each with its length before it. A word costs no allocation of its own.
@safe struct RESPCommand: Equatable, Sendable {
    /// The words, without the end of the last one's line.
    private var bytes: [UInt8] = []
    private var wordCount = 0

    init(_ words: String...) {
        for word in words { append(word) }
    }

    mutating func append(_ word: String) {
        begin(word.utf8.count)
        bytes.append(contentsOf: word.utf8)
    }

    mutating func append(_ source: [UInt8], _ range: Range<Int>) {
        begin(range.count)
        Bytes.append(source.span, range, to: &bytes)
    }

    /// Appends a number in decimal.
    mutating func append(_ number: UInt64) {
        guard number < 10 else { return append(String(number)) }
        begin(1)
        bytes.append(UInt8(ascii: "0") + UInt8(number))
    }

    /// - Parameters:
    ///   - byteCount: of the words.
    ///   - wordCount: how many they are.
    mutating func reserve(bytes byteCount: Int, words wordCount: Int) {
        bytes.reserveCapacity(bytes.count + byteCount + wordCount * RESPCommand.headCount)
    }

    /// The command as it is sent.
    consuming func encoded() -> [UInt8] {
        // Taken out: the words are not copied.
        var encoded: [UInt8] = []
        swap(&encoded, &bytes)
        encoded.append(contentsOf: [0x0D, 0x0A])
        encoded.insert(contentsOf: "*\(wordCount)".utf8, at: 0)
        return encoded
    }

    /// The most bytes before a word: the end of a line, `$`, its length, and the end of that line.
    private static let headCount = 24

    /// Appends what comes before a word of `byteCount` bytes.
    @inline(__always)
    private mutating func begin(_ byteCount: Int) {
        wordCount += 1
        var head = SIMD32<UInt8>(repeating: 0x0A)
        var place = 30
        head[place] = 0x0D
        var rest = UInt64(byteCount)
        repeat {
            place -= 1
            head[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        head[place - 1] = UInt8(ascii: "$")
        head[place - 3] = 0x0D
        // The value is lent for the call, which copies it.
        unsafe withUnsafeBytes(of: head) { head in
            unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: head[(place - 3)...]))
        }
    }
}
