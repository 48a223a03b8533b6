import Testing

@testable import GenesysLoop

/// The grammar of RFC 8259, production by production.
struct EnvelopeGrammarTests {
    static let valid = [
        // §3 values, §2 white space around them
        "null", "true", "false", "0", "\"\"", "[]", "{}", " \t\n\r{ \t\n\r} \t\n\r", "\n[\n]\n", " 1 ", "\t\"a\"\r",
        // §4 objects
        #"{"a":1}"#, #"{"a":1,"b":2}"#, #"{ "a" : 1 , "b" : [ ] }"#, #"{"":0}"#, #"{"a":1,"a":2}"#,
        #"{"a":{"b":{"c":{}}}}"#, "{\"a\"\n:\n1\n,\n\"b\"\n:\n2\n}",
        // §5 arrays
        "[1]", "[1,2]", "[ 1 , 2 ]", "[[],[[]],{}]", "[null,true,false]", #"["]","}",","]"#,
        // §6 numbers
        "-0", "-1", "10", "1234567890123456789012345678901234567890", "0.0", "-0.5", "1.25", "1e5", "1E5", "1e+5",
        "1e-5", "0e0", "0E+0", "-0.0e-0", "1.5e300", "12345678", "123456789", "0.12345678901234567",
        // §7 strings
        #""\"\\\/\b\f\n\r\t""#, #""\u0000""#, #""\uABCD\uabcd""#, #""\uD83D\uDE00""#, "\"\u{7F}\"", "\"é€😀\"",
        "\"\u{2028}\"", #""a\u0041b""#, #""\\""#, #""\\\\""#, #""/""#, "\"12345678\"", "\"1234567\\n\"",
        "\"0123456789abcdef\"", "\"0123456789abcde\\\"\"", "\"\u{FEFF}\"",
        // §8.2: an unpaired surrogate is legal grammar
        #""\uD800""#, #""\uDC00""#, #""\uD800\u0041""#, #""\uD800\uD800""#, #""\uDFFF\uD800""#,
    ]

    @Test(arguments: valid)
    func `a valid document is taken`(_ text: String) {
        #expect(EnvelopeTesting.violation([UInt8](text.utf8)) == nil)
    }

    static let invalid: [(String, Int, JSONViolation)] = [
        ("", 0, .unexpectedEnd), (" ", 1, .unexpectedEnd), (" \t\r\n", 4, .unexpectedEnd),
        ("\u{FEFF}{}", 0, .byteOrderMark), ("\u{FEFF}", 0, .byteOrderMark),
        ("\u{A0}{}", 0, .expectedValue), ("\u{C}{}", 0, .expectedValue), ("\u{0}", 0, .expectedValue),
        // trailing
        ("{}{}", 2, .trailingBytes), ("{}x", 2, .trailingBytes), ("1 2", 2, .trailingBytes), ("{},", 2, .trailingBytes),
        ("{}\u{0}", 2, .trailingBytes), ("[]]", 2, .trailingBytes), ("truefalse", 4, .trailingBytes),
        ("\"\"\"\"", 2, .trailingBytes), ("{}//c", 2, .trailingBytes), ("{}\u{FEFF}", 2, .trailingBytes),
        // objects
        ("{", 1, .unexpectedEnd), ("}", 0, .expectedValue), ("{1:2}", 1, .expectedName), ("{a:1}", 1, .expectedName),
        ("{'a':1}", 1, .expectedName), (#"{"a"}"#, 4, .expectedColon), (#"{"a":}"#, 5, .expectedValue),
        (#"{"a":1,}"#, 7, .expectedName), (#"{,}"#, 1, .expectedName), (#"{"a" 1}"#, 5, .expectedColon),
        (#"{"a":1 "b":2}"#, 7, .expectedCommaOrEnd), (#"{"a":1]"#, 6, .expectedCommaOrEnd),
        (#"{"a":1"#, 6, .unexpectedEnd), (#"{"a":"#, 5, .unexpectedEnd), (#"{"a""#, 4, .unexpectedEnd),
        (#"{"a":1,"#, 7, .unexpectedEnd), (#"{"a"::1}"#, 5, .expectedValue), (#"{"a":1,,"b":2}"#, 7, .expectedName),
        (#"{null:1}"#, 1, .expectedName), (#"{"a":1;"b":2}"#, 6, .expectedCommaOrEnd),
        // arrays
        ("[", 1, .unexpectedEnd), ("]", 0, .expectedValue), ("[1,]", 3, .expectedValue), ("[,1]", 1, .expectedValue),
        ("[1 2]", 3, .expectedCommaOrEnd), ("[1}", 2, .expectedCommaOrEnd), ("[1", 2, .unexpectedEnd),
        ("[1,", 3, .unexpectedEnd), ("[1,,2]", 3, .expectedValue), ("[1:2]", 2, .expectedCommaOrEnd),
        ("[/**/]", 1, .expectedValue), ("[[]", 3, .unexpectedEnd), (",", 0, .expectedValue), (":", 0, .expectedValue),
        // literals
        ("t", 0, .invalidLiteral), ("tru", 0, .invalidLiteral), ("True", 0, .expectedValue),
        ("TRUE", 0, .expectedValue),
        ("nul", 0, .invalidLiteral), ("nulL", 0, .invalidLiteral), ("falsy", 0, .invalidLiteral),
        ("nullx", 4, .trailingBytes), ("[truex]", 5, .expectedCommaOrEnd), ("NaN", 0, .expectedValue),
        ("Infinity", 0, .expectedValue), ("undefined", 0, .expectedValue), ("[tr\u{0}e]", 1, .invalidLiteral),
        // numbers
        ("-", 1, .unexpectedEnd), ("+1", 0, .expectedValue), ("01", 1, .invalidNumber), ("-01", 2, .invalidNumber),
        ("00", 1, .invalidNumber), (".5", 0, .expectedValue), ("1.", 2, .unexpectedEnd), ("[1.]", 3, .invalidNumber),
        ("1.e5", 2, .invalidNumber), ("1e", 2, .unexpectedEnd), ("[1e]", 3, .invalidNumber), ("1e+", 3, .unexpectedEnd),
        ("[1e-]", 4, .invalidNumber), ("-.5", 1, .invalidNumber), ("--1", 1, .invalidNumber),
        ("[-]", 2, .invalidNumber),
        ("0x10", 1, .trailingBytes), ("1_000", 1, .trailingBytes), ("1e5.5", 3, .trailingBytes),
        ("-Infinity", 1, .invalidNumber), ("1.2.3", 3, .trailingBytes), ("1ee5", 2, .invalidNumber),
        ("\u{661}", 0, .expectedValue),
        // strings
        ("\"", 1, .unexpectedEnd), ("\"abc", 4, .unexpectedEnd), ("\"abcdefgh", 9, .unexpectedEnd),
        ("\"abcdefghijklmnopqrstuvwxyz", 27, .unexpectedEnd), ("'a'", 0, .expectedValue),
        ("\"\\", 2, .unexpectedEnd), ("\"\\\"", 3, .unexpectedEnd), (#""\x41""#, 2, .invalidEscape),
        (#""\a""#, 2, .invalidEscape), (#""\'""#, 2, .invalidEscape), (#""\U0041""#, 2, .invalidEscape),
        (#""\u""#, 3, .invalidEscape), (#""\u004""#, 6, .invalidEscape), (#""\u00g1""#, 5, .invalidEscape),
        (#""\u 041""#, 3, .invalidEscape), ("\"\\u00", 5, .unexpectedEnd), (#""\u+041""#, 3, .invalidEscape),
        ("\"a\nb\"", 2, .controlCharacter), ("\"a\tb\"", 2, .controlCharacter), ("\"\u{0}\"", 1, .controlCharacter),
        ("\"\u{1F}\"", 1, .controlCharacter), ("\"01234567\u{1}\"", 9, .controlCharacter),
        ("\"0123456789abcdefghijkl\r\"", 23, .controlCharacter), ("\"\\\n\"", 2, .invalidEscape),
        ("{\"a\u{0}\":1}", 3, .controlCharacter), (#"{"\q":1}"#, 3, .invalidEscape),
    ]

    @Test(arguments: invalid)
    func `an invalid document is refused where it breaks`(_ text: String, offset: Int, violation: JSONViolation) {
        #expect(EnvelopeTesting.violation([UInt8](text.utf8)) == .invalidJSON(offset: offset, violation))
    }

    @Test(arguments: [0x00...0x1F, 0x20...0x7F] as [ClosedRange<UInt8>])
    func `only control characters, quotes and backslashes interrupt a string`(_ bytes: ClosedRange<UInt8>) {
        for byte in bytes {
            for length in [0, 1, 6, 7, 8, 9, 15, 16, 17, 23, 24, 25, 40] {
                let filler = [UInt8](repeating: 0x61, count: length)
                let document = [0x5B, 0x22] + filler + [byte] + filler + [0x22, 0x5D]
                let isPlain = byte >= 0x20 && byte != 0x22 && byte != 0x5C
                // "\a" is not an escape; without filler the backslash escapes the quote, and the string never ends.
                #expect((EnvelopeTesting.violation(document) == nil) == isPlain, "byte \(byte), length \(length)")
            }
        }
    }

    @Test func `every byte from 0x80 is plain inside a string and refused outside`() {
        for byte: UInt8 in 0x80...0xFF {
            for length in 0...17 {
                let filler = [UInt8](repeating: 0x61, count: length)
                #expect(EnvelopeTesting.violation([0x22] + filler + [byte, byte] + filler + [0x22]) == nil)
            }
            #expect(EnvelopeTesting.violation([byte]) == .invalidJSON(offset: 0, .expectedValue))
            #expect(
                EnvelopeTesting.violation([0x5B, 0x31, byte, 0x5D]) == .invalidJSON(offset: 2, .expectedCommaOrEnd))
            #expect(EnvelopeTesting.violation([0x7B, 0x7D, byte]) == .invalidJSON(offset: 2, .trailingBytes))
        }
    }

    @Test(arguments: [1, 2, 63, 64, 65, 127, 128, 129, 448, 449, 511, 512])
    func `arrays and objects nest up to the limit`(_ depth: Int) throws {
        let arrays = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(EnvelopeTesting.violation([UInt8](arrays.utf8)) == nil)
        let objects = String(repeating: #"{"a":"#, count: depth - 1) + "{}" + String(repeating: "}", count: depth - 1)
        _ = try EnvelopeTesting.scan(objects)
        // Alternating kinds, with a sibling after each container: the stack remembers every level's kind.
        let opening = (0..<depth).map { $0.isMultiple(of: 3) ? "[" : #"{"a":"# }.joined()
        let closing = (0..<depth).reversed().map { $0.isMultiple(of: 3) ? ",1]" : #","b":2}"# }.joined()
        #expect(EnvelopeTesting.violation([UInt8]((opening + "0" + closing).utf8)) == nil)
        let mismatched = String(repeating: "[", count: depth) + "}"
        #expect(
            EnvelopeTesting.violation([UInt8](mismatched.utf8))
                == .invalidJSON(offset: depth, .expectedValue))
    }

    @Test(arguments: [513, 514, 1_000, 100_000])
    func `deeper nesting has an error of its own`(_ depth: Int) {
        let arrays = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(EnvelopeTesting.violation([UInt8](arrays.utf8)) == .tooDeep(offset: 512))
        let objects = String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)
        #expect(EnvelopeTesting.violation([UInt8](objects.utf8)) == .tooDeep(offset: 512 * 5))
    }

    @Test func `many siblings at the deepest level are no nesting`() {
        let text =
            String(repeating: "[", count: 511) + String(repeating: "[],", count: 1_000) + "{}"
            + String(repeating: "]", count: 511)
        #expect(EnvelopeTesting.violation([UInt8](text.utf8)) == nil)
    }

    @Test(arguments: ["[]", "[{}]", "\"a\"", "1", "true", "false", "null", " [1] ", #"[{"topicName":"a"}]"#])
    func `valid JSON that is no object is told from invalid JSON`(_ text: String) {
        #expect(throws: EnvelopeError.notAnObject) { try EnvelopeTesting.scan(text) }
    }

    @Test func `the grammar is checked before the kind`() {
        #expect(throws: EnvelopeError.invalidJSON(offset: 3, .expectedValue)) { try EnvelopeTesting.scan("[1,]") }
    }

    @Test func `an error says what is wrong, without the text`() {
        let error = EnvelopeError.invalidJSON(offset: 7, .expectedName)
        #expect(error.description == "The message is not JSON: the name of a member is missing (byte 7).")
        #expect(EnvelopeError.tooDeep(offset: 512).description.contains("512 arrays and objects"))
    }
}
