extension SimulatedService {
    /// A request to the REST side of the service.
    ///
    /// Its description shows neither its credentials nor its body.
    public struct RESTRequest: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
        /// `GET`, `POST`, …
        public var method: String
        /// Path and query, for example `/api/v2/notifications/channels`.
        public var target: String
        /// Host and port of the request; nil if it names none.
        public var host: String?
        /// The body; empty without one.
        public var body: [UInt8]
        /// The value of `Authorization`; nil without one.
        public var authorization: String?
        /// The value of `Content-Type`; nil without one.
        public var contentType: String?

        /// Creates a request.
        public init(_ method: String, _ target: String, body: [UInt8] = []) {
            self.method = method
            self.target = target
            self.body = body
        }

        /// The method and the path, without what may be a secret.
        public var description: String { "\(method) \(route.template)" }

        /// Shows the description in place of the members.
        public var customMirror: Mirror { Mirror(self, children: ["request": description]) }

        var route: RESTRoute { RESTRoute(path: path) }

        /// The token of `Authorization: Bearer`; nil without one.
        var bearer: String? { credentials(of: "bearer") }

        /// The credentials of the `Authorization` of this scheme (RFC 9110 §11.4), whose name has no case.
        func credentials(of scheme: String) -> String? {
            guard let parts = authorization?.split(separator: " ", maxSplits: 1), parts.count == 2,
                parts[0].lowercased() == scheme
            else { return nil }
            return String(parts[1].drop { $0 == " " })
        }

        /// The parts of the path between its slashes, without the empty ones, percent-decoded.
        var path: [String] {
            target.prefix { $0 != "?" }.split(separator: "/").map { Self.decoded($0) }
        }

        /// Whether the query has this parameter with the value `true`, ignoring case.
        func isTrue(_ parameter: String) -> Bool {
            query.contains { $0.name == parameter && $0.value.lowercased() == "true" }
        }

        /// The parameters of the query that have a value.
        var query: [(name: String, value: String)] { Self.parameters(target.drop { $0 != "?" }.dropFirst()) }

        /// Names and values, percent-decoded; those without a value are left out.
        static func parameters(_ text: some StringProtocol) -> [(name: String, value: String)] {
            text.split(separator: "&").compactMap { field in
                let parts = field.split(separator: "=", maxSplits: 1).map { Self.decoded($0) }
                return parts.count == 2 ? (parts[0], parts[1]) : nil
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

    /// The answer of the REST side, and how the driver delivers it.
    public struct RESTAnswer: Hashable, Sendable {
        /// The HTTP status.
        public var status: Int
        /// Header fields, apart from those that every answer has.
        public var headers: [Refusal.Header] = []
        /// JSON, or empty; any bytes with a fault.
        public var body: [UInt8] = []
        /// The type of a body that is not empty.
        public var contentType = "application/json"
        /// The time before the answer; not scaled.
        public var delay: Duration = .zero
        /// How it is delivered.
        public var delivery: Delivery = .whole

        /// How an answer is delivered.
        public enum Delivery: Hashable, Sendable {
            /// All of it.
            case whole
            /// All of it; then a connection ends that the answer promised to keep.
            case wholeThenClose
            /// Half of the body; then the connection ends.
            case half
            /// Nothing; the connection ends.
            case close
            /// Nothing; a TCP reset.
            case reset
            /// Nothing; the connection stays open.
            case never

            /// Whether a status is sent.
            var isSent: Bool {
                switch self {
                case .whole, .wholeThenClose, .half: true
                case .close, .reset, .never: false
                }
            }
        }
    }
}
