/// An HTTP response that opens nothing, neither a WebSocket nor a tunnel, with all that it says about why.
///
/// `location` and `body` are as the peer sent them and may repeat secrets; the rest is bounded and printable.
package struct HTTPRefusal: Hashable, Sendable {
    /// When the peer wants to be asked again (RFC 9110 §10.2.3).
    enum RetryAfter: Hashable, Sendable {
        case seconds(Int64)
        case date(HTTPDate)
    }

    /// The status.
    package let status: Int
    /// The reason phrase of the status line; empty where there is none.
    package let reason: String
    /// The `Location`.
    package let location: String?
    /// The `ININ-Correlation-Id`, by which the vendor finds a request.
    package let correlationID: String?
    /// By which schemes the peer wants to be shown who asks (RFC 9110 §11.6.1), in its order.
    package let schemes: [String]
    /// The `Content-Type` without its parameters, in small letters.
    package let contentType: String
    /// The beginning of the body, without its transfer coding; empty where there was none in time.
    package let body: [UInt8]
    private let retryAfter: [RetryAfter]
    /// The `Date` of the response.
    private let date: HTTPDate?

    /// The longest wait that is believed where the response does not say what time it is at the peer.
    static let maxDelayWithoutDate: Int64 = 3_600

    init(_ line: StatusLine, _ fields: HeaderFields, body: [UInt8] = []) {
        status = line.status
        reason = line.reason
        location = fields.values(of: "location").first { !$0.isEmpty }
        correlationID = HTTPRefusal.identifier(fields.values(of: "inin-correlation-id").first)
        let challenges = line.status == 401 ? "www-authenticate" : "proxy-authenticate"
        schemes = HTTPRefusal.schemes(fields.elements(of: challenges))
        let type = fields.values(of: "content-type").first?.split(separator: ";").first ?? ""
        contentType = ASCII.lowercased(String(decoding: ASCII.trimmed(Array(type.utf8)[...]), as: UTF8.self))
        self.body = body
        retryAfter = fields.values(of: "retry-after").compactMap(HTTPRefusal.retryAfter)
        date = fields.values(of: "date").lazy.compactMap { HTTPDate($0) }.first
    }

    /// Whether it names another place.
    package var isRedirect: Bool { location != nil && (300...399).contains(status) }

    /// How long the peer asks to wait; nil where it does not, or not in a legal form.
    ///
    /// A date counts from the `Date` of the response, so that the clocks need not agree. Without one it counts from
    /// `now`, up to an hour: a clock that is wrong must not hold a client up for longer.
    ///
    /// - Parameter now: when the response came.
    package func delay(now: WallTime) -> Duration? {
        let delays = retryAfter.map { wish -> Int64 in
            switch wish {
            case .seconds(let seconds):
                return seconds
            case .date(let wanted):
                let wanted = wanted.seconds(now: now)
                guard let date else { return max(0, min(wanted &- now.seconds, HTTPRefusal.maxDelayWithoutDate)) }
                return max(0, wanted - date.seconds(now: now))
            }
        }
        return delays.max().map { .seconds($0) }
    }

    private static func retryAfter(_ value: String) -> RetryAfter? {
        guard !value.isEmpty, value.utf8.allSatisfy(ASCII.isDigit) else { return HTTPDate(value).map { .date($0) } }
        return .seconds(value.utf8.reduce(0) { min($0 * 10 + Int64($1 & 0x0F), 1_000_000_000_000) })
    }

    /// Printable ASCII without spaces, at most 128 bytes of it.
    private static func identifier(_ value: String?) -> String? {
        guard let value, !value.isEmpty, value.utf8.count <= 128,
            value.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        return value
    }

    /// The first word of each challenge; elements that begin with a name and its value are parameters of the one before.
    private static func schemes(_ elements: [String]) -> [String] {
        var schemes: [String] = []
        for element in elements {
            let bytes = Array(element.utf8)[...]
            let word = bytes.prefix(while: ASCII.isTokenCharacter)
            let rest = ASCII.trimmed(bytes[word.endIndex...])
            guard (1...32).contains(word.count), rest.first != UInt8(ascii: "=") else { continue }
            let scheme = String(decoding: word, as: UTF8.self)
            guard !schemes.contains(where: { ASCII.lowercased($0) == ASCII.lowercased(scheme) }) else { continue }
            schemes.append(scheme)
        }
        return Array(schemes.prefix(8))
    }
}
