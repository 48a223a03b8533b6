import Testing

@testable import GenesysLoop

/// Which members are found, and where.
struct EnvelopeMembersTests {
    @Test(arguments: EnvelopeTesting.sampleNames)
    func `every sample is scanned`(_ name: String) throws {
        let bytes = try EnvelopeTesting.sample(name)
        let envelope = try EnvelopeTesting.scan(bytes)
        let expected: MessageClass? =
            switch name.prefix(2) {
            case "09": .heartbeat
            case "10": .pong
            case "11": .socketClosing
            case "12", "13": nil
            default: .notification
            }
        let kind = MessageClass(envelope, in: bytes.span)
        if let expected { #expect(kind == expected) }
        if expected == .notification {
            let topic = try #require(EnvelopeTesting.string(envelope.topicName, in: bytes))
            #expect(topic.hasPrefix("v2."))
            let body = try #require(EnvelopeTesting.text(envelope.eventBody, in: bytes))
            #expect(body.hasPrefix("{") && body.hasSuffix("}"))
            #expect(EnvelopeTesting.violation([UInt8](body.utf8)) == nil)
            let metadata = envelope.members(of: envelope.metadata, in: bytes.span)
            #expect(EnvelopeTesting.string(metadata.metadataCorrelationID, in: bytes)?.utf8.count == 36)
        }
    }

    @Test(arguments: EnvelopeTesting.sampleNames)
    func `every proper beginning of a sample ends too early`(_ name: String) throws {
        let bytes = try EnvelopeTesting.sample(name)
        for count in 0..<min(bytes.count, 800) {
            switch EnvelopeTesting.violation([UInt8](bytes[..<count])) {
            case .invalidJSON(let offset, .unexpectedEnd): #expect(offset == count)
            case .invalidJSON(let offset, .invalidLiteral): #expect(count - offset < 5)
            case let other: Issue.record("\(count) bytes: \(String(describing: other))")
            }
        }
    }

    @Test func `members are found in every order`() throws {
        let members = [
            #""topicName":"v2.a""#, #""version":"2""#, #""eventBody":{"topicName":"x","n":[1,{}]}"#,
            #""metadata":{"CorrelationId":"c"}"#, #""message":"m""#,
        ]
        for order in permutations(members) {
            let bytes = [UInt8](("{" + order.joined(separator: ",") + "}").utf8)
            let envelope = try EnvelopeTesting.scan(bytes)
            #expect(EnvelopeTesting.string(envelope.topicName, in: bytes) == "v2.a")
            #expect(EnvelopeTesting.text(envelope.eventBody, in: bytes) == #"{"topicName":"x","n":[1,{}]}"#)
            #expect(EnvelopeTesting.text(envelope.metadata, in: bytes) == #"{"CorrelationId":"c"}"#)
            #expect(EnvelopeTesting.string(envelope.message, in: bytes) == "m")
        }
    }

    private func permutations(_ items: [String]) -> [[String]] {
        guard items.count > 1 else { return [items] }
        return items.indices.flatMap { index in
            var rest = items
            let first = rest.remove(at: index)
            return permutations(rest).map { [first] + $0 }
        }
    }

    @Test func `every known member is found under its own name only`() throws {
        let text = #"""
            {"topicName":0,"eventBody":1,"metadata":2,"correlationId":3,"result":4,"status":5,"message":6,"topics":7,
            "reason":8,"systemTopicType":9,"CorrelationId":10,"topicname":"-","TopicName":"-","topicNam":"-",
            "topicNames":"-","topicName\u0000":"-","resulT":"-","systemTopicTypes":"-","":"-"," topicName":"-",
            "evеntBody":"-","status\/":"-","systemTopicType-and-more":"-","\u0072esultat":"-","\ud83d\ude00":"-"}
            """#
        let bytes = [UInt8](text.utf8)
        let envelope = try EnvelopeTesting.scan(bytes)
        let slices = [
            envelope.topicName, envelope.eventBody, envelope.metadata, envelope.correlationID, envelope.result,
            envelope.status, envelope.message, envelope.topics, envelope.reason, envelope.systemTopicType,
            envelope.metadataCorrelationID,
        ]
        #expect(slices.map { EnvelopeTesting.text($0, in: bytes) } == (0...10).map { "\($0)" })
    }

    @Test func `the last of two members of one name counts`() throws {
        let bytes = [UInt8](#"{"topicName":"a","eventBody":1,"topicName":"b","eventBody":[2]}"#.utf8)
        let envelope = try EnvelopeTesting.scan(bytes)
        #expect(EnvelopeTesting.string(envelope.topicName, in: bytes) == "b")
        #expect(EnvelopeTesting.text(envelope.eventBody, in: bytes) == "[2]")
        #expect(try EnvelopeTesting.classify(#"{"topicName":"a","topicName":1}"#) == .unrecognized)
        #expect(try EnvelopeTesting.classify(#"{"topicName":1,"\u0074opicName":"a"}"#) == .notification)
    }

    @Test(arguments: [
        #"{"topic\u004eame":"a\u0062c"}"#, #"{"\u0074\u006F\u0070\u0069\u0063\u004e\u0061\u006d\u0065":"abc"}"#,
        #"{"topicNam\u0065" : "\u0061\u0062\u0063" }"#,
    ])
    func `names and values spelled with escapes are recognized`(_ text: String) throws {
        let bytes = [UInt8](text.utf8)
        let envelope = try EnvelopeTesting.scan(bytes)
        #expect(EnvelopeTesting.string(envelope.topicName, in: bytes) == "abc")
    }

    @Test(arguments: [
        #"{"a":{"topicName":"x"}}"#, #"{"a":[{"topicName":"x"}]}"#, #"{"eventBody":{"topicName":"x"}}"#,
        #"{"a":"topicName","b":"x"}"#, #"{"a":{"b":1},"c":[{"d":{"topicName":"x"}}]}"#, #"{"a":"\"topicName\":\"x\""}"#,
    ])
    func `a topicName further in is the topic's own`(_ text: String) throws {
        #expect(try EnvelopeTesting.scan(text).topicName == nil)
    }

    @Test func `a member after nested values is still found`() throws {
        let bytes = [UInt8](#"{"eventBody":{"a":[{"b":{}}],"c":"}"},"topicName":"t","x":{}}"#.utf8)
        let envelope = try EnvelopeTesting.scan(bytes)
        #expect(EnvelopeTesting.string(envelope.topicName, in: bytes) == "t")
        #expect(EnvelopeTesting.text(envelope.eventBody, in: bytes) == #"{"a":[{"b":{}}],"c":"}"}"#)
    }

    @Test func `white space around a value is not part of it`() throws {
        let bytes = [UInt8]("{ \"topicName\" :\t\"t\"\n,\r\"eventBody\" : { \"a\" : 1 } , \"result\" : 20 }".utf8)
        let envelope = try EnvelopeTesting.scan(bytes)
        #expect(EnvelopeTesting.text(envelope.topicName, in: bytes) == "\"t\"")
        #expect(EnvelopeTesting.text(envelope.eventBody, in: bytes) == #"{ "a" : 1 }"#)
        #expect(EnvelopeTesting.text(envelope.result, in: bytes) == "20")
    }

    @Test(arguments: [
        ("{}", JSONSlice.Kind.object), ("[]", .array), ("\"\"", .string), ("-1", .number), ("0", .number),
        ("true", .boolean), ("false", .boolean), ("null", .null),
    ])
    func `a value's kind is told`(_ value: String, kind: JSONSlice.Kind) throws {
        let text = #"{"eventBody":"# + value + "}"
        #expect(try EnvelopeTesting.scan(text).eventBody?.kind == kind)
        #expect(try EnvelopeTesting.scan(text).eventBody?.range == 13..<13 + value.utf8.count)
    }

    @Test(arguments: [#"{"a":"\n"}"#, #"["\n"]"#])
    func `only a string has escapes`(_ value: String) throws {
        #expect(try EnvelopeTesting.scan(#"{"eventBody":"# + value + "}").eventBody?.hasEscapes == false)
        #expect(try EnvelopeTesting.scan(#"{"a":"# + value + #","topicName":"x"}"#).topicName?.hasEscapes == false)
    }

    @Test func `members of what is no object are none`() throws {
        for body in ["[]", "\"{}\"", "1", "null", "{}"] {
            let bytes = [UInt8]((#"{"eventBody":"# + body + "}").utf8)
            let envelope = try EnvelopeTesting.scan(bytes)
            #expect(envelope.members(of: envelope.eventBody, in: bytes.span) == Envelope())
        }
    }

    @Test(arguments: [
        (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"), (#"\u00e9\u20AC"#, "é€"), (#"\ud83d\ude00!"#, "😀!"),
        (#"\uDBFF\uDFFF"#, "\u{10FFFF}"), (#"\uD800"#, "\u{FFFD}"), (#"\uDC00x"#, "\u{FFFD}x"),
        (#"\uD800\u0041"#, "\u{FFFD}A"), (#"\uD800\uD83D\uDE00"#, "\u{FFFD}😀"), (#"\uD800\n"#, "\u{FFFD}\n"),
        (#"\u0000"#, "\u{0}"), ("é\\n😀", "é\n😀"), (#"\\u0041"#, #"\u0041"#), ("plain", "plain"), ("", ""),
        (#"\ud83d"#, "\u{FFFD}"), (#"\ud83d\\ude00"#, "\u{FFFD}\\ude00"),
    ])
    func `a string is decoded`(_ raw: String, text: String) throws {
        let bytes = [UInt8]((#"{"message":""# + raw + "\"}").utf8)
        let envelope = try EnvelopeTesting.scan(bytes)
        #expect(EnvelopeTesting.string(envelope.message, in: bytes) == text)
        #expect(envelope.message?.hasEscapes == raw.contains("\\"))
    }
}
