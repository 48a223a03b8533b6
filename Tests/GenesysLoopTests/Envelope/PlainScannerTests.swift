import CVector
import Testing

@testable import GenesysLoop

/// `PlainScanner` gives the same result as the byte-wise scanner, or none.
struct PlainScannerTests {
    /// The result of `PlainScanner`; nil if it leaves the message to the other scanner.
    private static func quick(_ bytes: [UInt8]) -> Envelope? {
        var members = Envelope()
        return PlainScanner.scan(bytes.span, into: &members) ? members : nil
    }

    private static func thorough(_ bytes: [UInt8]) -> Envelope? {
        try? EnvelopeScanner.scanThoroughly(bytes.span)
    }

    /// Expects no contradiction.
    ///
    /// - Returns: whether `PlainScanner` accepted the message.
    @discardableResult
    private static func compare(_ bytes: [UInt8]) -> Bool {
        guard let found = quick(bytes) else { return false }
        #expect(found == thorough(bytes), "\(String(decoding: bytes, as: UTF8.self))")
        return true
    }

    private static func compare(_ text: String) -> Bool { compare([UInt8](text.utf8)) }

    @Test(arguments: EnvelopeTesting.sampleNames)
    func `what the service sends is understood at once`(_ name: String) throws {
        let bytes = try EnvelopeTesting.sample(name)
        // One byte less than `PlainScanner` requires.
        #expect(PlainScannerTests.compare(bytes) == (name != "10_pong"))
    }

    @Test func `100,000 documents, half of them damaged, are told as by the other scanner or not at all`() {
        var random = EnvelopeRandom(state: 11)
        var understoodCount = 0
        for round in 0..<100_000 {
            // Long enough for `PlainScanner`, and in every place of a block and a chunk.
            let padding = String(repeating: "x", count: 40 + random.below(round % 8 == 0 ? 1_100 : 80))
            let object = EnvelopeDocument.makeObject(using: &random)
            var bytes = [UInt8]("{\"padding\":\"\(padding)\",\"eventBody\":".utf8) + object + [UInt8(ascii: "}")]
            if round % 2 == 0 { bytes = EnvelopeMutation.apply(to: bytes, other: object, using: &random) }
            if PlainScannerTests.compare(bytes) { understoodCount += 1 }
        }
        #expect(understoodCount > 10_000)
    }

    @Test(arguments: [#"\""#, #"\\"#, #"\n"#, #"\u00e4"#, #"\uD83D\uDE00"#, #"\\\""#, #"\"\"\""#])
    func `an escape is passed over in every place of a block and a chunk`(_ escape: String) {
        for length in 0..<1_100 {
            let padding = String(repeating: "x", count: length)
            let text = #"{"topicName":"\#(padding)\#(escape)","eventBody":{"text":"\#(escape)\#(padding)"},"status":1}"#
            let isLongEnough = unsafe text.utf8.count >= QuoteCursor.minMessageByteCount
            #expect(PlainScannerTests.compare(text) == isLongEnough, "\(length)")
            // Cut there, or with an invalid escape, the message is for the other scanner.
            #expect(!PlainScannerTests.compare(text.replacing(escape + "\"", with: #"\x""#)), "\(length)")
        }
    }

    @Test func `strings and numbers may end in every place of a block and a chunk`() {
        for length in 0..<1_100 {
            let padding = String(repeating: "é", count: length / 2) + String(repeating: "x", count: length % 2 + 60)
            #expect(PlainScannerTests.compare(#"{"topicName":"\#(padding)","eventBody":[1.5,-2e3,"a",{},[],true]}"#))
            #expect(PlainScannerTests.compare(#"{"eventBody":{"\#(padding)":12345678901},"message":"", "result":0}"#))
            #expect(PlainScannerTests.compare(#"{"eventBody":["\#(padding)",{"a":[null,false]}],"status":7}"#))
            // An incomplete message is never accepted.
            #expect(!PlainScannerTests.compare(#"{"topicName":"\#(padding)","eventBody":"}"#))
            #expect(!PlainScannerTests.compare(#"{"topicName":"\#(padding)}"#))
        }
    }

    @Test(arguments: [
        "0", "7", "-1", "10", "0.5", "140.0", "1234567", "12345678", "1.2345678", "123456.789", "1e5", "1.5E-7", "-0.0",
        "99999999999999999999", "0.000000000000001", "true", "false", "null",
    ])
    func `every number and word is taken`(_ value: String) {
        let head = #"{"topicName":"v2.users.d4b2f6f3-63a3-4f6a-9f2c-4b1f6f1d3c11.presence","eventBody":{"value":"#
        #expect(PlainScannerTests.compare(head + value + "}}"))
        #expect(PlainScannerTests.compare(head + "[" + value + "," + value + "]},\"status\":" + value + "}"))
        #expect(PlainScannerTests.compare(head + value + #","more":"\#(head.filter { $0 != "\"" })"}}"#))
    }

    @Test(arguments: [
        "", "01", "-", "1.", ".5", "1e", "1e+", "+1", "00.5", "1.2.3", "0x1", "1 2", "tru", "nulls", "NaN", "1,", ",1",
        "\"a\"b", "\"a\":1", "{\"a\"}", "{\"a\":}", "{a:1}", "[1}", "{\"a\":1]", "[,]", "\\\"", "\\", "\u{1}",
        "\"\u{1}\"", "\"\\u12\"", "'a'", "[1 2]", "}", "]", "\u{FEFF}1", "\u{E9}",
    ])
    func `nothing is taken that is no value`(_ value: String) {
        let head = #"{"topicName":"v2.users.d4b2f6f3-63a3-4f6a-9f2c-4b1f6f1d3c11.presence","eventBody":"#
        let longer = #"{"a":"\#(String(repeating: "x", count: 60))"}"#
        for text in [head + value + "}", head + "[" + value + ",1]}", head + "{\"a\":" + value + ",\"b\":\(longer)}}"] {
            #expect(PlainScannerTests.quick([UInt8](text.utf8)) == nil, "\(text)")
            // "[,1]" and similar texts are not JSON; neither is one with an empty value between "[" and ",1]".
            #expect(PlainScannerTests.thorough([UInt8](text.utf8)) == nil, "\(text)")
        }
    }

    @Test func `deep nesting, line breaks and what is no object are left to the other scanner`() throws {
        let padding = "\"p\":\"\(String(repeating: "x", count: 60))\""
        func nested(_ depth: Int) -> String {
            "{\(padding),\"eventBody\":\(String(repeating: "[", count: depth))\(String(repeating: "]", count: depth))}"
        }
        #expect(PlainScannerTests.compare(nested(62)))
        for depth in [63, 64, 65, 200] {
            #expect(!PlainScannerTests.compare(nested(depth)))
            #expect(EnvelopeTesting.violation([UInt8](nested(depth).utf8)) == nil)
        }
        for text in ["{\n\(padding)}", "[{\(padding)}]", "{\(padding)} ", " {\(padding)}", "{\(padding)\t,\"a\":1}"] {
            #expect(!PlainScannerTests.compare(text))
            #expect(EnvelopeTesting.violation([UInt8](text.utf8)) == nil, "\(text)")
        }
        // Some writers of JSON use single spaces.
        #expect(PlainScannerTests.compare("{\(padding), \"status\": 1, \"eventBody\": [ 1, { \"a\": [ ] } ] }"))
    }

    @Test func `an escaped name is found, and text with escapes is told from text without`() throws {
        let tail = String(repeating: "x", count: 60)
        let escaped = try EnvelopeTesting.scan(#"{"topic\u004eame":"a","message":"\#(tail)"}"#)
        #expect(escaped.topicName != nil)
        let envelope = try EnvelopeTesting.scan(#"{"topicName":"a\/b","message":"\#(tail)","eventBody":{"a":"\\"}}"#)
        #expect(envelope.topicName?.hasEscapes == true)
        #expect(envelope.message?.hasEscapes == false)
    }

    @Test func `the masks of equal bytes are the same with vectors and without`() {
        var random = EnvelopeRandom(state: 3)
        for _ in 0..<2_000 {
            let bytes = PlainScannerTests.bytes(count: 64, using: &random)
            var mask: UInt64 = 0
            for (index, byte) in bytes.enumerated() where byte == 0x22 { mask |= 1 << UInt64(index) }
            var others: Int32 = 0
            // The array is 64 bytes long, as the functions require.
            unsafe #expect(cvector_equal64(bytes, 0x22) == mask)
            unsafe #expect(cvector_equal64_portable(bytes, 0x22) == mask)
            unsafe #expect(cvector_quotes64_portable(bytes, &others) == mask)
            #expect((others & Int32(CVECTOR_CONTROL_CHARACTER) != 0) == bytes.contains { $0 < 0x20 })
            #expect((others & Int32(CVECTOR_BACKSLASH) != 0) == bytes.contains(0x5C))
            var nondigits: UInt32 = 0
            for index in 0..<16 where !(0x30...0x39).contains(bytes[index]) { nondigits |= 1 << UInt32(index) }
            unsafe #expect(cvector_others16(bytes) == nondigits)
            unsafe #expect(cvector_others16_portable(bytes) == nondigits)
        }
    }

    private static func bytes(count: Int, using random: inout EnvelopeRandom) -> [UInt8] {
        let few: [UInt8] = [0x22, 0x22, 0x5C, 0x1F, 0x20, 0x21, 0x23, 0x2F, 0x30, 0x39, 0x3A, 0xA2, 0x00, 0xFF]
        // Mostly bytes that are neither control characters nor backslashes, so that some arrays have none.
        return (0..<count).map { _ in
            random.below(40) == 0 ? few[random.below(few.count)] : 0x22 + UInt8(random.below(3))
        }
    }

    /// The result for `bytes`, whose end is the last block.
    private static func find(
        _ bytes: [UInt8], isInString: Bool,
        _ find: (UnsafePointer<UInt8>, Int, UnsafePointer<UInt8>, UInt32, UnsafeMutablePointer<cvector_chunk>) -> Int32
    ) -> (others: Int32, isInString: Bool, quotes: [UInt64], ends: [Int]) {
        var chunk = cvector_chunk()
        chunk.in_string = isInString ? .max : 0
        let blockCount = (bytes.count + 63) / 64
        // The pointers live for the call, and the last 64 bytes are there.
        let others = unsafe bytes.withUnsafeBufferPointer { buffer in
            let start = buffer.baseAddress!
            return unsafe find(
                start, blockCount, start + bytes.count - 64, UInt32(blockCount * 64 - bytes.count), &chunk)
        }
        let quotes = (0..<blockCount).map { index in
            unsafe withUnsafeBytes(of: &chunk) { unsafe $0.load(fromByteOffset: 8 * index, as: UInt64.self) }
        }
        var ends: [Int] = []
        while unsafe cvector_end(&chunk, ends.count) != UInt16(CVECTOR_NO_END) {
            unsafe ends.append(Int(cvector_end(&chunk, ends.count)))
        }
        return (others, chunk.in_string != 0, quotes, ends)
    }

    @Test func `where strings end is found the same in every way, and is what a plain loop finds`() {
        var random = EnvelopeRandom(state: 5)
        for round in 0..<4_000 {
            let count = 64 + random.below(Int(CVECTOR_BLOCKS) * 64 - 63)
            // Only quotes: this needs the most room.
            let bytes =
                round % 50 == 0
                ? [UInt8](repeating: 0x22, count: count) : PlainScannerTests.bytes(count: count, using: &random)
            let startsInside = round % 3 == 0
            var isInString = startsInside
            var ends: [Int] = []
            for (offset, byte) in bytes.enumerated() where byte == 0x22 {
                if isInString { ends.append(offset) }
                isInString.toggle()
            }
            let plainly = unsafe PlainScannerTests.find(bytes, isInString: startsInside) {
                unsafe cvector_find_plainly($0, $1, $2, $3, $4)
            }
            #expect(plainly.ends == ends)
            #expect(plainly.isInString == isInString)
            let found = unsafe PlainScannerTests.find(bytes, isInString: startsInside) {
                unsafe cvector_find($0, $1, $2, $3, $4)
            }
            #expect(found == plainly)
        }
    }
}
