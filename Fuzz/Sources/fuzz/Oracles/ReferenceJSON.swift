/// A second implementation of RFC 8259: recursive, byte by byte, without regard to speed.
struct ReferenceJSON {
    enum Violation: Error {
        case invalid
        case tooDeep
    }

    /// A member of the outermost object.
    struct Member {
        /// The name without its escapes.
        let name: [UInt8]
        /// The position of its value.
        let range: Range<Int>
    }

    static let maxDepth = 512

    private let bytes: [UInt8]
    private var position = 0
    /// All members of the outermost object, in order.
    private(set) var members: [Member] = []
    private(set) var isObject = false

    init(_ bytes: [UInt8]) throws(Violation) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw .invalid }
        space()
        isObject = peek == UInt8(ascii: "{")
        try value(depth: 0)
        space()
        guard position == bytes.count else { throw .invalid }
    }

    /// The last member of that name.
    func range(of name: String) -> Range<Int>? {
        members.last { $0.name.elementsEqual(name.utf8) }?.range
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: Character) throws(Violation) {
        guard peek == byte.asciiValue else { throw .invalid }
        position += 1
    }

    private mutating func space() {
        while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func value(depth: Int) throws(Violation) {
        switch peek {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            if depth == Self.maxDepth { throw .tooDeep }
            if peek == UInt8(ascii: "{") { try object(depth: depth + 1) } else { try array(depth: depth + 1) }
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): for letter in "true" { try take(letter) }
        case UInt8(ascii: "f"): for letter in "false" { try take(letter) }
        case UInt8(ascii: "n"): for letter in "null" { try take(letter) }
        default: try number()
        }
    }

    private mutating func object(depth: Int) throws(Violation) {
        try take("{")
        space()
        if peek == UInt8(ascii: "}") { return try take("}") }
        while true {
            let nameStart = position
            try string()
            let name = Self.text(Array(bytes[(nameStart + 1)..<(position - 1)]))
            space()
            try take(":")
            space()
            let start = position
            try value(depth: depth)
            if depth == 1 && isObject { members.append(Member(name: name, range: start..<position)) }
            space()
            guard peek == UInt8(ascii: ",") else { break }
            try take(",")
            space()
        }
        try take("}")
    }

    private mutating func array(depth: Int) throws(Violation) {
        try take("[")
        space()
        if peek == UInt8(ascii: "]") { return try take("]") }
        while true {
            try value(depth: depth)
            space()
            guard peek == UInt8(ascii: ",") else { break }
            try take(",")
            space()
        }
        try take("]")
    }

    private mutating func string() throws(Violation) {
        try take("\"")
        while let byte = peek, byte != UInt8(ascii: "\"") {
            if byte < 0x20 { throw .invalid }
            position += 1
            guard byte == UInt8(ascii: "\\") else { continue }
            guard let escaped = peek, "\"\\/bfnrtu".utf8.contains(escaped) else { throw .invalid }
            position += 1
            guard escaped == UInt8(ascii: "u") else { continue }
            for _ in 0..<4 {
                guard let digit = peek, Self.hexadecimal(digit) != nil else { throw .invalid }
                position += 1
            }
        }
        try take("\"")
    }

    private mutating func number() throws(Violation) {
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if peek == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        guard peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") else { return }
        position += 1
        if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
        try digits()
    }

    private mutating func digits() throws(Violation) {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        if position == start { throw .invalid }
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt32? {
        Character(Unicode.Scalar(byte)).isASCII ? UInt32(String(Unicode.Scalar(byte)), radix: 16) : nil
    }

    /// The text between the quotes of a valid string, without its escapes; U+FFFD for half a surrogate pair.
    static func text(_ content: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        var units: [UInt16] = []
        var index = 0
        func flush() {
            // Decoding UTF-16 replaces unpaired surrogates.
            text += Array(String(decoding: units, as: UTF16.self).utf8)
            units = []
        }
        while index < content.count {
            if content[index] == UInt8(ascii: "\\"), content[index + 1] == UInt8(ascii: "u") {
                let digits = String(decoding: content[(index + 2)..<(index + 6)], as: UTF8.self)
                units.append(UInt16(digits, radix: 16) ?? 0)
                index += 6
                continue
            }
            flush()
            if content[index] == UInt8(ascii: "\\") {
                let letters: [UInt8: UInt8] = [0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09]
                text.append(letters[content[index + 1]] ?? content[index + 1])
                index += 2
            } else {
                text.append(content[index])
                index += 1
            }
        }
        flush()
        return text
    }
}
