import Foundation
import Testing

@testable import GenesysLoop

struct CommandTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `subscribe and unsubscribe have the documented keys in the documented order`() {
        let topics: [Topic] = ["v2.users.1.presence", "v2.users.1?presence&station"]
        #expect(
            text(Command.subscribe(topics: topics, correlationID: "M8tF6UUNrlBKDR7T"))
                == #"{"message":"subscribe","topics":["v2.users.1.presence","v2.users.1?presence&station"],"#
                + #""correlationId":"M8tF6UUNrlBKDR7T"}"#)
        #expect(
            text(Command.unsubscribe(topics: topics.prefix(1), correlationID: "x"))
                == #"{"message":"unsubscribe","topics":["v2.users.1.presence"],"correlationId":"x"}"#)
        #expect(
            text(Command.subscribe(topics: [Topic](), correlationID: ""))
                == #"{"message":"subscribe","topics":[],"correlationId":""}"#)
    }

    @Test func `ping is what the service knows`() {
        #expect(text(Command.ping) == #"{"message":"ping"}"#)
    }

    @Test func `a topic cannot break out of its string`() throws {
        let name = "a\"],\"x\":[\"\\\n\u{0}\u{1F}\u{7F}é😀\u{2028}\t\r\u{8}\u{C}/"
        let bytes = Command.subscribe(topics: [Topic(name)], correlationID: "\"}")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes), options: []) as? [String: Any])
        #expect(object["topics"] as? [String] == [name])
        #expect(object["correlationId"] as? String == "\"}")
        #expect(object.count == 3)
        #expect(text(bytes).contains(#"\u0000\u001f"#))
    }

    @Test func `a thousand long topics make one command that the scanner reads back`() throws {
        let topics = (0..<1_000).map { Topic("v2.users.\($0)." + String(repeating: "x", count: 180)) }
        let bytes = Command.subscribe(topics: topics, correlationID: "id")
        let envelope = try EnvelopeTesting.scan(bytes)
        #expect(EnvelopeTesting.string(envelope.message, in: bytes) == "subscribe")
        #expect(EnvelopeTesting.string(envelope.correlationID, in: bytes) == "id")
        let reply = [UInt8](text(bytes).replacingOccurrences(of: "}", with: #","result":"200"}"#).utf8)
        #expect(
            MessageClass(try EnvelopeTesting.scan(reply), in: reply.span)
                == .reply(CommandReply(correlationID: "id", status: 200, topics: topics, message: "subscribe")))
    }
}
