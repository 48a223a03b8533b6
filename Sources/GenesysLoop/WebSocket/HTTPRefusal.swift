/// An HTTP response that opens neither a WebSocket nor a tunnel, with what it says about the reason.
///
/// `location` and `body` are as the peer sent them and may repeat secrets; the rest is bounded and printable.
package struct HTTPRefusal: Hashable, Sendable {
    /// When to try again (RFC 9110 §10.2.3).
    enum RetryAfter: Hashable, Sendable {
        case seconds(Int64)
        case date(HTTPDate)
    }

    /// The status.
    package let status: Int
    /// The reason phrase of the status line; empty if there is none.
    package let reason: String
    /// The `Location`.
    package let location: String?
    /// The `ININ-Correlation-Id`, which identifies the request to the vendor.
    package let correlationID: String?
    /// The authentication schemes that the peer accepts (RFC 9110 §11.6.1), in its order.
    package let schemes: [String]
    /// The `Content-Type` without its parameters, in lower case.
    package let contentType: String
    /// The beginning of the body, without its transfer coding; empty if none arrived in time.
    package let body: [UInt8]
    private let retryAfter: [RetryAfter]
    /// The `Date` of the response.
    private let date: HTTPDate?

    /// The longest wait that is accepted from a response without a `Date`.
    static let maxDelayWithoutDate: Int64 = 3_600

    package init(_ line: StatusLine, _ fields: HeaderFields, body: [UInt8] = []) {
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

    /// Whether it redirects to its `Location`.
    package var isRedirect: Bool { location != nil && (300...399).contains(status) }

    /// How long the peer asks to wait; nil if it does not, or not in a valid form.
    ///
    /// A date counts from the `Date` of the response, so that the clocks need not agree. Without one it counts from
    /// `now`, up to an hour: a wrong clock must not delay a client for longer.
    ///
    /// - Parameter now: when the response arrived.
    package func delay(now: WallTime) -> Duration? {
        let delays = retryAfter.map { value -> Int64 in
            switch value {
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

    /// The first word of each challenge; an element that begins with a name and its value is a parameter of the
    /// challenge before.
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

/// Reads the beginning of a response's body, for its text (RFC 9112 §6, §7).
///
/// At most 16 KiB are read, the transfer coding included. A violation ends the body there: the status is known, and
/// nothing else depends on the body. The driver keeps the deadline.
struct RefusalBody: Sendable {
    static let maxByteCount = 16_384
    /// The length limit of a chunk's line.
    private static let maxChunkLineByteCount = 256

    private enum State: Sendable {
        case untilEnd
        case length(Int)
        /// The line with the size of a chunk, so far.
        case chunkLine([UInt8])
        case chunk(Int)
        /// The end of a chunk's line is missing.
        case chunkEnd
        case complete
    }

    private(set) var bytes: [UInt8] = []
    private var state: State
    private var byteCount = 0

    init(status: Int, _ fields: HeaderFields) {
        state = RefusalBody.framing(status, fields)
    }

    /// Whether it needs no more input.
    var isComplete: Bool {
        if case .complete = state { true } else { byteCount >= RefusalBody.maxByteCount }
    }

    /// RFC 9112 §6.3. The body is ignored if it needs decoding, or if the response is a redirect, whose headers say it
    /// all.
    private static func framing(_ status: Int, _ fields: HeaderFields) -> State {
        let isRedirect = (300...399).contains(status) && !fields.values(of: "location").isEmpty
        let codings = fields.elements(of: "content-encoding").map { ASCII.lowercased($0) }
        guard status >= 200, status != 204, status != 304, !isRedirect, codings.allSatisfy({ $0 == "identity" }) else {
            return .complete
        }
        let transferCodings = fields.elements(of: "transfer-encoding").map { ASCII.lowercased($0) }
        guard transferCodings.isEmpty else { return transferCodings == ["chunked"] ? .chunkLine([]) : .complete }
        let lengths = Set(fields.elements(of: "content-length"))
        guard let length = lengths.first else { return .untilEnd }
        guard lengths.count == 1, length.utf8.allSatisfy(ASCII.isDigit) else { return .complete }
        let count = length.utf8.reduce(0) { min($0 * 10 + Int($1 & 0x0F), maxByteCount) }
        return count == 0 ? .complete : .length(count)
    }

    /// Consumes the body's part of the input.
    mutating func receive(_ input: Span<UInt8>, at offset: inout Int) {
        while offset < input.count, !isComplete {
            switch state {
            case .untilEnd:
                _ = take(.max, of: input, at: &offset)
            case .length(let count):
                let rest = count - take(count, of: input, at: &offset)
                state = rest == 0 ? .complete : .length(rest)
            case .chunk(let count):
                let rest = count - take(count, of: input, at: &offset)
                state = rest == 0 ? .chunkEnd : .chunk(rest)
            case .chunkEnd:
                next(
                    in: input, at: &offset,
                    { $0 == .lineFeed ? .chunkLine([]) : $0 == .carriageReturn ? nil : .complete })
            case .chunkLine(let line):
                next(in: input, at: &offset, { RefusalBody.lineGrew(line, by: $0) })
            case .complete:
                return
            }
        }
    }

    /// Keeps up to `count` bytes.
    private mutating func take(_ count: Int, of input: Span<UInt8>, at offset: inout Int) -> Int {
        let taken = min(count, input.count - offset, RefusalBody.maxByteCount - byteCount)
        for index in offset..<(offset + taken) { bytes.append(input[index]) }
        offset += taken
        byteCount += taken
        return taken
    }

    /// Reads one byte between chunks; nil keeps the state.
    private mutating func next(in input: Span<UInt8>, at offset: inout Int, _ following: (UInt8) -> State?) {
        if let state = following(input[offset]) { self.state = state }
        offset += 1
        byteCount += 1
    }

    /// RFC 9112 §7.1: the size in hexadecimal digits, then extensions, which are ignored.
    private static func lineGrew(_ line: [UInt8], by byte: UInt8) -> State {
        guard byte == .lineFeed else {
            return line.count < maxChunkLineByteCount ? .chunkLine(line + [byte]) : .complete
        }
        let digits = line.prefix(while: ASCII.isHexDigit)
        let rest = line[digits.endIndex...].first
        guard !digits.isEmpty, rest == nil || " \t;\r".utf8.contains(rest ?? 0) else { return .complete }
        let size = digits.reduce(0) { min($0 << 4 | Int(ASCII.hexValue($1) ?? 0), maxByteCount) }
        return size == 0 ? .complete : .chunk(size)
    }
}
