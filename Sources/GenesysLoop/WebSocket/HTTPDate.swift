/// A date in one of the three forms of HTTP (RFC 9110 §5.6.7):
///
///     Sun, 06 Nov 1994 08:49:37 GMT      IMF-fixdate
///     Sunday, 06-Nov-94 08:49:37 GMT     RFC 850
///     Sun Nov  6 08:49:37 1994           asctime
package struct HTTPDate: Hashable, Sendable {
    private let year: Int
    /// Whether `year` is the last two digits only.
    private let isYearShort: Bool
    private let month: Int
    private let day: Int
    private let secondOfDay: Int

    /// Reads a date; nil for anything else. The day of the week is not checked.
    package init?(_ text: String) {
        let words = text.split(separator: " ").map { Array($0.utf8) }
        switch words.count {
        case 6 where words[0].last == UInt8(ascii: ",") && words[5].elementsEqual("GMT".utf8):
            self.init(words[1], words[2], words[3], words[4], yearDigitCount: 4)
        case 4 where words[0].last == UInt8(ascii: ",") && words[3].elementsEqual("GMT".utf8):
            let parts = words[1].split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map(Array.init)
            guard parts.count == 3 else { return nil }
            self.init(parts[0], parts[1], parts[2], words[2], yearDigitCount: 2)
        case 5:
            self.init(words[2], words[1], words[4], words[3], yearDigitCount: 4)
        default:
            return nil
        }
    }

    private init?(_ day: [UInt8], _ month: [UInt8], _ year: [UInt8], _ time: [UInt8], yearDigitCount: Int) {
        let parts = time.split(separator: .colon, omittingEmptySubsequences: false)
        guard let index = HTTPDate.months.firstIndex(where: { month.elementsEqual($0.utf8) }),
            year.count == yearDigitCount, let number = HTTPDate.number(year[...], ...9_999),
            let day = HTTPDate.number(day[...], 1...31), parts.count == 3,
            parts.allSatisfy({ $0.count == 2 }), let hour = HTTPDate.number(parts[0], ...23),
            let minute = HTTPDate.number(parts[1], ...59), let second = HTTPDate.number(parts[2], ...60)
        else { return nil }
        self.year = number
        isYearShort = yearDigitCount == 2
        self.month = index + 1
        self.day = day
        secondOfDay = hour * 3_600 + minute * 60 + second
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func number(_ digits: ArraySlice<UInt8>, _ range: some RangeExpression<Int>) -> Int? {
        guard (1...4).contains(digits.count), digits.allSatisfy(ASCII.isDigit) else { return nil }
        let value = digits.reduce(0) { $0 * 10 + Int($1 & 0x0F) }
        return range.contains(value) ? value : nil
    }

    /// Seconds since 1970.
    ///
    /// - Parameter now: resolves a year of two digits: a date that would be more than 50 years ahead is in the past
    ///   (RFC 9110 §5.6.7).
    package func seconds(now: WallTime) -> Int64 {
        guard isYearShort else { return seconds(year: year) }
        let current = HTTPDate.year(of: now)
        let guess = current - current % 100 + year
        return seconds(year: guess > current + 50 ? guess - 100 : guess)
    }

    /// Days are counted from 1 March of the year 0, so that a leap day is the last of its year.
    private func seconds(year: Int) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let leapDays = shifted / 4 - shifted / 100 + shifted / 400
        return Int64(shifted * 365 + leapDays + dayOfYear - 719_468) * 86_400 + Int64(secondOfDay)
    }

    /// The year of a time, which may be off by one around New Year: enough to find the century.
    private static func year(of time: WallTime) -> Int {
        1970 + Int(time.seconds / 31_556_952)
    }
}
