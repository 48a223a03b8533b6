import Foundation
import Testing

@testable import GenesysLoop

/// Every row of the table, as a whole text and inside other values.
struct EnvelopeConformanceTests {
    private typealias Table = EnvelopeConformanceTable

    @Test func `the table is large enough, and no row is there twice`() {
        let texts = (Table.taken + Table.refused + Table.unpaired).map(\.text)
        #expect(texts.count + Table.notUTF8.count > 250)
        #expect(Set((Table.taken + Table.refused + Table.unpaired).map(\.name)).count == texts.count)
    }

    @Test func `what the grammar takes is taken, alone and inside of others`() {
        for (name, text) in Table.taken + Table.unpaired {
            for frame in EnvelopeConformanceTests.frames where !name.hasSuffix("512") || frame.before.isEmpty {
                let document = [UInt8]((frame.before + text + frame.after).utf8)
                #expect(EnvelopeTesting.verdict(document) == .taken, "\(name) in \(frame)")
            }
        }
    }

    @Test func `what the grammar refuses is refused`() {
        for (name, text) in Table.refused {
            let verdict = EnvelopeTesting.verdict([UInt8](text.utf8))
            #expect(verdict != .taken && verdict != .notUTF8, "\(name)")
        }
    }

    /// A text that is wrong alone may be right inside: `1 2` is wrong there too, `1,5` is right.
    @Test func `what the grammar refuses is refused inside of others too`() {
        let rightInside = ["n_number_comma_decimal", "n_text_empty", "n_text_ws_only"]
        for (name, text) in Table.refused where !rightInside.contains(name) {
            for frame in EnvelopeConformanceTests.frames {
                let document = [UInt8]((frame.before + text + frame.after).utf8)
                #expect(EnvelopeTesting.verdict(document) != .taken, "\(name) in \(frame)")
            }
        }
    }

    @Test func `what is no UTF-8 is refused by the codec`() {
        for (name, bytes) in Table.notUTF8 { #expect(EnvelopeTesting.verdict(bytes) == .notUTF8, "\(name)") }
    }

    @Test func `a text that is too deep says so`() {
        for (name, text) in Table.refused where name.contains("depth") {
            guard case .tooDeep = EnvelopeTesting.violation([UInt8](text.utf8)) else {
                Issue.record("\(name)")
                continue
            }
        }
    }

    /// A second check of the table itself.
    @Test func `Foundation agrees with every row but those whose reason is known`() {
        let texts = (Table.taken + Table.refused + Table.unpaired).map { ($0.name, [UInt8]($0.text.utf8)) }
        for (name, bytes) in texts + Table.notUTF8 {
            let verdict = EnvelopeTesting.verdict(bytes)
            guard (verdict == .taken) != (EnvelopePropertyTests.parse(bytes[...]) != nil) else { continue }
            let isKnown = EnvelopeDisagreement.allCases.contains { $0.explains(bytes, verdict: verdict) }
            #expect(isKnown, "\(name)")
        }
    }

    private static let frames = [
        (before: "", after: ""), (before: "[", after: "]"), (before: "{\"a\":", after: "}"),
        (before: "[0,", after: ",0]"),
        (before: "{\"topicName\":\"t\",\"eventBody\":", after: ",\"version\":\"2\"}"),
    ]
}
