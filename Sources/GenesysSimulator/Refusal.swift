extension SimulatedService {
    /// An HTTP answer other than success.
    public struct Refusal: Error, Hashable, Sendable {
        /// One header field of the answer.
        public struct Header: Hashable, Sendable {
            /// The field's name.
            public var name: String
            /// The field's value.
            public var value: String

            /// Creates a header field.
            public init(_ name: String, _ value: String) {
                self.name = name
                self.value = value
            }
        }

        /// The HTTP status.
        public var status: Int
        /// Header fields of the answer, apart from those that every answer has.
        public var headers: [Header]
        /// The message of the body.
        public var message: String
        /// The code of the body; nil derives it from the status.
        public var code: String?

        /// Creates a refusal.
        public init(status: Int, headers: [Header] = [], message: String) {
            self.status = status
            self.headers = headers
            self.message = message
        }

        init(status: Int, code: String, message: String) {
            self.init(status: status, message: message)
            self.code = code
        }

        /// 400, for requests that the service does not accept.
        public static func badRequest(_ message: String) -> Refusal {
            Refusal(status: 400, message: message)
        }

        /// 401, the token is missing.
        public static let unauthorized = Refusal(
            status: 401, code: "authentication.required", message: "No authentication bearer token specified.")
        /// 401, the token is unknown, or has ended.
        public static let badCredentials = Refusal(status: 401, message: "Invalid login credentials.")
        /// 403, a permission is missing.
        public static let forbidden = Refusal(status: 403, message: "Missing a required permission.")
        /// 404, the channel is unknown: never created, expired, evicted, or its token was revoked.
        public static let notFound = Refusal(status: 404, message: "The channel was not found.")

        /// 302, the channel is elsewhere.
        public static func found(at location: String) -> Refusal {
            Refusal(status: 302, headers: [Header("Location", location)], message: "Found.")
        }

        /// 429, with `Retry-After` in whole seconds.
        public static func tooManyRequests(retryAfter seconds: Int) -> Refusal {
            Refusal(status: 429, headers: [Header("Retry-After", "\(seconds)")], message: "Rate limit exceeded.")
        }

        /// 503, with `Retry-After` in whole seconds if one is given.
        public static func unavailable(retryAfter seconds: Int? = nil) -> Refusal {
            let headers = seconds.map { [Header("Retry-After", "\($0)")] } ?? []
            return Refusal(status: 503, headers: headers, message: "Service unavailable.")
        }
    }
}
