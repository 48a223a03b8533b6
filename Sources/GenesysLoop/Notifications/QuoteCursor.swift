internal import CVector

// The second file of this folder with `unsafe` code, and the only import: a notification of 400 bytes takes 2,979
// instructions with it and 4,046 without (`Scripts/bench instructions`). Swift's vectors cannot tell as a number which
// bytes are equal to another, which is all that is taken from C.

/// Walks over the quotes of a message, which are looked for a kilobyte at a time.
///
/// So it is known where a string ends without looking at its bytes again, and without waiting for where it began.
/// Quotes that are escaped are passed over (RFC 8259 §7). With a control character anywhere, or an escape that is none,
/// the cursor gives up, which `isExhausted` tells.
///
/// It reads no byte outside of the message as long as its user keeps to this: the message ends with `}`, and only
/// offsets before its end are asked for. Whoever moves on by one from any other byte stays inside by the first rule.
/// The memory belongs to the callers of `with`, which the cursor cannot outlive: it is not copied out of there.
@safe struct QuoteCursor {
    /// The blocks that are looked at together.
    private static let chunkBlockCount = 16
    private static let chunkByteCount = chunkBlockCount * 64
    /// Where the last escape ends, which may be in the next chunk; 0 where there was none.
    private static let escapeEnd = chunkBlockCount
    /// How many bytes of a message there must be.
    static let minMessageByteCount = 64

    private let bytes: UnsafePointer<UInt8>
    /// The size of the message.
    let count: Int
    /// The masks of a chunk, a bit for each byte, and `escapeEnd`.
    private let words: UnsafeMutablePointer<UInt64>
    /// The quotes of the block that were not taken yet.
    private var quotes: UInt64 = 0
    /// The offset of the block.
    private var block = -64

    private init(_ bytes: UnsafePointer<UInt8>, count: Int, words: UnsafeMutablePointer<UInt64>) {
        unsafe self.bytes = bytes
        self.count = count
        unsafe self.words = words
    }

    /// Lends a cursor at the start of `message` to `body`; nil where the message is too short, or does not end with `}`.
    @inline(__always)
    static func with<Result>(_ message: Span<UInt8>, _ body: (inout QuoteCursor) -> Result) -> Result? {
        guard message.count >= minMessageByteCount, message.byteOrZero(at: message.count &- 1) == UInt8(ascii: "}")
        else { return nil }
        // Both pointers live for their closures, and the cursor for the inner one.
        return unsafe message.withUnsafeBufferPointer { buffer in
            unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: chunkBlockCount + 1) { words in
                guard let bytes = buffer.baseAddress, let words = words.baseAddress else { return nil }
                unsafe words[escapeEnd] = 0
                var cursor = unsafe QuoteCursor(bytes, count: buffer.count, words: words)
                return body(&cursor)
            }
        }
    }

    /// Whether there were no two quotes where two were asked for, or none that can be told.
    ///
    /// What was found since means nothing.
    var isExhausted: Bool { block >= count }

    /// Whether an escape was seen, in this chunk or before.
    var hasEscapes: Bool { unsafe words[QuoteCursor.escapeEnd] != 0 }

    /// The byte at `offset`, which is inside the message.
    @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        assert(offset >= 0 && offset < count, "the scanner left the message")
        // Inside by the rule above.
        return unsafe bytes[offset]
    }

    /// Eight bytes from `offset`, the first in the lowest bits; nil where the message ends before.
    @inline(__always)
    func word(at offset: Int) -> UInt64? {
        guard UInt(bitPattern: offset) < UInt(bitPattern: count &- 7) else { return nil }
        // Eight bytes are there by the guard; any alignment is allowed.
        let word = unsafe UnsafeRawPointer(bytes).loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        return UInt64(littleEndian: word)
    }

    /// Takes the next two quotes: a string's that begins here.
    ///
    /// - Returns: the offset of the second; that of the last byte but one if the cursor is exhausted. In both cases
    ///   there is a byte after it.
    @inline(__always)
    mutating func endOfString() -> Int {
        let rest = quotes & (quotes &- 1)
        guard rest != 0 else {
            let (quotes, block, offset) = unsafe QuoteCursor.endInLaterBlock(bytes, count, words, quotes, block)
            (self.quotes, self.block) = (quotes, block)
            return offset
        }
        quotes = rest & (rest &- 1)
        return block &+ rest.trailingZeroBitCount
    }

    /// The same where the block has less than two quotes left. Static, so that a cursor stays in registers.
    @inline(never)
    private static func endInLaterBlock(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ words: UnsafeMutablePointer<UInt64>, _ left: UInt64, _ at: Int
    ) -> (quotes: UInt64, block: Int, offset: Int) {
        var hasFirst = left != 0
        var block = at
        while true {
            block &+= 64
            let index = (block & (chunkByteCount &- 1)) / 64
            guard block < count, unsafe index != 0 || findQuotes(bytes, count, words, from: block) else {
                return (0, count, count &- 2)
            }
            // One of the masks: there is a block with this index.
            let quotes = unsafe words[index]
            // Computed, not branched for: whether the first is still missing cannot be predicted.
            let second = hasFirst ? quotes : quotes & (quotes &- 1)
            if _fastPath(second != 0) {
                return (second & (second &- 1), block, block &+ second.trailingZeroBitCount)
            }
            hasFirst = hasFirst || quotes != 0
        }
    }

    /// Fills the masks of the chunk at `start`; false where the cursor has to give up.
    @inline(__always)
    private static func findQuotes(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ words: UnsafeMutablePointer<UInt64>, from start: Int
    ) -> Bool {
        let wholeBlockCount = min(chunkBlockCount, (count &- start) / 64)
        var others = unsafe cvector_quotes(bytes + start, wholeBlockCount, words)
        var blockCount = wholeBlockCount
        let rest = count &- start &- wholeBlockCount &* 64
        if wholeBlockCount < chunkBlockCount, rest > 0 {
            // The last bytes are read as the end of 64, which the message has.
            let last = unsafe words + wholeBlockCount
            others |= unsafe cvector_quotes(bytes + (count &- 64), 1, last)
            unsafe last.pointee &>>= UInt64(64 &- rest)
            blockCount &+= 1
        }
        let isCut = unsafe words[escapeEnd] > UInt64(start)
        guard _slowPath(others != 0 || isCut) else { return true }
        guard others & Int32(CVECTOR_CONTROL_CHARACTER) == 0 else { return false }
        return unsafe passOverEscapes(bytes, count, words, from: start, blockCount)
    }

    /// Takes the quotes that are part of an escape out of the masks of a chunk; false where an escape is none.
    @inline(never)
    private static func passOverEscapes(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ words: UnsafeMutablePointer<UInt64>, from start: Int,
        _ blockCount: Int
    ) -> Bool {
        // For this call.
        let message = unsafe Span(_unsafeStart: bytes, count: count)
        var escapeEnd = unsafe Int(words[QuoteCursor.escapeEnd])
        for index in 0..<blockCount {
            let block = start &+ index &* 64
            // The last block is again the end of 64 bytes.
            let excess = max(0, block &+ 64 &- count)
            var slashes = unsafe cvector_equal64(bytes + (block &- excess), UInt8(ascii: "\\")) &>> UInt64(excess)
            if escapeEnd > block {
                slashes &= UInt64.max << UInt64(escapeEnd &- block)
                unsafe words[index] &= UInt64.max << UInt64(escapeEnd &- block)
            }
            while slashes != 0 {
                let bit = slashes.trailingZeroBitCount
                guard let end = try? JSONString.endOfEscape(at: block &+ bit, in: message) else { return false }
                escapeEnd = end
                // A shift by 64 or more leaves nothing.
                let after = UInt64.max << UInt64(end &- block)
                unsafe words[index] &= after | (1 &<< UInt64(bit)) &- 1
                slashes &= after
            }
        }
        unsafe words[QuoteCursor.escapeEnd] = UInt64(escapeEnd)
        return true
    }
}
