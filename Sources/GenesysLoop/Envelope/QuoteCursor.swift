internal import CVector

// The only import of this folder, for speed (`Scripts/bench instructions` counts what a notification takes). Swift's
// vectors cannot give a bit mask of equal bytes; the C intrinsics can.

/// Walks over the strings of a message; finds and lists their ends one chunk at a time.
///
/// The end of a string is then known without reading its bytes again and without waiting for its start. Escaped quotes
/// are skipped (RFC 8259 §7). At a control character or an invalid escape the cursor gives up: `isExhausted`.
///
/// Unsafe: `byte(at:)` reads without a check of its own. `PlainScanner` is the only user, and says why it never asks
/// for a byte outside of the message. The callers of `with` own the memory, and the cursor does not outlive them: it is
/// not copied out of there. A copy that was advanced shares the list with the original: a caller that continues with
/// the original gives it the copy's `head`.
@unsafe struct QuoteCursor {
    /// The least size of a message.
    static let minMessageByteCount = 64

    private let bytes: UnsafePointer<UInt8>
    /// The size of the message.
    let count: Int
    /// The list, on the stack.
    private let chunk: UnsafeMutablePointer<cvector_chunk>
    /// How many strings of the list were consumed.
    var head = 0

    private init(_ bytes: UnsafePointer<UInt8>, count: Int, chunk: UnsafeMutablePointer<cvector_chunk>) {
        unsafe self.bytes = bytes
        unsafe self.count = count
        unsafe self.chunk = chunk
    }

    /// Lends a cursor at the start of `message` to `body`; nil if the message is too short, or does not end with `}`.
    @inline(__always)
    static func with<Result>(_ message: Span<UInt8>, _ body: (QuoteCursor) -> Result) -> Result? {
        guard unsafe message.count >= minMessageByteCount,
            message.byteOrZero(at: message.count &- 1) == UInt8(ascii: "}")
        else { return nil }
        // Both pointers live for their closures, and the cursor for the inner one.
        return unsafe message.withUnsafeBufferPointer { buffer in
            unsafe withUnsafeTemporaryAllocation(of: cvector_chunk.self, capacity: 1) { chunks in
                guard let bytes = buffer.baseAddress, let chunk = chunks.baseAddress else { return nil }
                // An empty list: the first string loads the first chunk. Fields not set here are read only after that.
                unsafe chunk.pointee.in_string = 0
                unsafe chunk.pointee.next = 0
                unsafe chunk.pointee.escape_end = 0
                unsafe chunk.pointee.ends.0 = UInt16(CVECTOR_NO_END)
                return unsafe body(QuoteCursor(bytes, count: buffer.count, chunk: chunk))
            }
        }
    }

    /// Whether the cursor gave up: it found no quote where one was needed, or an invalid byte or escape.
    ///
    /// Results since then are meaningless.
    var isExhausted: Bool {
        @inline(__always) get { unsafe chunk.pointee.next == .max }
    }

    /// Whether an escape was seen, in this chunk or before.
    var hasEscapes: Bool {
        @inline(__always) get { unsafe chunk.pointee.escape_end != 0 }
    }

    /// The message, for code that reads its bytes directly.
    var message: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // Lent for as long as the cursor lives.
            unsafe _overrideLifetime(Span(_unsafeStart: bytes, count: count), borrowing: self)
        }
    }

    /// The byte at `offset`, which is inside the message.
    @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        unsafe assert(offset >= 0 && offset < count, "the scanner left the message")
        // Inside: the caller's promise.
        return unsafe bytes[offset]
    }

    /// A bit for each of the sixteen bytes from `offset` that is not a digit, and one more; nil if fewer bytes are
    /// left.
    @inline(__always)
    func othersThanDigits(at offset: Int) -> UInt32? {
        guard unsafe offset &+ 16 <= count else { return nil }
        // Sixteen bytes are there by the guard.
        return unsafe cvector_others16(bytes + offset) | 1 &<< 16
    }

    /// Consumes the next string, which begins here.
    ///
    /// - Returns: the offset of its closing quote, or of the last byte but one if the cursor is exhausted. A byte
    ///   follows in both cases.
    @inline(__always)
    mutating func endOfString() -> Int {
        // The entry at `head` is the end of a string, or of the list.
        let end = unsafe cvector_end(chunk, head)
        guard _fastPath(end != UInt16(CVECTOR_NO_END)) else {
            unsafe head = 1
            return unsafe QuoteCursor.endInLaterChunk(bytes, count, chunk)
        }
        unsafe head &+= 1
        return unsafe Int(truncatingIfNeeded: chunk.pointee.start) &+ Int(end)
    }

    /// `endOfString` for a string that does not end in this chunk. Static, which keeps the cursor in registers.
    @inline(never)
    private static func endInLaterChunk(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ chunk: UnsafeMutablePointer<cvector_chunk>
    ) -> Int {
        while true {
            let start = unsafe chunk.pointee.next
            guard start < UInt64(count), unsafe findEnds(bytes, count, chunk, from: Int(start)) else {
                // The next call comes here again: the list is empty at `head`, which is 1.
                unsafe chunk.pointee.next = .max
                unsafe chunk.pointee.ends.1 = UInt16(CVECTOR_NO_END)
                return count &- 2
            }
            let end = unsafe cvector_end(chunk, 0)
            if end != UInt16(CVECTOR_NO_END) { return Int(start) &+ Int(end) }
        }
    }

    /// Lists the ends of strings in the chunk at `start`; false if the cursor must give up.
    @inline(__always)
    private static func findEnds(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ chunk: UnsafeMutablePointer<cvector_chunk>, from start: Int
    ) -> Bool {
        let rest = count &- start
        let blockCount = min(Int(CVECTOR_BLOCKS), (rest &+ 63) &>> 6)
        // A partial last block is read as the last 64 bytes of the message, which has at least that many.
        let excess = max(0, blockCount &<< 6 &- rest)
        let last = (blockCount &- 1) &<< 6 &- excess
        let inString = unsafe chunk.pointee.in_string
        let others = unsafe cvector_find(bytes + start, blockCount, bytes + start + last, UInt32(excess), chunk)
        unsafe chunk.pointee.start = UInt64(start)
        unsafe chunk.pointee.next = UInt64(start &+ blockCount &<< 6)
        let isCut = unsafe chunk.pointee.escape_end > UInt64(start)
        guard _slowPath(others != 0 || isCut) else { return true }
        guard others & Int32(CVECTOR_CONTROL_CHARACTER) == 0 else { return false }
        unsafe chunk.pointee.in_string = inString
        return unsafe passOverEscapes(bytes, count, chunk, blockCount)
    }

    /// Removes escaped quotes from the list; false for an invalid escape.
    @inline(never)
    private static func passOverEscapes(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ chunk: UnsafeMutablePointer<cvector_chunk>, _ blockCount: Int
    ) -> Bool {
        // Lent for this call; the quotes are inside of the chunk, which outlives it.
        let message = unsafe Span(_unsafeStart: bytes, count: count)
        let quotes = unsafe UnsafeMutableRawPointer(chunk).assumingMemoryBound(to: UInt64.self)
        let start = unsafe Int(chunk.pointee.start)
        var escapeEnd = unsafe Int(chunk.pointee.escape_end)
        for index in 0..<blockCount {
            let block = start &+ index &* 64
            // A partial last block was read as the last 64 bytes.
            let excess = max(0, block &+ 64 &- count)
            var slashes = unsafe cvector_equal64(bytes + (block &- excess), UInt8(ascii: "\\")) &>> UInt64(excess)
            if escapeEnd > block {
                slashes &= UInt64.max << UInt64(escapeEnd &- block)
                unsafe quotes[index] &= UInt64.max << UInt64(escapeEnd &- block)
            }
            while slashes != 0 {
                let bit = slashes.trailingZeroBitCount
                guard let end = try? JSONString.endOfEscape(at: block &+ bit, in: message) else { return false }
                escapeEnd = end
                // A shift by 64 or more leaves nothing.
                let after = UInt64.max << UInt64(end &- block)
                unsafe quotes[index] &= after | (1 &<< UInt64(bit)) &- 1
                slashes &= after
            }
        }
        unsafe chunk.pointee.escape_end = UInt64(escapeEnd)
        unsafe cvector_list_ends(chunk, blockCount)
        return true
    }
}
