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
enum PlainScanner {
    /// Records the known members of the message.
    ///
    /// - Returns: false if `EnvelopeScanner` must scan the message; `members` is then meaningless.
    @inline(never)
    static func scan(_ message: Span<UInt8>, into members: inout Envelope) -> Bool {
        guard message.byteOrZero(at: 0) == UInt8(ascii: "{") else { return false }
        return QuoteCursor.with(message) { cursor in scanObject(in: message, cursor, &members) } ?? false
    }

    /// Scans the outermost object and records its members.
    @inline(__always)
    private static func scanObject(
        in message: Span<UInt8>, _ lent: QuoteCursor, _ members: inout Envelope
    ) -> Bool {
        var cursor = lent
        var position = 1
        while true {
            let name = endOfSpaces(from: position, in: cursor)
            let colon = endOfName(from: name, in: &cursor)
            guard colon < cursor.count else { return false }
            // `EnvelopeScanner` handles such names.
            if _slowPath(cursor.hasEscapes), JSONString.hasEscapes(name..<colon, in: message) { return false }
            let field = Envelope.Field(PackedName(from: name, to: colon, in: message))
            let start = endOfSpaces(from: colon &+ 1, in: cursor)
            let first = cursor.byte(at: start)
            if first == UInt8(ascii: "\"") {
                position = cursor.endOfString() &+ 1
            } else if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                (position, cursor.head) = endOfContainer(from: start, in: cursor)
            } else {
                position = endOfScalar(from: start, in: cursor)
            }
            guard position < cursor.count else { return false }
            if let field {
                let slice = JSONSlice(from: start, to: position, firstByte: first, hasEscapes: false)
                members.record(slice, as: field)
            }
            position = endOfSpaces(from: position, in: cursor)
            let next = cursor.byte(at: position)
            position &+= 1
            guard next != UInt8(ascii: ",") else { continue }
            guard next == UInt8(ascii: "}"), position == cursor.count, !cursor.isExhausted else { return false }
            if _slowPath(cursor.hasEscapes) { members.findEscapes(in: message) }
            return true
        }
    }

    /// The offset after the container that starts at `start`, and where the cursor is then.
    ///
    /// A function of its own, which keeps what the loop needs in registers.
    @inline(never)
    private static func endOfContainer(from start: Int, in lent: QuoteCursor) -> (end: Int, head: Int) {
        var cursor = lent
        var position = start
        // One bit per open container, set for objects, below a leading one.
        var open: UInt64 = 1
        while true {
            let first = cursor.byte(at: position)
            if first == UInt8(ascii: "\"") {
                position = cursor.endOfString() &+ 1
            } else if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                guard open &>> 62 == 0 else { return (cursor.count, cursor.head) }
                open = open &<< 1 | (first == UInt8(ascii: "{") ? 1 : 0)
                position = endOfSpaces(from: position &+ 1, in: cursor)
                if cursor.byte(at: position) != first &+ 2 {
                    guard open & 1 != 0 else { continue }
                    position = endOfName(from: position, in: &cursor) &+ 1
                    guard position < cursor.count else { return (cursor.count, cursor.head) }
                    continue
                }
            } else if first == UInt8(ascii: " ") {
                position &+= 1
                continue
            } else {
                position = endOfScalar(from: position, in: cursor)
                guard position < cursor.count else { return (cursor.count, cursor.head) }
            }
            var next = cursor.byte(at: position)
            while next != UInt8(ascii: ",") {
                position &+= 1
                if next == UInt8(ascii: "]") | UInt8(truncatingIfNeeded: open & 1) &<< 5 {
                    open &>>= 1
                    guard open > 1 else { return (position, cursor.head) }
                    // Only the end of the outermost object may be the last byte.
                    guard position < cursor.count else { return (cursor.count, cursor.head) }
                } else if next != UInt8(ascii: " ") {
                    return (cursor.count, cursor.head)
                }
                next = cursor.byte(at: position)
            }
            position &+= 1
            guard open & 1 != 0 else { continue }
            position = endOfSpaces(from: position, in: cursor)
            position = endOfName(from: position, in: &cursor) &+ 1
            guard position < cursor.count else { return (cursor.count, cursor.head) }
        }
    }

    /// The offset of the colon after the name that starts at `start`.
    @inline(__always)
    private static func endOfName(from start: Int, in cursor: inout QuoteCursor) -> Int {
        guard cursor.byte(at: start) == UInt8(ascii: "\"") else { return cursor.count }
        let colon = cursor.endOfString() &+ 1
        return cursor.byte(at: colon) == UInt8(ascii: ":") ? colon : cursor.count
    }

    /// The offset after the number or word that starts at `start`.
    @inline(__always)
    private static func endOfScalar(from start: Int, in cursor: QuoteCursor) -> Int {
        let end = PlainNumber.end(from: start, in: cursor)
        return _fastPath(end < cursor.count) ? end : endOfOtherScalar(from: start, in: cursor)
    }

    @inline(never)
    private static func endOfOtherScalar(from start: Int, in cursor: QuoteCursor) -> Int {
        let message = cursor.message
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
        while _slowPath(cursor.byte(at: position) == UInt8(ascii: " ")) { position &+= 1 }
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
        guard let others = cursor.othersThanDigits(at: start) else { return cursor.count }
        let whole = others.trailingZeroBitCount
        // No digit, sixteen or more digits, or a leading zero.
        guard whole > 0, whole < 16, whole == 1 || cursor.byte(at: start) != UInt8(ascii: "0") else {
            return cursor.count
        }
        var end = whole
        var next = cursor.byte(at: start &+ end)
        if next == UInt8(ascii: ".") {
            end = (others & (others &- 1)).trailingZeroBitCount
            guard end &- whole > 1, end < 16 else { return cursor.count }
            next = cursor.byte(at: start &+ end)
        }
        return next | 0x20 == UInt8(ascii: "e") ? cursor.count : start &+ end
    }
}
