import Foundation
import Testing

@testable import GenesysLoop

/// The scanner against Foundation's parser, on generated and damaged documents.
struct EnvelopePropertyTests {
    /// What Foundation says about the same bytes.
    static func foundationTakes(_ bytes: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
    }

    /// Why the two may disagree about a document; each reason has a test of its own below.
    static func isKnownDisagreement(_ bytes: [UInt8], flaw: EnvelopeError?) -> Bool {
        switch flaw {
        case .invalidJSON(let offset, let kind):
            // Foundation takes a comma before the end of an array, and guesses UTF-16 and UTF-32 from zero bytes.
            let isComma = kind == .expectedValue && bytes.indices.contains(offset) && bytes[offset] == 0x5D
            return isComma || kind == .byteOrderMark || bytes.prefix(4).contains(0)
        case .tooDeep, .notAnObject:
            return false
        case nil:
            // Foundation refuses unpaired surrogates, and numbers beyond the range of a Double.
            let text = String(decoding: bytes, as: UTF8.self).replacingOccurrences(
                of: #"\\u[dD][89abAB]..\\u[dD][c-fC-F].."#, with: "", options: .regularExpression)
            let number = "[eE][+-]?[0-9]{3,}"
            return text.range(of: #"\\u[dD][89a-fA-F]|"# + number, options: .regularExpression) != nil
        }
    }

    @Test(arguments: 0..<20)
    func `the scanner and Foundation agree on generated documents`(_ part: Int) throws {
        var random = EnvelopeRandom(state: 0x6E65_7379_7300 + UInt64(part))
        var validCount = 0, excusedCount = 0
        for number in 0..<1_000 {
            var document = EnvelopeDocument.generate(using: &random)
            if !number.isMultiple(of: 4) { EnvelopeDocument.damage(&document, using: &random) }
            // Damage that tears a character apart is the codec's task; here it becomes U+FFFD.
            document = [UInt8](String(decoding: document, as: UTF8.self).utf8)
            let flaw = EnvelopeTesting.flaw(document)
            if flaw == nil { validCount += 1 }
            guard (flaw == nil) != EnvelopePropertyTests.foundationTakes(document) else { continue }
            excusedCount += 1
            if !EnvelopePropertyTests.isKnownDisagreement(document, flaw: flaw) {
                Issue.record("part \(part), document \(number): \(String(decoding: document, as: UTF8.self))")
            }
        }
        #expect(validCount > 250 && validCount < 900)
        #expect(excusedCount < 20)
    }

    @Test(arguments: 0..<4)
    func `the values found are those Foundation finds`(_ part: Int) throws {
        var random = EnvelopeRandom(state: 0x76_616C_7565 + UInt64(part))
        for _ in 0..<250 {
            let document = EnvelopeDocument.generateObject(using: &random)
            let envelope = try EnvelopeTesting.scan(document)
            let parsed = try JSONSerialization.jsonObject(with: Data(document), options: [])
            let object = try #require(parsed as? [String: Any])
            let found: [(String, JSONSlice?)] = [
                ("topicName", envelope.topicName), ("eventBody", envelope.eventBody), ("metadata", envelope.metadata),
                ("result", envelope.result), ("message", envelope.message), ("topics", envelope.topics),
            ]
            for (name, slice) in found {
                #expect((object[name] != nil) == (slice != nil))
                guard let slice, let value = object[name] as? NSObject else { continue }
                let own = try JSONSerialization.jsonObject(
                    with: Data(document[slice.range]), options: .fragmentsAllowed)
                #expect(value.isEqual(own as? NSObject))
                #expect(slice.string(in: document.span) == object[name] as? String)
            }
        }
    }

    @Test func `random bytes and damaged UTF-8 never trap`() {
        var random = EnvelopeRandom(state: 7)
        for _ in 0..<5_000 {
            var bytes = (0..<random.below(80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if let envelope = try? EnvelopeTesting.scan(bytes) { _ = MessageClass(envelope, in: bytes.span) }
            bytes = EnvelopeDocument.generateObject(using: &random)
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
        #expect(!EnvelopePropertyTests.foundationTakes(bytes))
    }

    @Test func `Foundation takes a byte order mark, the scanner does not`() {
        #expect(EnvelopePropertyTests.foundationTakes([0xEF, 0xBB, 0xBF] + [UInt8]("{}".utf8)))
        #expect(EnvelopeTesting.flaw([0xEF, 0xBB, 0xBF] + [UInt8]("{}".utf8)) != nil)
    }

    @Test func `Foundation takes UTF-16, the scanner takes UTF-8 only`() {
        let bytes: [UInt8] = [0x7B, 0, 0x7D, 0]
        #expect(EnvelopePropertyTests.foundationTakes(bytes))
        #expect(EnvelopeTesting.flaw(bytes) == .invalidJSON(offset: 1, .expectedName))
    }

    @Test(arguments: [#""\uD800""#, #""\uDC00""#, #""\uD800\u0041""#])
    func `Foundation refuses unpaired surrogates, the grammar does not`(_ text: String) {
        #expect(!EnvelopePropertyTests.foundationTakes([UInt8](text.utf8)))
        #expect(EnvelopeTesting.flaw([UInt8](text.utf8)) == nil)
    }

    @Test func `Foundation takes a comma before the end of an array, the scanner does not`() {
        #expect(EnvelopePropertyTests.foundationTakes([UInt8]("[1,]".utf8)))
        #expect(EnvelopeTesting.flaw([UInt8]("[1,]".utf8)) == .invalidJSON(offset: 3, .expectedValue))
    }

    @Test func `a number beyond Double is a number`() {
        #expect(EnvelopeTesting.flaw([UInt8]("1e999".utf8)) == nil)
        #expect(!EnvelopePropertyTests.foundationTakes([UInt8]("1e999".utf8)))
    }
}
