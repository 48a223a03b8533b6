import Foundation
import Testing

@testable import GenesysLoop

struct ChannelNotificationTests {
    private struct Presence: Decodable, Equatable {
        struct Definition: Decodable, Equatable {
            var id: String
            var systemPresence: String
        }
        var source: String
        var presenceDefinition: Definition
        var primary: Bool
        var modifiedDate: String
    }

    private func owned(_ text: String) throws -> OwnedNotification {
        let bytes = [UInt8](text.utf8)
        return ChannelNotification(bytes.span, envelope: try EnvelopeTesting.scan(bytes)).copy()
    }

    private func array(_ span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }

    @Test func `a notification lends the parts of its message`() throws {
        let bytes = try EnvelopeTesting.sample("01_presence")
        let notification = ChannelNotification(bytes.span, envelope: try EnvelopeTesting.scan(bytes))
        #expect(array(notification.bytes) == bytes)
        #expect(notification.topic == "v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence")
        #expect(array(notification.topicBytes) == [UInt8](notification.topic.utf8))
        #expect(notification.correlationID == "5b3c1a52-7b3e-4c58-9c30-2f3a1f0d7a10")
        let body = String(decoding: array(notification.body), as: UTF8.self)
        #expect(body.hasPrefix(#"{"source":"PURECLOUD""#) && body.hasSuffix("047Z\"}"))
    }

    @Test func `the body is decoded into a nested type`() throws {
        let bytes = try EnvelopeTesting.sample("01_presence")
        let notification = ChannelNotification(bytes.span, envelope: try EnvelopeTesting.scan(bytes))
        let presence = try notification.decode(Presence.self)
        #expect(presence.presenceDefinition.systemPresence == "AVAILABLE")
        #expect(presence.primary && presence.source == "PURECLOUD")
        #expect(try notification.copy().decode(Presence.self) == presence)
    }

    @Test func `the wrong type is a decoding error`() throws {
        let notification = try owned(#"{"topicName":"t","eventBody":{"a":1}}"#)
        #expect(throws: DecodingError.self) { try notification.decode(Presence.self) }
        #expect(throws: DecodingError.self) { try notification.decode([Int].self) }
        #expect(try notification.decode([String: Int].self) == ["a": 1])
    }

    @Test func `a body of any kind is lent and decoded`() throws {
        #expect(try owned(#"{"topicName":"t","eventBody":[1,2]}"#).decode([Int].self) == [1, 2])
        #expect(try owned(#"{"topicName":"t","eventBody":"x"}"#).decode(String.self) == "x")
        #expect(try owned(#"{"topicName":"t","eventBody":7}"#).decode(Int.self) == 7)
        #expect(try owned(#"{"topicName":"t","eventBody":null}"#).decode(Int?.self) == nil)
    }

    @Test func `a missing body is empty, and an error when decoded`() throws {
        let notification = try owned(#"{"topicName":"t"}"#)
        #expect(array(notification.body) == [])
        do {
            _ = try notification.decode([String: Int].self)
            Issue.record("nothing was thrown")
        } catch DecodingError.valueNotFound(_, let context) {
            #expect(context.debugDescription == "The notification has no eventBody.")
        }
    }

    @Test(
        arguments: [
            (#""metadata":{"CorrelationId":"a"}"#, "a"), (#""metadata":{"correlationId":"b"}"#, "b"),
            (#""metadata":{"correlationId":"b","CorrelationId":"a\u0062"}"#, "ab"), (#""metadata":{}"#, nil),
            (#""metadata":{"CorrelationId":7}"#, nil), (#""metadata":null"#, nil), (#""x":1"#, nil),
            (#""CorrelationId":"top""#, nil), (#""metadata":{"x":{"CorrelationId":"deep"}}"#, nil),
        ] as [(String, String?)])
    func `the correlation id is that of the metadata`(_ member: String, expected: String?) throws {
        #expect(try owned(#"{"topicName":"t","# + member + "}").correlationID == expected)
    }

    @Test func `a topic with escapes is decoded, and lent as it stands`() throws {
        let notification = try owned(#"{"topicName":"v2\u002eé"}"#)
        #expect(notification.topic == "v2.é")
        #expect(array(notification.topicBytes) == [UInt8](#"v2\u002eé"#.utf8))
    }

    @Test func `a copy outlives the buffer and equals by its bytes`() throws {
        var bytes = try EnvelopeTesting.sample("03_activity")
        let original = bytes
        let envelope = try EnvelopeTesting.scan(bytes)
        let copy = ChannelNotification(bytes.span, envelope: envelope).copy()
        let twin = ChannelNotification(bytes.span, envelope: envelope).copy()
        for index in bytes.indices { bytes[index] = 0x58 }
        #expect(copy.message == original && array(copy.bytes) == original)
        #expect(copy == twin && Set([copy, twin]).count == 1)
        #expect(copy.topic.hasSuffix(".activity"))
        #expect(array(copy.topicBytes) == [UInt8](copy.topic.utf8))
        #expect(copy.correlationID == "9e8067c7-8b35-4e54-add9-db24e7d6f086")
        #expect(array(copy.body).first == 0x7B)
        #expect(copy.borrowed.copy() == copy)
        #expect(try owned(#"{"topicName":"t"}"#) != copy)
    }

    @Test(arguments: [
        ("v2.a", #"{"id":"1","n":[1,2]}"#, #"{"topicName":"v2.a","eventBody":{"id":"1","n":[1,2]}}"#),
        ("v2.a", " [1] ", #"{"topicName":"v2.a","eventBody": [1] }"#),
        (#"v2."é\"#, "null", #"{"topicName":"v2.\"é\\","eventBody":null}"#),
    ])
    func `a test makes the notification that the service would send`(
        _ topic: Topic, _ body: String, _ message: String
    ) throws {
        let made = try OwnedNotification(topic: topic, body: body)
        #expect(String(decoding: made.message, as: UTF8.self) == message)
        #expect(try made == owned(message))
        #expect(topic == made.topic)
        #expect(array(made.body) == array(try owned(message).body))
        #expect(made.borrowed.copy() == made && made.correlationID == nil)
    }

    @Test(arguments: [
        "", " ", "{", "{}}", "x", "1,2", #"1,"topicName":"other""#, #"1,"eventBody":2"#, "1}", #""a" "b""#, "1} ",
    ])
    func `a body that is not one JSON value makes no notification`(_ body: String) {
        let error = #expect(throws: OwnedNotification.InvalidBody.self) {
            try OwnedNotification(topic: "v2.a", body: body)
        }
        #expect(error?.description.hasPrefix("The body of a notification is one JSON value") == true)
    }
}
