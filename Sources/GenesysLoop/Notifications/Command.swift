/// The commands a client sends, as whole messages (Genesys Cloud, "Subscribe and unsubscribe over WebSockets").
package enum Command {
    /// `{"message":"subscribe","topics":[…],"correlationId":"…"}`.
    package static func subscribe(topics: some Collection<Topic>, correlationID: String) -> [UInt8] {
        message("subscribe", topics: topics, correlationID: correlationID)
    }

    /// `{"message":"unsubscribe","topics":[…],"correlationId":"…"}`.
    package static func unsubscribe(topics: some Collection<Topic>, correlationID: String) -> [UInt8] {
        message("unsubscribe", topics: topics, correlationID: correlationID)
    }

    /// `{"message":"ping"}`; answered by a `channel.metadata` message with the text `pong`.
    package static let ping = [UInt8](#"{"message":"ping"}"#.utf8)

    /// Builds a command in one pass over the topics.
    ///
    /// The order of the keys is that of the documentation's example.
    private static func message(
        _ verb: String, topics: some Collection<Topic>, correlationID: String
    ) -> [UInt8] {
        let topicByteCount = topics.reduce(0) { $0 + $1.rawValue.utf8.count + 3 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(topicByteCount + correlationID.utf8.count + 64)
        bytes.append(contentsOf: #"{"message":"#.utf8)
        JSONText.append(verb, to: &bytes)
        bytes.append(contentsOf: #","topics":["#.utf8)
        var isFirst = true
        for topic in topics {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONText.append(topic.rawValue, to: &bytes)
        }
        bytes.append(contentsOf: #"],"correlationId":"#.utf8)
        JSONText.append(correlationID, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}
