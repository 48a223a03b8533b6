package import GenesysLoop

/// An HTTP answer to a call, as the driver received it.
package struct RESTAnswer: Hashable, Sendable {
    /// How much of the rate of a token is used, from the `inin-ratelimit-*` fields of an answer (platform sheet §3).
    package struct Rate: Hashable, Sendable {
        /// The requests of the period so far, and how many are allowed.
        package var count: Int
        package var allowed: Int
        /// When the next period begins.
        package var reset: Duration

        package init(count: Int, allowed: Int, reset: Duration) {
            self.count = count
            self.allowed = allowed
            self.reset = reset
        }
    }

    package var status: Int
    package var body: SecretBytes
    /// `Retry-After`.
    package var retryAfter: Duration?
    /// `Date`: times in the body count from it.
    package var date: WallTime?
    /// The host in `Location`.
    package var location: String?
    /// `ININ-Correlation-Id` or `Genesys-Correlation-Id`.
    package var correlationID: String?
    package var rate: Rate?

    package init(status: Int, body: SecretBytes) {
        self.status = status
        self.body = body
    }
}

extension WallTime {
    /// Reads ISO 8601 in UTC, `2026-02-03T17:59:07.650Z`; the fraction may be absent.
    init?(iso8601 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return nil }
        let separators: [(Int, Character)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
        guard separators.allSatisfy({ bytes[$0.0] == $0.1.asciiValue }),
            let year = WallTime.number(bytes[0..<4]), let month = WallTime.number(bytes[5..<7]),
            let day = WallTime.number(bytes[8..<10]), let hour = WallTime.number(bytes[11..<13]),
            let minute = WallTime.number(bytes[14..<16]), let second = WallTime.number(bytes[17..<19]),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var nanoseconds: Int32 = 0
        let fraction = bytes[19..<bytes.count - 1]
        if !fraction.isEmpty {
            guard fraction.first == UInt8(ascii: "."), (2...10).contains(fraction.count),
                let digits = WallTime.number(fraction.dropFirst())
            else { return nil }
            nanoseconds = (fraction.count..<10).reduce(Int32(digits)) { value, _ in value * 10 }
        }
        // Days from 1 March of the year 0, so that a leap day is the last of its year.
        let shifted = month > 2 ? year : year - 1
        let days =
            365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + (153 * ((month + 9) % 12) + 2) / 5 + day
        self.init(
            seconds: Int64(days - 719_469) * 86_400 + Int64(hour * 3_600 + minute * 60 + second),
            nanoseconds: nanoseconds)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy(ASCII.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 & 0x0F) }
    }
}
