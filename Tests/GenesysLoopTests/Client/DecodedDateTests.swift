import Foundation
import Testing

@testable import GenesysLoop

/// Bodies with dates are decoded as the service writes them.
@Suite struct DecodedDateTests {
    /// Decodes every string of a JSON value that begins like a time as a date, at any depth.
    private struct Dates: Decodable {
        var all: [Date] = []

        private struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            if let members = try? decoder.container(keyedBy: Name.self) {
                for name in members.allKeys { all += try members.decode(Dates.self, forKey: name).all }
            } else if var elements = try? decoder.unkeyedContainer() {
                while !elements.isAtEnd { all += try elements.decode(Dates.self).all }
            } else if let text = try? decoder.singleValueContainer().decode(String.self),
                try /\d{4}-\d{2}-\d{2}T[^\/]*/.wholeMatch(in: text) != nil
            {
                all.append(try decoder.singleValueContainer().decode(Date.self))
            }
        }
    }

    private struct Body: Codable, Equatable {
        var at: Date
    }

    private func notification(_ body: String) throws -> OwnedNotification {
        let bytes = [UInt8](#"{"topicName":"t","eventBody":\#(body)}"#.utf8)
        return ChannelNotification(bytes.span, envelope: try EnvelopeTesting.scan(bytes)).copy()
    }

    @Test func `every date of every sample is decoded by default`() throws {
        var count = 0
        for name in EnvelopeTesting.sampleNames.prefix(8) {
            let bytes = try EnvelopeTesting.sample(name)
            let notification = ChannelNotification(bytes.span, envelope: try EnvelopeTesting.scan(bytes)).copy()
            let written = String(decoding: bytes, as: UTF8.self).matches(of: /"(\d{4}-\d{2}-\d{2}T[0-9:.]*Z)"/)
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            let dates = try notification.decode(Dates.self).all
            // Half a millisecond more: a fraction of a second is rarely exact in a Double, and the style truncates it.
            let found = dates.map { ($0 + 0.0005).formatted(style) }
            #expect(found.sorted() == written.map { String($0.1) }.sorted(), "\(name)")
            count += dates.count
        }
        #expect(count > 20)
    }

    @Test(arguments: [
        ("2024-05-14T09:03:17.047Z", 1_715_677_397.047), ("2024-05-14T09:03:17Z", 1_715_677_397),
        ("2024-05-14T09:03:17.5Z", 1_715_677_397.5), ("2021-02-03T17:59:07.650Z", 1_612_375_147.65),
        ("2024-05-14T09:03:17.047+0000", 1_715_677_397.047), ("2024-05-14T11:03:17+02:00", 1_715_677_397),
        ("2024-05-14T03:33:17.047-05:30", 1_715_677_397.047),
    ])
    func `a date may have a fraction of a second, and an offset`(text: String, seconds: Double) throws {
        let expected = Body(at: Date(timeIntervalSince1970: seconds))
        let owned = try notification(#"{"at":"\#(text)"}"#)
        #expect(try abs(owned.decode(Body.self).at.timeIntervalSince(expected.at)) < 1e-6)
        #expect(try abs(owned.borrowed.decode(Body.self).at.timeIntervalSince(expected.at)) < 1e-6)
    }

    @Test(arguments: [
        "", "yesterday", "2024-05-14", "2024-05-14T09:03:17", "2024-13-14T09:03:17Z", "2024-05-14T09:03:17Zulu",
        "2024-05-14T09:00:00.000Z/2024-05-14T09:30:00.000Z", String(repeating: "e\u{301}", count: 5_000),
    ])
    func `what is no date is an error that shows no more than its beginning`(text: String) throws {
        do {
            _ = try notification(#"{"at":"\#(text)"}"#).decode(Body.self)
            Issue.record("nothing was thrown")
        } catch DecodingError.dataCorrupted(let context) {
            #expect(context.codingPath.map(\.stringValue) == ["at"])
            #expect(context.debugDescription.contains("“\(text.prefix(5))"))
            #expect(context.debugDescription.utf8.count < 120)
        }
    }

    @Test func `a number is no date`() throws {
        #expect(throws: DecodingError.self) { try notification(#"{"at":1773957594383}"#).decode(Body.self) }
    }

    @Test func `a decoder of the host's is used as it is`() throws {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .millisecondsSince1970
        let owned = try notification(#"{"at":1773957594383}"#)
        let expected = Body(at: Date(timeIntervalSince1970: 1_773_957_594.383))
        #expect(try owned.decode(Body.self, using: decoder) == expected)
        #expect(try owned.borrowed.decode(Body.self, using: decoder) == expected)
        let bytes = [UInt8](#"{"topicName":"t"}"#.utf8)
        let empty = ChannelNotification(bytes.span, envelope: try EnvelopeTesting.scan(bytes)).copy()
        #expect(throws: DecodingError.self) { try empty.decode(Body.self, using: decoder) }
    }

    @Test func `many threads decode at the same time`() async throws {
        let owned = try notification(#"{"at":"2024-05-14T09:03:17.047Z"}"#)
        let dates = try await withThrowingTaskGroup(of: Date.self) { group in
            for _ in 0..<64 { group.addTask { try owned.decode(Body.self).at } }
            return try await group.reduce(into: Set<Date>()) { $0.insert($1) }
        }
        #expect(dates.count == 1)
    }
}
