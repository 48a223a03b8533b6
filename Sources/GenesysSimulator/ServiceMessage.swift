internal import GenesysLoop

/// The texts that the service sends, apart from notifications.
enum ServiceMessage {
    static let heartbeat = Array(SamplePayloads.heartbeat.utf8)
    static let pong = Array(SamplePayloads.pong.utf8)
    static let socketClosing = Array(SamplePayloads.socketClosing.utf8)

    /// A reply to a command, with the keys in the order of the one real capture.
    ///
    /// Absent values are omitted.
    static func reply(
        correlationID: String?, topics: [String], result: String, status: String?, message: String? = nil
    ) -> [UInt8] {
        var text = JSONObject()
        text.add("correlationId", correlationID)
        text.add("topics", topics)
        text.add("result", result)
        text.add("status", status)
        text.add("message", message)
        return text.finished()
    }

    static func system(_ notice: SimulatedService.SystemNotice, channelID: String) -> [UInt8] {
        var body = JSONObject()
        body.add("channelId", channelID)
        body.add("systemTopicType", notice.rawValue)
        body.add("reason", notice.reason)
        body.add("message", notice.message)
        var text = JSONObject()
        text.add("topicName", "v2.system.\(notice.rawValue)")
        text.add("version", "2")
        text.add("eventBody", json: body.finished())
        return text.finished()
    }

    static func notification(topic: Topic, eventBody: [UInt8], correlationID: [UInt8]) -> [UInt8] {
        var metadata = JSONObject()
        metadata.add("CorrelationId", String(decoding: correlationID, as: UTF8.self))
        var text = JSONObject()
        text.add("topicName", topic.rawValue)
        text.add("version", "2")
        text.add("eventBody", json: eventBody)
        text.add("metadata", json: metadata.finished())
        return text.finished()
    }
}
