/// Scans the usual messages of services: objects without line breaks, at most 63 levels deep.
///
/// Faster than the byte-wise `EnvelopeScanner` (`Scripts/bench codec`), because `QuoteCursor` finds where strings end.
/// It answers only "valid" or "unknown": `EnvelopeScanner` scans an unknown message again and reports its error.
/// Functions that return an offset answer "unknown" with the size of the message, which is not the offset of a byte.
///
///     value ──string, number, word──▶ after value ──"," (+ name ":" in an object)──▶ value
///       │ ▲                            │  ▲   │
///       │ └─── "{" name ":" or "[" ────┘  └───┘ "}" "]"
///       └─── "{}" "[]" ───▶ after value
///
/// `scan` is the only way to `QuoteCursor`, which reads without checks. No byte outside the message is read, because:
/// - `scan` enters with offset 1 of a message that begins with `{`, ends with `}`, and has at least 64 bytes.
/// - An offset is advanced by one only from a byte that is not the message's last, because that byte is not a `}` (but
///   a space, `,`, `:`, `{`, `[`, `]`), or because the new offset is compared with `count` before it is read.
/// - `endOfString()` returns the offset of a quote, or of the last byte but one: in both cases a byte follows, since
///   the last byte of the message is `}`.
/// - A function whose answer is "unknown" returns `count`, and every caller compares before it reads.
/// - Sixteen bytes are read at once only if sixteen are left (`othersThanDigits`), and at most fifteen of them form a
///   number, so a byte follows it.
///
/// Each `unsafe` in this file relies on one of these five rules. The fuzzer's oracle runs `scan` on memory that ends
/// with the message, under the address sanitizer, and compares with the thorough scanner.
package enum PlainScanner {
    /// Records the known members of the message.
    ///
    /// - Returns: false if `EnvelopeScanner` must scan the message; `members` is then meaningless.
    @inline(never)
    @safe package static func scan(_ message: Span<UInt8>, into members: inout Envelope) -> Bool {
        guard message.byteOrZero(at: 0) == UInt8(ascii: "{") else { return false }
        return unsafe QuoteCursor.with(message) { cursor in unsafe scanObject(in: message, cursor, &members) } ?? false
    }

    /// Scans the outermost object and records its members.
    @inline(__always)
    private static func scanObject(
        in message: Span<UInt8>, _ lent: QuoteCursor, _ members: inout Envelope
    ) -> Bool {
        var cursor = unsafe lent
        var position = 1
        while true {
            let name = unsafe endOfSpaces(from: position, in: cursor)
            let colon = unsafe endOfName(from: name, in: &cursor)
            guard unsafe colon < cursor.count else { return false }
            // `EnvelopeScanner` handles such names.
            if unsafe _slowPath(cursor.hasEscapes), JSONString.hasEscapes(name..<colon, in: message) { return false }
            let field = Envelope.Field(PackedName(from: name, to: colon, in: message))
            let start = unsafe endOfSpaces(from: colon &+ 1, in: cursor)
            let first = unsafe cursor.byte(at: start)
            if first == UInt8(ascii: "\"") {
                position = unsafe cursor.endOfString() &+ 1
            } else if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                unsafe (position, cursor.head) = endOfContainer(from: start, in: cursor)
            } else {
                position = unsafe endOfScalar(from: start, in: cursor)
            }
            guard unsafe position < cursor.count else { return false }
            if let field {
                let slice = JSONSlice(from: start, to: position, firstByte: first, hasEscapes: false)
                members.record(slice, as: field)
            }
            position = unsafe endOfSpaces(from: position, in: cursor)
            let next = unsafe cursor.byte(at: position)
            position &+= 1
            guard next != UInt8(ascii: ",") else { continue }
            guard next == UInt8(ascii: "}"), unsafe position == cursor.count, unsafe !cursor.isExhausted else {
                return false
            }
            if unsafe _slowPath(cursor.hasEscapes) { members.findEscapes(in: message) }
            return true
        }
    }

    /// The offset after the container that starts at `start`, and where the cursor is then.
    ///
    /// A separate function, which keeps what the loop needs in registers.
    @inline(never)
    private static func endOfContainer(from start: Int, in lent: QuoteCursor) -> (end: Int, head: Int) {
        var cursor = unsafe lent
        var position = start
        // One bit per open container, set for objects, below a leading one.
        var open: UInt64 = 1
        while true {
            let first = unsafe cursor.byte(at: position)
            if first == UInt8(ascii: "\"") {
                position = unsafe cursor.endOfString() &+ 1
            } else if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                guard open &>> 62 == 0 else { return unsafe (cursor.count, cursor.head) }
                open = open &<< 1 | (first == UInt8(ascii: "{") ? 1 : 0)
                position = unsafe endOfSpaces(from: position &+ 1, in: cursor)
                if unsafe cursor.byte(at: position) != first &+ 2 {
                    guard open & 1 != 0 else { continue }
                    position = unsafe endOfName(from: position, in: &cursor) &+ 1
                    guard unsafe position < cursor.count else { return unsafe (cursor.count, cursor.head) }
                    continue
                }
            } else if first == UInt8(ascii: " ") {
                position &+= 1
                continue
            } else {
                position = unsafe endOfScalar(from: position, in: cursor)
                guard unsafe position < cursor.count else { return unsafe (cursor.count, cursor.head) }
            }
            var next = unsafe cursor.byte(at: position)
            while next != UInt8(ascii: ",") {
                position &+= 1
                if next == UInt8(ascii: "]") | UInt8(truncatingIfNeeded: open & 1) &<< 5 {
                    open &>>= 1
                    guard open > 1 else { return unsafe (position, cursor.head) }
                    // Only the end of the outermost object may be the last byte.
                    guard unsafe position < cursor.count else { return unsafe (cursor.count, cursor.head) }
                } else if next != UInt8(ascii: " ") {
                    return unsafe (cursor.count, cursor.head)
                }
                next = unsafe cursor.byte(at: position)
            }
            position &+= 1
            guard open & 1 != 0 else { continue }
            position = unsafe endOfSpaces(from: position, in: cursor)
            position = unsafe endOfName(from: position, in: &cursor) &+ 1
            guard unsafe position < cursor.count else { return unsafe (cursor.count, cursor.head) }
        }
    }

    /// The offset of the colon after the name that starts at `start`.
    @inline(__always)
    private static func endOfName(from start: Int, in cursor: inout QuoteCursor) -> Int {
        guard unsafe cursor.byte(at: start) == UInt8(ascii: "\"") else { return unsafe cursor.count }
        let colon = unsafe cursor.endOfString() &+ 1
        return unsafe cursor.byte(at: colon) == UInt8(ascii: ":") ? colon : cursor.count
    }

    /// The offset after the number or word that starts at `start`.
    @inline(__always)
    private static func endOfScalar(from start: Int, in cursor: QuoteCursor) -> Int {
        let end = unsafe PlainNumber.end(from: start, in: cursor)
        return unsafe _fastPath(end < cursor.count) ? end : endOfOtherScalar(from: start, in: cursor)
    }

    @inline(never)
    private static func endOfOtherScalar(from start: Int, in cursor: QuoteCursor) -> Int {
        let message = unsafe cursor.message
        return switch message.byteOrZero(at: start) {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            (try? JSONNumber.end(from: start, in: message)) ?? message.count
        default:
            (try? EnvelopeScanner.endOfLiteral(from: start, in: message)) ?? message.count
        }
    }

    @inline(__always)
    private static func endOfSpaces(from start: Int, in cursor: QuoteCursor) -> Int {
        var position = start
        while unsafe _slowPath(cursor.byte(at: position) == UInt8(ascii: " ")) { position &+= 1 }
        return position
    }
}

/// The common numbers: up to fifteen digits, or fourteen and a point (RFC 8259 §6).
enum PlainNumber {
    /// The offset after the number that starts at `start`; the size of the message if it has another form.
    ///
    /// No branch per digit: the count is hard to predict, and the scanner does not wait for it.
    @inline(__always)
    static func end(from start: Int, in cursor: QuoteCursor) -> Int {
        guard let others = unsafe cursor.othersThanDigits(at: start) else { return unsafe cursor.count }
        let whole = others.trailingZeroBitCount
        // No digit, sixteen or more digits, or a leading zero.
        guard whole > 0, whole < 16, unsafe whole == 1 || cursor.byte(at: start) != UInt8(ascii: "0") else {
            return unsafe cursor.count
        }
        var end = whole
        var next = unsafe cursor.byte(at: start &+ end)
        if next == UInt8(ascii: ".") {
            end = (others & (others &- 1)).trailingZeroBitCount
            guard end &- whole > 1, end < 16 else { return unsafe cursor.count }
            next = unsafe cursor.byte(at: start &+ end)
        }
        return unsafe next | 0x20 == UInt8(ascii: "e") ? cursor.count : start &+ end
    }
}
