import Foundation

/// The envelope scanner, and alternatives that find the topic of a notification.
enum ScannerSubjects {
    private struct TopicOnly: Decodable {
        let topicName: String?
    }

    static let conversation = "scan 16 KiB conversation"
    static let observations = "scan 16 KiB observations"
    static let transcript = "scan 16 KiB transcript"

    /// - Parameter samples: the messages of `Tests/Samples` by their file names.
    static func all(samples: [String: [UInt8]]) -> [Subject] {
        func grown(_ sample: String, _ array: String) -> [[UInt8]] {
            Corpus.grown(samples[sample] ?? [], array: array, count: 8, byteCount: 16_384)
        }
        let inOrder = samples.sorted { $0.key < $1.key }.map(\.value)
        return subjects("scan 400 B observations", Corpus.notifications(count: 64, byteCount: 400))
            + subjects(conversation, grown("05_conversations_callback.json", "participants"))
            + subjects(observations, Corpus.notifications(count: 8, byteCount: 16_384))
            + subjects(transcript, grown("07_transcription.json", "words"))
            + subjects("scan samples", inOrder)
    }

    private static func subjects(_ group: String, _ messages: [[UInt8]]) -> [Subject] {
        let decoder = JSONDecoder()
        let data = messages.map { Data($0) }
        func onData(_ name: String, _ body: @escaping (Data) -> Int) -> Subject {
            Subject(
                group: group, name: name, messageCount: data.count, byteCount: data.reduce(0) { $0 + $1.count },
                run: { data.reduce(0) { $0 &+ body($1) } })
        }
        return [
            Subject(group, "EnvelopeScanner", lending: messages) { envelope($0) },
            Subject(group, "naive scanner", on: messages) { NaiveScanner.scan($0)?.topicName?.lowerBound ?? 0 },
            onData("JSONDecoder, topicName") { data in
                (try? decoder.decode(TopicOnly.self, from: data))?.topicName?.utf8.count ?? 0
            },
            onData("JSONSerialization") { data in
                let object = try? JSONSerialization.jsonObject(with: data)
                return ((object as? [String: Any])?["topicName"] as? String)?.utf8.count ?? 0
            },
            .memchr(group, on: messages),
        ]
    }

    /// The channel's work on a message: scan it, and classify it.
    @inline(never)
    private static func envelope(_ message: Span<UInt8>) -> Int {
        guard let envelope = try? EnvelopeScanner.scan(message) else { return 0 }
        let topic = envelope.topicName?.range.lowerBound ?? 0
        return MessageClass(envelope, in: message) == .notification ? topic : 1
    }
}
