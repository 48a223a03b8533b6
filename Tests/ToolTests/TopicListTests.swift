import GenesysLoop
import Testing

@testable import genesys_loop

@Suite struct TopicListTests {
    private func parse(_ text: String) throws -> [String] {
        try TopicList.parse(Array(text.utf8)).map(\.rawValue)
    }

    @Test func `one topic stands on each line`() throws {
        #expect(try parse("v2.a\nv2.b\n") == ["v2.a", "v2.b"])
        #expect(try parse("v2.a\nv2.b") == ["v2.a", "v2.b"])
    }

    @Test func `lines may end with carriage return and line feed`() throws {
        #expect(try parse("v2.a\r\n\r\n# c\r\nv2.b\r\n") == ["v2.a", "v2.b"])
    }

    @Test func `blank lines and comments do not count`() throws {
        #expect(try parse("\n  \n# a comment\n  # another\nv2.a\n\t\n") == ["v2.a"])
        #expect(try parse("") == [])
    }

    @Test func `a comment may follow a topic after white space, and no # inside of a topic begins one`() throws {
        #expect(try parse("v2.a # one\nv2.b\t#two\r\nv2.c#3\n#\u{FEFF}\n") == ["v2.a", "v2.b", "v2.c#3"])
    }

    @Test(arguments: [
        ("v2.a\n\n# c\nv2 b\n", "Line 4 of the topics file: The topic 'v2 b' holds white space"),
        ("\u{FEFF}v2.a\r\n\(String(repeating: "x", count: 201))", "Line 2 of the topics file: The topic 'xxx"),
    ]) func `an error names the line`(text: String, sentence: String) throws {
        let error = #expect(throws: TopicList.Unusable.self) { try parse(text) }
        #expect(error?.description.hasPrefix(sentence) == true, "\(error?.description ?? "")")
    }

    @Test func `white space and a byte order mark around a topic do not count`() throws {
        #expect(try parse("\u{FEFF}  v2.a\t \n") == ["v2.a"])
    }

    @Test func `a file that is not UTF-8 is refused`() {
        let error = #expect(throws: TopicList.Unusable.self) { try TopicList.parse([0x0A, 0x76, 0xFF, 0x0A]) }
        #expect(error?.description == "Line 2 of the topics file: It is not UTF-8.")
    }

    @Test func `duplicates collapse and the order stays`() throws {
        #expect(try TopicList.checked(["b", "a", "b", "c", "a"]) == ["b", "a", "c"])
    }

    @Test func `a thousand topics are allowed, and no more`() throws {
        let topics = (0...1_000).map { Topic("v2.users.\($0).presence") }
        #expect(try TopicList.checked(Array(topics.dropLast())).count == 1_000)
        #expect(throws: TopicList.Unusable.self) { try TopicList.checked(topics) }
        #expect(try TopicList.checked(topics.dropLast() + topics.dropLast()).count == 1_000)
    }

    @Test(arguments: ["", "a b", "a\tb", "a\u{A0}b", "a\nb", String(repeating: "a", count: 201)])
    func `an unusable topic is refused`(topic: String) {
        #expect(throws: TopicList.Unusable.self) { try TopicList.checked([Topic(topic)]) }
    }

    @Test func `200 characters are allowed`() throws {
        #expect(try TopicList.checked([Topic(String(repeating: "a", count: 200))]).count == 1)
    }

    @Test func `no topic at all is refused`() {
        #expect(throws: TopicList.Unusable.self) { try TopicList.checked([]) }
    }
}
