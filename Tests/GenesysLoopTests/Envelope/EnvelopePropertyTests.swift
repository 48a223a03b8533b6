import Foundation
import Testing

@testable import GenesysLoop

/// The scanner and the UTF-8 validator, in the order of a real message, against Foundation's parser.
///
/// A document depends only on its seed. `GENESYS_LOOP_SEED=n` tests only the document of that seed, and prints it.
struct EnvelopePropertyTests {
    private static let onlySeed = ProcessInfo.processInfo.environment["GENESYS_LOOP_SEED"].flatMap { UInt64($0) }
    private static let isLong = ProcessInfo.processInfo.environment["GENESYS_LOOP_ALL"] == "1"
    private static let partCount = 20
    /// 100,000 documents in all, a million in the long run.
    private static let partSize: UInt64 = isLong ? 50_000 : 5_000

    @Test(arguments: 0..<partCount)
    func `the scanner takes what Foundation takes, and finds what Foundation finds`(_ part: Int) {
        let first = UInt64(part) * EnvelopePropertyTests.partSize
        var seeds = first..<first + EnvelopePropertyTests.partSize
        if let seed = EnvelopePropertyTests.onlySeed {
            guard part == 0 else { return }
            seeds = seed..<seed + 1
            print(String(decoding: EnvelopeDocument.make(seed: seed), as: UTF8.self))
        }
        var takenCount = 0, objectCount = 0, excusedCount = 0, reportCount = 0
        for seed in seeds {
            let document = EnvelopeDocument.make(seed: seed)
            let verdict = EnvelopeTesting.verdict(document)
            let parsed = EnvelopePropertyTests.parse(document[...])
            if verdict == .taken { takenCount += 1 }
            var difference: String?
            if (verdict == .taken) == (parsed != nil) {
                if verdict == .taken, let object = parsed as? [String: Any] {
                    objectCount += 1
                    difference = EnvelopeComparison.difference(document, object)
                    if difference != nil && EnvelopeDisagreement.hasMark(document) {
                        excusedCount += 1
                        difference = nil
                    }
                }
            } else {
                excusedCount += 1
                if !EnvelopeDisagreement.allCases.contains(where: { $0.explains(document, verdict: verdict) }) {
                    difference = "the scanner says \(verdict), Foundation \(parsed == nil ? "refuses" : "takes") it"
                }
            }
            guard let difference, reportCount < 5 else { continue }
            reportCount += 1
            Issue.record("GENESYS_LOOP_SEED=\(seed): \(difference): \(String(decoding: document, as: UTF8.self))")
        }
        guard EnvelopePropertyTests.onlySeed == nil else { return }
        // Both kinds are frequent, and disagreements are few.
        let share = Double(takenCount) / Double(seeds.count)
        #expect(share > 0.35 && share < 0.75)
        #expect(objectCount > seeds.count / 5)
        #expect(excusedCount < seeds.count / 25)
    }

    @Test(arguments: EnvelopeDisagreement.allCases)
    func `Foundation and RFC 8259 disagree, and the scanner sides with the latter`(_ reason: EnvelopeDisagreement) {
        for document in reason.examples {
            let verdict = EnvelopeTesting.verdict(document)
            let isTakenByFoundation = EnvelopePropertyTests.parse(document[...]) != nil
            #expect((verdict == .taken) == reason.isTakenByScanner, "\(document)")
            #expect(isTakenByFoundation != reason.isTakenByScanner, "\(document)")
            #expect(reason.explains(document, verdict: verdict), "\(document)")
        }
    }

    @Test func `Foundation loses a byte order mark at the beginning of a string, the scanner keeps it`() throws {
        // RFC 8259 §7: any character may be in a string. A name with a mark is another name.
        let text = "{\"topicName\":\"\u{FEFF}a\",\"\u{FEFF}eventBody\":1}"
        let bytes = [UInt8](text.utf8)
        let object = try #require(EnvelopePropertyTests.parse(bytes[...]) as? [String: Any])
        #expect((object["topicName"] as? String)?.unicodeScalars.count == 1)
        #expect(object["eventBody"] != nil)
        let envelope = try EnvelopeTesting.scan(bytes)
        #expect(EnvelopeTesting.string(envelope.topicName, in: bytes)?.unicodeScalars.count == 2)
        #expect(envelope.eventBody == nil)
    }

    @Test func `Foundation takes two canonically equivalent names for one, the scanner compares bytes`() throws {
        // RFC 8259 §8.3: names are compared code unit by code unit.
        let bytes = [UInt8]("{\"e\u{301}\":1,\"\u{E9}\":2}".utf8)
        let object = try #require(EnvelopePropertyTests.parse(bytes[...]) as? [String: Any])
        #expect(object.count == 1)
        #expect(EnvelopeTesting.violation(bytes) == nil)
    }

    @Test func `random bytes and damaged UTF-8 never trap`() {
        var random = EnvelopeRandom(state: 7)
        for _ in 0..<5_000 {
            var bytes = (0..<random.below(80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if let envelope = try? EnvelopeTesting.scan(bytes) { _ = MessageClass(envelope, in: bytes.span) }
            bytes = EnvelopeDocument.makeObject(using: &random)
            for _ in 0..<4 { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) | 0x80 }
            guard let envelope = try? EnvelopeTesting.scan(bytes) else { continue }
            _ = MessageClass(envelope, in: bytes.span)
            guard envelope.topicName?.kind == .string else { continue }
            let notification = ChannelNotification(bytes.span, envelope: envelope)
            #expect(notification.topicBytes.count <= bytes.count)
            _ = notification.topic.count + (notification.correlationID ?? "").count
        }
    }

    @Test func `bytes that are not UTF-8 are left to the codec, and decode to U+FFFD`() throws {
        let bytes = [UInt8](#"{"topicName":"a"#.utf8) + [0xFF, 0xC0] + [UInt8](#"b\n"}"#.utf8)
        let envelope = try EnvelopeTesting.scan(bytes)
        #expect(EnvelopeTesting.string(envelope.topicName, in: bytes) == "a\u{FFFD}\u{FFFD}b\n")
        #expect(EnvelopePropertyTests.parse(bytes[...]) == nil)
    }

    /// Foundation's result for the bytes; nil if it refuses them.
    static func parse(_ bytes: ArraySlice<UInt8>) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    }
}
