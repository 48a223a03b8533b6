extension SimulatedService {
    /// A request to the REST side of the service.
    public struct RESTRequest: Hashable, Sendable {
        /// `GET`, `POST`, …
        public var method: String
        /// Path and query, for example `/api/v2/notifications/channels`.
        public var target: String
        /// Host and port of the request; nil if it names none.
        public var host: String?
        /// The body; empty without one.
        public var body: [UInt8]

        /// Creates a request.
        public init(_ method: String, _ target: String, body: [UInt8] = []) {
            self.method = method
            self.target = target
            self.body = body
        }

        /// The parts of the path between its slashes, without the empty ones, percent-decoded.
        var path: [String] {
            target.prefix { $0 != "?" }.split(separator: "/").map { Self.decoded($0) }
        }

        /// Whether the query has this parameter with the value `true`, ignoring case.
        func isTrue(_ parameter: String) -> Bool {
            let query = target.drop { $0 != "?" }.dropFirst()
            return query.split(separator: "&").contains { field in
                let parts = field.split(separator: "=", maxSplits: 1).map { Self.decoded($0) }
                return parts.count == 2 && parts[0] == parameter && parts[1].lowercased() == "true"
            }
        }

        /// RFC 3986 §2.1; a percent sign without two digits stays as it is.
        static func decoded(_ text: some StringProtocol) -> String {
            var bytes: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while let byte = rest.popFirst() {
                let digits = rest.prefix(2).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
                guard byte == UInt8(ascii: "%"), digits.count == 2 else {
                    bytes.append(byte)
                    continue
                }
                bytes.append(UInt8(digits[0] * 16 + digits[1]))
                rest = rest.dropFirst(2)
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The answer of the REST side.
    public struct RESTAnswer: Hashable, Sendable {
        /// The HTTP status.
        public var status: Int
        /// Header fields, apart from those that every answer has.
        public var headers: [Refusal.Header] = []
        /// JSON, or empty.
        public var body: [UInt8] = []
    }
}
