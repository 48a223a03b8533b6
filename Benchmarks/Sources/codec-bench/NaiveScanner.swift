/// The obvious implementation: a recursive scanner, byte by byte over an array.
///
/// It accepts the same texts as `EnvelopeScanner`, and finds `topicName` and `eventBody`.
struct NaiveScanner {
    private struct Flaw: Error {}

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    private var topicName: Range<Int>?
    private var eventBody: Range<Int>?

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The ranges of `topicName` and `eventBody`; nil if the bytes are not a JSON text.
    static func scan(_ bytes: [UInt8]) -> (topicName: Range<Int>?, eventBody: Range<Int>?)? {
        var scanner = NaiveScanner(bytes)
        do {
            scanner.skipSpace()
            try scanner.value()
            scanner.skipSpace()
            guard scanner.position == bytes.count else { return nil }
            return (scanner.topicName, scanner.eventBody)
        } catch {
            return nil
        }
    }

    private var byte: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func value() throws {
        switch byte {
        case UInt8(ascii: "{"): try object()
        case UInt8(ascii: "["): try array()
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
    }

    private mutating func object() throws {
        try enter()
        position += 1
        skipSpace()
        if byte == UInt8(ascii: "}") { return leave() }
        while true {
            let start = position + 1
            try string()
            let name = bytes[start..<position - 1]
            skipSpace()
            guard byte == UInt8(ascii: ":") else { throw Flaw() }
            position += 1
            skipSpace()
            let valueStart = position
            try value()
            if depth == 1 {
                if name.elementsEqual("topicName".utf8) { topicName = valueStart..<position }
                if name.elementsEqual("eventBody".utf8) { eventBody = valueStart..<position }
            }
            skipSpace()
            if byte == UInt8(ascii: "}") { return leave() }
            guard byte == UInt8(ascii: ",") else { throw Flaw() }
            position += 1
            skipSpace()
        }
    }

    private mutating func array() throws {
        try enter()
        position += 1
        skipSpace()
        if byte == UInt8(ascii: "]") { return leave() }
        while true {
            try value()
            skipSpace()
            if byte == UInt8(ascii: "]") { return leave() }
            guard byte == UInt8(ascii: ",") else { throw Flaw() }
            position += 1
            skipSpace()
        }
    }

    private mutating func enter() throws {
        depth += 1
        guard depth <= 512 else { throw Flaw() }
    }

    private mutating func leave() {
        depth -= 1
        position += 1
    }

    private mutating func string() throws {
        guard byte == UInt8(ascii: "\"") else { throw Flaw() }
        position += 1
        while byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw Flaw() }
            if byte == UInt8(ascii: "\\") { try escape() } else { position += 1 }
        }
        position += 1
    }

    private mutating func escape() throws {
        position += 1
        if byte == UInt8(ascii: "u") {
            for _ in 0..<4 {
                position += 1
                guard Character(Unicode.Scalar(byte)).isHexDigit else { throw Flaw() }
            }
        } else if !"\"\\/bfnrt".utf8.contains(byte) {
            throw Flaw()
        }
        position += 1
    }

    private mutating func word(_ word: String) throws {
        for expected in word.utf8 {
            guard byte == expected else { throw Flaw() }
            position += 1
        }
    }

    private mutating func number() throws {
        if byte == UInt8(ascii: "-") { position += 1 }
        if byte == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if byte == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            position += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
    }

    private mutating func digits() throws {
        let start = position
        while byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw Flaw() }
    }
}
