/// Makes random JSON texts, and texts that resemble JSON: about half of them are valid.
struct EnvelopeDocument {
    private var random: EnvelopeRandom
    private(set) var bytes: [UInt8] = []

    /// The document of a seed, always the same.
    static func make(seed: UInt64) -> [UInt8] {
        var document = EnvelopeDocument(random: EnvelopeRandom(state: seed))
        document.fill()
        guard document.random.below(2) == 0 else { return document.bytes }
        var other = EnvelopeDocument(random: document.random)
        other.fill()
        return EnvelopeMutation.apply(to: document.bytes, other: other.bytes, using: &other.random)
    }

    /// A valid notification-like object, or an object that resembles one.
    static func makeObject(using random: inout EnvelopeRandom) -> [UInt8] {
        var document = EnvelopeDocument(random: random)
        document.envelope()
        random = document.random
        return document.bytes
    }

    private init(random: EnvelopeRandom) {
        self.random = random
    }

    private mutating func fill() {
        space()
        switch random.below(16) {
        case 0...8: envelope()
        case 9...11: value(depth: 0)
        case 12: nesting()
        case 13: add("["); letters("0123456789-+.eE", atMost: 8); add("]")
        case 14: add("\""); letters("\\\\\\u0dDeE89aBbfnrt/\"x ", atMost: 10); add("\"")
        default: extremeNumber()
        }
        space()
    }

    /// The names that the protocol knows, and others; some appear twice, some have escapes.
    private mutating func envelope() {
        add("{")
        space()
        let count = random.below(9)
        for index in 0..<count {
            if index > 0 { add(",") }
            space()
            name()
            space()
            add(":")
            space()
            switch random.below(6) {
            case 0, 1: string()
            case 2 where index < 6: nestedEnvelope()
            default: value(depth: 1)
            }
            space()
        }
        add("}")
    }

    private mutating func nestedEnvelope() {
        add("{")
        for index in 0..<random.below(4) {
            if index > 0 { add(",") }
            name()
            add(":")
            if random.below(2) == 0 { string() } else { value(depth: 2) }
        }
        add("}")
    }

    private mutating func name() {
        let name = EnvelopeDocument.names[random.below(EnvelopeDocument.names.count)]
        add("\"")
        for unit in name.utf8 {
            if random.below(40) == 0 && unit < 0x80 {
                let digits = String(unit, radix: 16, uppercase: random.below(2) == 0)
                add("\\u00" + (digits.utf8.count < 2 ? "0" : "") + digits)
            } else {
                bytes.append(unit)
            }
        }
        add("\"")
    }

    private mutating func value(depth: Int) {
        switch random.below(depth > 4 ? 5 : 9) {
        case 0: add(["true", "false", "null"][random.below(3)])
        case 1, 2: number()
        case 3, 4: string()
        case 5, 6:
            add("[")
            for index in 0..<random.below(4) {
                if index > 0 { add(",") }
                space()
                value(depth: depth + 1)
                space()
            }
            add("]")
        default:
            add("{")
            for index in 0..<random.below(4) {
                if index > 0 { add(",") }
                space()
                string()
                space()
                add(":")
                value(depth: depth + 1)
            }
            space()
            add("}")
        }
    }

    private mutating func number() {
        if random.below(3) == 0 { add("-") }
        add(random.below(3) == 0 ? "0" : "\(1 + random.below(1 << random.below(50)))")
        if random.below(3) == 0 { add(".\(random.below(100_000))") }
        if random.below(4) == 0 { add(["e", "E", "e+", "E-", "e-"][random.below(5)] + "\(random.below(40))") }
    }

    /// Near the limits of a `Double`, of an `Int64`, and of a word.
    private mutating func extremeNumber() {
        add(
            ["1e308", "1e309", "-1e400", "4e-324", "1e-999", "18446744073709551616", "-9223372036854775809"][
                random.below(7)])
        if random.below(2) == 0 { add(String(repeating: "0", count: random.below(400))) }
    }

    private mutating func string() {
        add("\"")
        for _ in 0..<random.below(8) { add(EnvelopeDocument.pieces[random.below(EnvelopeDocument.pieces.count)]) }
        add("\"")
    }

    /// Up to 600 levels, arrays and objects mixed; sometimes one bracket too many or too few.
    private mutating func nesting() {
        let depth = random.below(3) == 0 ? 500 + random.below(30) : random.below(600)
        var closing: [UInt8] = []
        for _ in 0..<depth {
            if random.below(2) == 0 {
                add("[")
                closing.append(0x5D)
            } else {
                add("{\"\":")
                closing.append(0x7D)
            }
        }
        value(depth: 5)
        if random.below(8) == 0 && !closing.isEmpty { closing.removeLast() }
        bytes += closing.reversed()
    }

    private mutating func letters(_ alphabet: String, atMost count: Int) {
        let alphabet = Array(alphabet.utf8)
        for _ in 0...random.below(count) { bytes.append(alphabet[random.below(alphabet.count)]) }
    }

    private mutating func space() {
        if random.below(6) == 0 { add([" ", "\n", "\t", "\r\n", "          "][random.below(5)]) }
    }

    private mutating func add(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private static let names = [
        "topicName", "eventBody", "metadata", "CorrelationId", "correlationId", "result", "status", "message", "topics",
        "reason", "systemTopicType", "topicName", "eventBody", "metadata", "version", "x", "é", "TopicName",
        "topicname",
        "topicNames", "systemTopicTypes", "",
    ]

    private static let pieces = [
        "a", "Z", " ", "é", "€", "😀", "/", "\u{7F}", "{", "]", ":", ",", "'", "\\\"", "\\\\", "\\/", "\\b", "\\f",
        "\\n",
        "\\r", "\\t", "\\u0041", "\\u00e9", "\\ud83d\\ude00", "\\uDBFF\\uDFFF", "\\u2028", "\\u0000", "0123456789",
        "plain text without escapes", "v2.users.",
    ]
}
