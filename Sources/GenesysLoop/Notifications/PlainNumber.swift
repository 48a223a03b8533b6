/// Numbers as nearly all are: up to fifteen digits, or fourteen and a point (RFC 8259 §6).
enum PlainNumber {
    /// The offset after the number that starts at `start`; the size of the message if it is none of these.
    ///
    /// Without a branch for each digit: how many there are is hard to predict, and the scanner does not wait for it.
    @inline(__always)
    static func end(from start: Int, in cursor: QuoteCursor) -> Int {
        guard let others = cursor.othersThanDigits(at: start) else { return cursor.count }
        let whole = others.trailingZeroBitCount
        // No digit, or sixteen and more; or a zero leads.
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
