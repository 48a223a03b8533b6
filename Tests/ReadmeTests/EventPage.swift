import Foundation
import Testing

/// `Events.md`: the objects of `--events`, with their members and types.
struct EventPage {
    struct Member: Equatable {
        let name: String
        let type: String
        let isOptional: Bool
    }

    /// The members of every event.
    private(set) var common: [Member] = []
    /// The events of the page, with the members that follow the common ones.
    private(set) var members: [String: [Member]] = [:]
    let blocks: [Page.Block]

    init() throws {
        let page = try #require(Page.named("Events.md"))
        blocks = try page.blocks
        var event: String?
        for line in try page.text.split(separator: "\n") {
            if let heading = line.wholeMatch(of: /### (\w+)/) {
                event = String(heading.1)
                #expect(members.updateValue([], forKey: String(heading.1)) == nil, "two headings \(heading.1)")
            } else if let row = line.firstMatch(of: #/^\| `(\w+)` \| (\w+)(, optional)? \| /#) {
                let member = Member(name: String(row.1), type: String(row.2), isOptional: row.3 != nil)
                if let event { members[event]?.append(member) } else { common.append(member) }
            }
        }
    }

    /// Checks a line against the page: its members, their order and types.
    ///
    /// - Returns: the event and the names of the optional members that it has.
    @discardableResult func check(_ line: String) throws -> (event: String, optional: Set<String>) {
        let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
        let object = try #require(value as? [String: Any], "\(line)")
        let event = try #require(object["event"] as? String, "\(line)")
        let all = common + (try #require(members[event], "the page has no event '\(event)'"))
        var rest = line[...]
        var undocumented = Set(object.keys)
        for member in all {
            guard let value = object[member.name] else {
                #expect(member.isOptional, "'\(member.name)' is missing: \(line)")
                continue
            }
            undocumented.remove(member.name)
            #expect(Self.isValue(value, of: member.type), "'\(member.name)' is no \(member.type): \(line)")
            let place = rest.range(of: "\"\(member.name)\":")
            #expect(place != nil, "'\(member.name)' is not in the order of the page: \(line)")
            if let place { rest = rest[place.upperBound...] }
        }
        #expect(undocumented.isEmpty, "not on the page: \(undocumented) of \(line)")
        return (event, Set(all.filter { $0.isOptional && object[$0.name] != nil }.map(\.name)))
    }

    private static func isValue(_ value: Any, of type: String) -> Bool {
        switch type {
        case "string": value is String
        case "strings": value is [String]
        case "integers": value is [Int]
        case "integer": (value as? Double).map { $0 == $0.rounded() } ?? false
        case "number": value is Double || value is Int
        case "object": value is [String: Double]
        case "time": (value as? String)?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil
        default: false
        }
    }
}
