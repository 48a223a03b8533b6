extension SimulatedService {
    /// A request to the REST side of the service.
    public struct RESTRequest: Hashable, Sendable {
        /// `GET`, `POST`, …
        public var method: String
        /// Path and query, for example `/api/v2/notifications/channels`.
        public var target: String
        /// The body; empty without one.
        public var body: [UInt8]

        /// Creates a request.
        public init(_ method: String, _ target: String, body: [UInt8] = []) {
            self.method = method
            self.target = target
            self.body = body
        }

        /// The parts of the path between its slashes, without the empty ones.
        var path: [String] {
            target.prefix { $0 != "?" }.split(separator: "/").map(String.init)
        }

        /// Whether the query has this parameter with the value `true`.
        func isTrue(_ parameter: String) -> Bool {
            let query = target.drop { $0 != "?" }.dropFirst()
            return query.split(separator: "&").contains("\(parameter)=true")
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
