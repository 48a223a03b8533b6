import Testing

@testable import GenesysLoop

/// Names are compared by their UTF-8 bytes, not by Unicode equivalence.
@Suite struct TopicTests {
    /// `é` in one code point and in two; `Å` and the Ångström sign; `K` and the Kelvin sign; marks in another order.
    static let pairs: [(String, String)] = [
        ("v2.caf\u{E9}", "v2.cafe\u{301}"), ("v2.\u{C5}", "v2.\u{212B}"), ("v2.K", "v2.\u{212A}"),
        ("v2.a\u{323}\u{307}", "v2.a\u{307}\u{323}"),
    ]

    @Test(arguments: pairs)
    func `two topics that differ in normalization are two topics`(_ one: String, _ other: String) {
        #expect(one == other, "strings would be one")
        let (left, right) = (Topic(one), Topic(other))
        #expect(!(left == right))
        #expect(left != right)
        #expect(left == Topic(one) && !(left != Topic(one)))
        #expect(Set([left, right, left]).count == 2)
        #expect([left: 1, right: 2][right] == 2)
        #expect([left].contains(left) && ![left].contains(right))
        #expect(Topic.precedes(left, right) != Topic.precedes(right, left))
    }

    @Test(arguments: pairs)
    func `a topic and a string are equal if their bytes are`(_ one: String, _ other: String) {
        let topic = Topic(one)
        #expect(topic == one && one == topic && !(topic != one) && !(one != topic))
        #expect(topic != other && other != topic && !(topic == other) && !(other == topic))
        #expect([topic].contains(one) && ![topic].contains(other))
    }

    @Test func `a channel takes topics one by one or in an array`() throws {
        let channel = try NotificationChannel(uri: "ws://127.0.0.1:9/", topics: ["v2.a"], on: UVLoop())
        try channel.subscribe("v2.b", "v2.c")
        try channel.subscribe(["v2.d"])
        #expect(channel.topics == ["v2.a", "v2.b", "v2.c", "v2.d"])
        channel.unsubscribe("v2.a", "v2.x")
        channel.unsubscribe(["v2.c"])
        #expect(channel.topics == ["v2.b", "v2.d"])
        channel.close()
        channel.loop.run()
    }

    @Test(arguments: pairs)
    func `a channel keeps both, and takes away the one that was named`(_ one: String, _ other: String) throws {
        #expect(
            try Topic.checked([Topic(one), Topic(other), Topic(one)]).map { Array($0.rawValue.utf8) }
                == [Array(one.utf8), Array(other.utf8)])
        let channel = try NotificationChannel(
            uri: "ws://127.0.0.1:9/", topics: [Topic(one), Topic(other)], on: UVLoop())
        channel.unsubscribe([Topic(other)])
        #expect(channel.topics == [Topic(one)])
        try channel.subscribe([Topic(other)])
        #expect(channel.topics == [Topic(one), Topic(other)])
        channel.close()
        channel.loop.run()
    }

    @Test func `a combined topic is taken apart at its bytes`() {
        let topic = Topic("v2.users.x?\u{301}a&\u{301}b")
        #expect(topic.expanded == [Topic("v2.users.x.\u{301}a"), Topic("v2.users.x.\u{301}b")])
    }

    @Test func `a reply answers the command whose id has the same bytes`() {
        for isSame in [true, false] {
            var stage = Stage(topics: ["v2.a"])
            stage.open()
            // An id of sixteen letters and digits: one of the next seeds yields a K.
            let ids = (1...200 as ClosedRange<UInt64>).lazy.map { seed -> (Stage, String) in
                var stage = Stage(topics: ["v2.a"], seed: seed)
                stage.open()
                stage.opened(.first)
                return (stage, stage.machine.candidate?.pending.first?.correlationID ?? "")
            }
            guard let (found, id) = ids.first(where: { $0.1.contains("K") }) else {
                Issue.record("no id with a K")
                return
            }
            stage = found
            let echo = isSame ? id : String(id.map { $0 == "K" ? "\u{212A}" : $0 })
            #expect(echo == id)
            let actions = stage.reply(CommandReply(correlationID: echo, status: 200), on: .first)
            #expect(words(actions) == (isSame ? "didSubscribe" : ""))
        }
    }

    @Test(arguments: pairs)
    func `two files that differ in normalization are two files`(_ one: String, _ other: String) {
        #expect(TLSConfiguration.Trust.file(one) != .file(other))
        #expect(TLSConfiguration.Trust.directory(one) != .directory(other))
        #expect(TLSConfiguration.Trust.file(one) == .file(one) && TLSConfiguration.Trust.file(one) != .directory(one))
        #expect(ClientIdentity.Source.file(one) != .file(other))
        #expect(ClientIdentity.Source.file(one) == .file(one))
        #expect(TLSConfiguration(trust: .file(one)) != TLSConfiguration(trust: .file(other)))
    }
}
