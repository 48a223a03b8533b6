internal import GenesysLoop

extension SimulatedService {
    /// One request to the REST side, without secrets.
    public struct RESTRecord: Hashable, Sendable {
        /// `GET`, `POST`, …
        public var method: String
        /// The path with `{id}` in place of a channel's id, and without the query; `/…` if nothing is there.
        public var path: String
        /// The number of the channel that it names, 1 for the first one made; nil if there is no such channel.
        public var channel: Int?
        /// The number of the token that it has, 1 for the first one made; nil without a live token.
        public var token: Int?
        /// When it came, as the time since the driver's origin.
        public var time: Duration
        /// The status of the answer, also of one that is not sent; nil if a fault prevented the request.
        public var status: Int?
        /// How the answer is sent.
        public var delivery: RESTAnswer.Delivery
    }

    /// The maximum number of `requests`; the oldest are dropped.
    public static let maxRecordCount = 10_000

    mutating func record(_ record: RESTRecord) {
        requestCount += 1
        // A quarter at a time: removing the first element moves all others.
        if requests.count >= Self.maxRecordCount { requests.removeFirst(Self.maxRecordCount / 4) }
        requests.append(record)
    }
}

extension SimulatedService.RESTRecord {
    /// The record for the answer to `GET /simulator/requests`.
    var json: [UInt8] {
        var object = JSONObject()
        object.add("method", method)
        object.add("path", path)
        if let channel { object.add("channel", channel) }
        if let token { object.add("token", token) }
        object.add("time", seconds: time)
        if let status { object.add("status", status) }
        object.add("delivery", "\(delivery)")
        return object.finished()
    }
}
