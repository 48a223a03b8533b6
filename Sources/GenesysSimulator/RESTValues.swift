internal import FoundationEssentials
internal import GenesysLoop

/// What Foundation reads and writes for the REST side.
enum RESTValues {
    private struct Element: Decodable {
        let id: String
    }

    /// The topics in the body of a request, `[{"id":"v2.…"},…]`; nil where the body is something else.
    static func topics(_ body: [UInt8]) -> [Topic]? {
        guard let elements = try? JSONDecoder().decode([Element].self, from: Data(body)) else { return nil }
        return elements.map { Topic($0.id) }
    }

    /// For example `2026-07-31T09:05:03.007Z`.
    static func iso8601(_ time: WallTime) -> String {
        // Half a millisecond more, because a fraction of a second is seldom a Double and the format cuts it off.
        let seconds = Double(time.seconds) + (Double(time.nanoseconds / 1_000_000) + 0.5) / 1_000
        return Date(timeIntervalSince1970: seconds).formatted(
            Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
