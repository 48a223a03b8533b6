package import GenesysLoop

/// The times of records: ISO 8601 in UTC with microseconds, `2026-11-30T05:41:28.749312Z`.
extension WallTime {
    /// The bytes of a time as text.
    static var microsecondTextCount: Int { 27 }

    /// The time as text. Parts of a microsecond are cut off.
    package var microsecondText: String {
        var bytes = Array("0000-00-00T00:00:00.000000Z".utf8)
        writeSecond(into: &bytes)
        writeMicroseconds(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes date and clock over the start of `bytes`, which has the form of a time.
    func writeSecond(into bytes: inout [UInt8]) {
        let (days, second) = WallTime.floorDivide(seconds, 86_400)
        let (year, month, day) = WallTime.civil(days)
        Digits.write(UInt64(clamping: year), into: &bytes, 0..<4)
        Digits.write(UInt64(month), into: &bytes, 5..<7)
        Digits.write(UInt64(day), into: &bytes, 8..<10)
        Digits.write(UInt64(second / 3_600), into: &bytes, 11..<13)
        Digits.write(UInt64(second / 60 % 60), into: &bytes, 14..<16)
        Digits.write(UInt64(second % 60), into: &bytes, 17..<19)
    }

    /// Writes the digits behind the point.
    func writeMicroseconds(into bytes: inout [UInt8]) {
        Digits.write(UInt64(nanoseconds / 1_000), into: &bytes, 20..<26)
    }

    /// Reads a time as `microsecondText` writes it.
    package init?(microsecondText text: some StringProtocol) {
        let bytes = Array(text.utf8)
        let form = Array("0000-00-00T00:00:00.000000Z".utf8)
        guard bytes.count == form.count else { return nil }
        for (byte, sample) in zip(bytes, form) {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            guard sample == UInt8(ascii: "0") ? isDigit : byte == sample else { return nil }
        }
        func number(_ range: Range<Int>) -> Int64 {
            bytes[range].reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        }
        let (month, day) = (number(5..<7), number(8..<10))
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        let clock = number(11..<13) * 3_600 + number(14..<16) * 60 + number(17..<19)
        let days = WallTime.days(year: number(0..<4), month: month, day: day)
        self.init(seconds: days * 86_400 + clock, nanoseconds: Int32(number(20..<26)) * 1_000)
    }

    /// The days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years are counted from 1 March.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month > 2 ? year : year - 1
        let shiftedMonth = month > 2 ? month - 3 : month + 9
        let leapDays = shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400
        return shiftedYear * 365 + leapDays + (153 * shiftedMonth + 2) / 5 + day - 1 - 719_468
    }
}

/// Arithmetic for each record, where a `Duration` of 128 bits would cost more than the rest.
extension WallTime {
    /// The nanoseconds since `earlier`; meaningless over more than 292 years.
    func nanoseconds(since earlier: WallTime) -> Int64 {
        (seconds &- earlier.seconds) &* 1_000_000_000 &+ Int64(nanoseconds &- earlier.nanoseconds)
    }

    func later(bySeconds count: Int64) -> WallTime {
        var time = self
        time.seconds &+= count
        return time
    }
}

/// Numbers as text.
enum Digits {
    /// Writes a number over a smaller one, or over zeros.
    static func raise(to number: UInt64, in bytes: inout [UInt8], before end: Int) {
        var rest = number
        var index = end
        while rest > 0, index > 0 {
            index -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
    }

    /// Writes a number with leading zeros; of one with more digits the last ones.
    static func write(_ number: UInt64, into bytes: inout [UInt8], _ range: Range<Int>) {
        var rest = number
        var span = bytes.mutableSpan
        var index = range.upperBound
        while index > range.lowerBound {
            index -= 1
            span[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
