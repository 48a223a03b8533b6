/// Checks the JSON grammar of a whole message (RFC 8259) and finds the members of its outermost object.
///
/// One pass over the bytes, no recursion, no allocation, no tree. It accepts exactly the texts of the grammar, except
/// that it refuses a byte order mark (§8.1 leaves that open) and more than `ContainerStack.maxDepth` nested containers
/// (§9). That strings are UTF-8 is checked by the WebSocket codec (RFC 6455 §8.1); here any byte from 0x80 is taken
/// inside a string and refused elsewhere. It is memory-safe on any input.
///
///     value ──scalar──────────────▶ after value ──"," (+ name ":" in an object)──▶ value
///       │ ▲                          │  ▲   │
///       │ └─ "{" name ":" or "[" ────┘  └───┘ "}" "]"
///       └─ "{}" "[]" ─▶ after value           the outermost value is complete ─▶ end
package struct EnvelopeScanner: Sendable {
    private var position: Int
    private var open = ContainerStack()
    private var members = Envelope()
    /// The known member of the outermost object whose value is being scanned, and where that value starts.
    private var field: Envelope.Field?
    private var fieldStart = 0
    /// Whether the last string held a `\`.
    private var hasEscapes = false

    @inline(always)
    private init(position: Int) {
        self.position = position
    }

    /// Scans one whole message.
    ///
    /// Allocates nothing; linear in the size of the message.
    ///
    /// - Returns: the known members of the outermost object, as ranges of the message.
    /// - Throws: the first breach of the grammar; `.notAnObject` only where there is none.
    package static func scan(_ message: Span<UInt8>) throws(EnvelopeError) -> Envelope {
        var scanner = EnvelopeScanner(position: 0)
        guard message.word(at: 0) & 0xFF_FFFF != 0xBF_BBEF else {
            throw .invalidJSON(offset: 0, .byteOrderMark)
        }
        let first = scanner.skipWhiteSpace(in: message)
        try scanner.scanValue(in: message)
        _ = scanner.skipWhiteSpace(in: message)
        guard scanner.position == message.count else {
            throw .invalidJSON(offset: scanner.position, .trailingBytes)
        }
        guard first == UInt8(ascii: "{") else { throw .notAnObject }
        return scanner.members
    }

    /// Scans the one value that starts at `offset`.
    ///
    /// - Returns: where it ends, its known members if it is an object, and whether it is a string with escapes.
    static func scanValue(
        at offset: Int, in message: Span<UInt8>
    ) throws(EnvelopeError) -> (end: Int, members: Envelope, hasEscapes: Bool) {
        var scanner = EnvelopeScanner(position: offset)
        try scanner.scanValue(in: message)
        return (scanner.position, scanner.members, scanner.hasEscapes)
    }

    @inline(always)
    private mutating func scanValue(in message: Span<UInt8>) throws(EnvelopeError) {
        while true {
            guard try completesValue(in: message) else { continue }
            guard try anotherFollows(in: message) else { return }
        }
    }

    /// Takes a scalar, an empty container, or the start of a container up to its first value.
    ///
    /// - Returns: whether a value is complete; false where `position` is at the next value.
    @inline(always)
    private mutating func completesValue(in message: Span<UInt8>) throws(EnvelopeError) -> Bool {
        switch message.byteOrZero(at: position) {
        case UInt8(ascii: "\""):
            position = try endOfString(in: message)
        case UInt8(ascii: "{"):
            try enter(isObject: true)
            guard skipWhiteSpace(in: message) != UInt8(ascii: "}") else { return leave() }
            try scanName(in: message)
            return false
        case UInt8(ascii: "["):
            try enter(isObject: false)
            guard skipWhiteSpace(in: message) != UInt8(ascii: "]") else { return leave() }
            return false
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            position = try JSONNumber.end(from: position, in: message)
        case UInt8(ascii: "t"): try scanLiteral(PackedName("true"), in: message)
        case UInt8(ascii: "f"): try scanLiteral(PackedName("false"), in: message)
        case UInt8(ascii: "n"): try scanLiteral(PackedName("null"), in: message)
        default: throw EnvelopeScanner.flaw(.expectedValue, at: position, in: message)
        }
        return true
    }

    /// Takes what follows a complete value: the ends of containers, a comma, the name of the next member.
    ///
    /// - Returns: whether another value follows, at `position`; false when the outermost value is complete.
    @inline(always)
    private mutating func anotherFollows(in message: Span<UInt8>) throws(EnvelopeError) -> Bool {
        while true {
            if open.depth <= 1 {
                guard open.depth == 1 else { return false }
                recordMember(in: message)
            }
            let byte = skipWhiteSpace(in: message)
            if byte == UInt8(ascii: ",") {
                position &+= 1
                _ = skipWhiteSpace(in: message)
                if open.isObject { try scanName(in: message) }
                return true
            }
            guard byte == (open.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                throw EnvelopeScanner.flaw(.expectedCommaOrEnd, at: position, in: message)
            }
            _ = leave()
        }
    }

    /// Takes a member's name, its colon and the white space up to its value.
    @inline(always)
    private mutating func scanName(in message: Span<UInt8>) throws(EnvelopeError) {
        let start = position
        guard message.byteOrZero(at: start) == UInt8(ascii: "\"") else {
            throw EnvelopeScanner.flaw(.expectedName, at: start, in: message)
        }
        position = try endOfString(in: message)
        let content = start &+ 1..<position &- 1
        guard skipWhiteSpace(in: message) == UInt8(ascii: ":") else {
            throw EnvelopeScanner.flaw(.expectedColon, at: position, in: message)
        }
        position &+= 1
        _ = skipWhiteSpace(in: message)
        // Names further in, whatever they are, are the topic's own.
        if open.depth == 1 {
            field = PackedName(content, hasEscapes: hasEscapes, in: message).flatMap { Envelope.Field($0) }
            fieldStart = position
        }
    }

    /// Takes down the value that has just been completed in the outermost object, if its name is known.
    @inline(always)
    private mutating func recordMember(in message: Span<UInt8>) {
        guard let field else { return }
        let kind = JSONSlice.Kind(firstByte: message.byteOrZero(at: fieldStart))
        let slice = JSONSlice(kind: kind, hasEscapes: kind == .string && hasEscapes, range: fieldStart..<position)
        members.record(slice, as: field)
        self.field = nil
    }
}

extension EnvelopeScanner {
    /// Opens a container at `position`.
    @inline(always)
    private mutating func enter(isObject: Bool) throws(EnvelopeError) {
        guard open.push(isObject: isObject) else { throw .tooDeep(offset: position) }
        position &+= 1
    }

    /// Closes the container whose last byte is at `position`; true, for it is a complete value now.
    @inline(always)
    private mutating func leave() -> Bool {
        position &+= 1
        open.pop()
        return true
    }

    /// Moves to the next byte that is not white space, and returns it; 0 at the end.
    @inline(always)
    private mutating func skipWhiteSpace(in message: Span<UInt8>) -> UInt8 {
        let byte = message.byteOrZero(at: position)
        guard byte <= 0x20 else { return byte }
        position = EnvelopeScanner.endOfWhiteSpace(from: position, in: message)
        return message.byteOrZero(at: position)
    }

    /// RFC 8259 §2: space, tab, line feed, carriage return.
    @inline(never)
    private static func endOfWhiteSpace(from start: Int, in message: Span<UInt8>) -> Int {
        var position = start
        while true {
            switch message.byteOrZero(at: position) {
            case 0x20, 0x09, 0x0A, 0x0D: position &+= 1
            default: return position
            }
        }
    }

    /// Takes `true`, `false` or `null`.
    @inline(always)
    private mutating func scanLiteral(_ literal: PackedName, in message: Span<UInt8>) throws(EnvelopeError) {
        let end = position &+ literal.byteCount
        guard PackedName(position..<end, hasEscapes: false, in: message) == literal else {
            throw EnvelopeScanner.flaw(.invalidLiteral, at: position, in: message)
        }
        position = end
    }

    /// The offset after the string whose opening quote is at `position`.
    ///
    /// Sets `hasEscapes`.
    @inline(always)
    private mutating func endOfString(in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        var offset = JSONString.special(from: position &+ 1, in: message)
        hasEscapes = false
        while true {
            switch message.byteOrZero(at: offset) {
            case UInt8(ascii: "\""): return offset &+ 1
            case UInt8(ascii: "\\"):
                hasEscapes = true
                offset = try JSONString.endOfEscape(at: offset, in: message)
                offset = JSONString.special(from: offset, in: message)
            default: throw EnvelopeScanner.flaw(.controlCharacter, at: offset, in: message)
            }
        }
    }

    /// The flaw at `offset`, or the early end of the text where that is what there is.
    @inline(never)
    static func flaw(_ flaw: JSONFlaw, at offset: Int, in message: Span<UInt8>) -> EnvelopeError {
        .invalidJSON(offset: offset, offset >= message.count ? .unexpectedEnd : flaw)
    }
}
