/// Numbers as nearly all are: up to seven digits, or with a fraction of up to seven (RFC 8259 §6).
enum PlainNumber {
    /// The offset after the number that starts at `start`; the size of the message if it is none of these.
    ///
    /// Without a branch for each digit: how many there are is hard to predict, and the scanner does not wait for it.
    @inline(__always)
    static func end(from start: Int, in cursor: QuoteCursor) -> Int {
        guard let word = cursor.word(at: start) else { return cursor.count }
        let marks = marks(of: word)
        // The bit of the first byte that is no digit: 7, 15, …, 63, and 64 if there is none.
        let whole = marks.trailingZeroBitCount
        // No digit, or eight and more; or a zero leads.
        guard whole > 7, whole < 64, word & 0xFF != 0x30 || whole == 15 else { return cursor.count }
        var next = word &>> UInt64(whole &- 7) & 0xFF
        var end = start &+ whole &>> 3
        if next == 0x2E {
            let rest = marks & (marks &- 1)
            if rest != 0 {
                let fraction = rest.trailingZeroBitCount
                guard fraction &- whole > 8 else { return cursor.count }
                next = word &>> UInt64(fraction &- 7) & 0xFF
                end = start &+ fraction &>> 3
            } else {
                guard let word = cursor.word(at: end &+ 1) else { return cursor.count }
                let fraction = PlainNumber.marks(of: word).trailingZeroBitCount
                guard fraction > 7, fraction < 64 else { return cursor.count }
                next = word &>> UInt64(fraction &- 7) & 0xFF
                end = end &+ 1 &+ fraction &>> 3
            }
        }
        return next | 0x20 == UInt64(UInt8(ascii: "e")) ? cursor.count : end
    }

    /// The high bit of each byte that is no digit; exact, since no sum leaves its byte.
    @inline(__always)
    private static func marks(of word: UInt64) -> UInt64 {
        let digits = word ^ 0x3030_3030_3030_3030
        return ((digits & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676 | digits) & 0x8080_8080_8080_8080
    }
}
