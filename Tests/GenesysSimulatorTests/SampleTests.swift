import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

@Suite struct SampleTests {
    @Test(arguments: [
        ("01_presence", SamplePayloads.presence), ("02_routingStatus", SamplePayloads.routingStatus),
        ("03_activity", SamplePayloads.activity), ("04_conversationsummary", SamplePayloads.conversationSummary),
        ("05_conversations_callback", SamplePayloads.conversations),
        ("06_queue_observations", SamplePayloads.queueObservations), ("07_transcription", SamplePayloads.transcription),
        ("08_transcription_status_only", SamplePayloads.transcriptionStatus),
        ("09_heartbeat", SamplePayloads.heartbeat), ("10_pong", SamplePayloads.pong),
        ("11_socket_closing", SamplePayloads.socketClosing), ("12_subscribed", SamplePayloads.subscribed),
        ("13_subscribe_error", SamplePayloads.subscribeError),
    ])
    func `a sample in the source equals its file`(name: String, text: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appending(components: "Samples", "\(name).json")
        #expect(try Data(contentsOf: file) == Data(text.utf8))
    }

    private struct Message: Decodable {
        struct Metadata: Decodable {
            enum CodingKeys: String, CodingKey {
                case correlationID = "CorrelationId"
            }
            let correlationID: String
        }
        let topicName: String
        let version: String
        let metadata: Metadata
    }

    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test func `every sample is sent with nothing changed but topic, resource, correlation id and sequence`() throws {
        var feed = SampleFeed()
        var generator = SeededGenerator(seed: 3)
        for (index, sample) in SamplePayloads.notifications.enumerated() {
            let topic = try JSONDecoder().decode(Message.self, from: Data(sample.utf8)).topicName
            let text = String(decoding: feed.next(for: Topic(topic), using: &generator), as: UTF8.self)
            let old = try JSONDecoder().decode(Message.self, from: Data(sample.utf8)).metadata.correlationID
            let new = try JSONDecoder().decode(Message.self, from: Data(text.utf8)).metadata.correlationID
            #expect(old != new)
            #expect(
                text.replacing(new, with: old).replacing(#""sequence":\#(index + 1),"#, with: "") == sample)
        }
        #expect(feed.sequence == 8)
    }

    @Test func `the resource of the topic replaces that of the sample in topic and body`() throws {
        var feed = SampleFeed()
        var generator = SeededGenerator(seed: 3)
        let topic = "v2.users.11111111-2222-4333-8444-555555555555.conversations"
        let text = String(decoding: feed.next(for: Topic(topic), using: &generator), as: UTF8.self)
        #expect(!text.contains("e40f28ea-fa86-493f-a5b8-d559c8533c96"))
        #expect(text.contains(#""userId":"11111111-2222-4333-8444-555555555555""#))
        #expect(text.contains(#""topicName":"\#(topic)""#))
    }

    @Test func `the two transcription samples come in turn`() throws {
        var feed = SampleFeed()
        var generator = SeededGenerator(seed: 3)
        let hasTranscripts = (0..<4).map { _ in
            String(decoding: feed.next(for: "v2.conversations.1.transcription", using: &generator), as: UTF8.self)
                .contains(#""transcripts":"#)
        }
        #expect(hasTranscripts == [true, false, true, false])
    }

    @Test(arguments: [
        ("v2.users.7.station", "7"), ("flow.12", "flow"), ("odd", ""), (#"a.q"\.b"#, #"q"\"#), ("ü.é.x", "é"),
        (
            "v2.detail.events.conversation.11111111-2222-4333-8444-555555555555.user.start",
            "11111111-2222-4333-8444-555555555555"
        ),
    ])
    func `a topic that no sample knows gets a general body, as valid JSON`(topic: String, resource: String) throws {
        var feed = SampleFeed()
        var generator = SeededGenerator(seed: 3)
        let message = try object(feed.next(for: Topic(topic), using: &generator))
        #expect(message["topicName"] as? String == topic)
        let body = try #require(message["eventBody"] as? [String: Any])
        #expect(body["id"] as? String == resource)
        #expect(body["sequence"] as? Int == 1)
    }

    @Test(arguments: [1, 352, 400, 1_000, 2_000_000])
    func `a notification is padded to at least the size asked for`(byteCount: Int) throws {
        var feed = SampleFeed()
        var generator = SeededGenerator(seed: 3)
        let bytes = feed.next(for: Topic(presence), minByteCount: byteCount, using: &generator)
        #expect(bytes.count >= byteCount)
        #expect(byteCount < 400 || bytes.count <= byteCount + 13)
        #expect(try object(bytes)["topicName"] as? String == presence)
    }

    @Test func `correlation ids are random UUIDs, each another`() throws {
        var feed = SampleFeed()
        var generator = SeededGenerator(seed: 3)
        let ids = try (0..<200).map { _ in
            let bytes = feed.next(for: Topic(presence), using: &generator)
            return try JSONDecoder().decode(Message.self, from: Data(bytes)).metadata.correlationID
        }
        #expect(Set(ids).count == 200)
        for id in ids {
            #expect(id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        }
    }
}
