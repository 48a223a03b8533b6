/// Checks the JSON grammar of a whole message (RFC 8259) and finds the members of its outermost object.
///
/// One pass over the bytes, no recursion, no allocation, no tree; a message that `PlainScanner` accepted is not read
/// again. It accepts exactly the texts of the grammar, except that it refuses a byte order mark (§8.1 leaves that open)
/// and more than `ContainerStack.maxDepth` nested containers (§9). The WebSocket codec checks that strings are UTF-8
/// (RFC 6455 §8.1); this scanner accepts any byte from 0x80 inside a string and refuses it elsewhere. It is memory-safe
/// on any input. `Scripts/bench codec` measures its speed.
///
///     value ──scalar──────────────▶ after value ──"," (+ name ":" in an object)──▶ value
///       │ ▲                          │  ▲   │
///       │ └─ "{" name ":" or "[" ────┘  └───┘ "}" "]"
///       └─ "{}" "[]" ─▶ after value           the outermost value is complete ─▶ end
package struct EnvelopeScanner: Sendable {
    private var members = Envelope()
    /// The known member of the outermost object whose value is being scanned, and where that value starts.
    private var field: Envelope.Field?
    private var fieldStart = 0
    /// Whether the string scanned last holds a `\`.
    private var hasEscapes = false

    private init() {}

    /// Scans one whole message.
    ///
    /// Allocates nothing; linear in the size of the message.
    ///
    /// - Returns: the known members of the outermost object, as ranges of the message.
    /// - Throws: the first violation of the grammar; `.notAnObject` only for valid JSON.
    @inline(__always)
    package static func scan(_ message: Span<UInt8>) throws(EnvelopeError) -> Envelope {
        var members = Envelope()
        guard !PlainScanner.scan(message, into: &members) else { return members }
        return try scanThoroughly(message)
    }

    /// Scans byte by byte what `PlainScanner` does not accept, and finds the error.
    @inline(never)
    package static func scanThoroughly(_ message: Span<UInt8>) throws(EnvelopeError) -> Envelope {
        guard message.word(at: 0) & 0xFF_FFFF != 0xBF_BBEF else {
            throw .invalidJSON(offset: 0, .byteOrderMark)
        }
        let start = endOfWhiteSpace(from: 0, in: message)
        let (end, members) = try scanValue(at: start, in: message)
        let position = endOfWhiteSpace(from: end, in: message)
        guard position == message.count else { throw .invalidJSON(offset: position, .trailingBytes) }
        guard message.byteOrZero(at: start) == UInt8(ascii: "{") else { throw .notAnObject }
        return members
    }

    /// Scans the one value that starts at `offset`.
    ///
    /// - Returns: where it ends, and its known members if it is an object.
    @inline(__always)
    static func scanValue(
        at offset: Int, in message: Span<UInt8>
    ) throws(EnvelopeError) -> (end: Int, members: Envelope) {
        var scanner = EnvelopeScanner()
        let end = try scanner.scan(from: offset, in: message)
        return (end, scanner.members)
    }

    private mutating func scan(from start: Int, in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        var position = start
        var open = ContainerStack()
        while true {
            if open.isObject { position = try scanName(at: position, isOutermost: open.depth == 1, in: message) }
            let first = message.byteOrZero(at: position)
            switch first {
            case UInt8(ascii: "\""):
                position = try endOfString(from: position, in: message)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard open.push(isObject: first == UInt8(ascii: "{")) else { throw .tooDeep(offset: position) }
                position = EnvelopeScanner.endOfWhiteSpace(from: position &+ 1, in: message)
                guard message.byteOrZero(at: position) == open.closingByte else { continue }
                position &+= 1
                open.pop()
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                position = try JSONNumber.end(from: position, in: message)
            default:
                position = try EnvelopeScanner.endOfLiteral(from: position, in: message)
            }
            guard try anotherFollows(&position, &open, in: message) else { return position }
        }
    }

    /// Consumes what follows a complete value: the ends of containers, a comma.
    ///
    /// - Returns: whether a name or another value follows, at `position`; false when the outermost value is complete.
    @inline(__always)
    private mutating func anotherFollows(
        _ position: inout Int, _ open: inout ContainerStack, in message: Span<UInt8>
    ) throws(EnvelopeError) -> Bool {
        while true {
            if open.depth <= 1 {
                guard open.depth == 1 else { return false }
                recordMember(endingAt: position, in: message)
            }
            position = EnvelopeScanner.endOfWhiteSpace(from: position, in: message)
            let byte = message.byteOrZero(at: position)
            guard byte != UInt8(ascii: ",") else {
                position = EnvelopeScanner.endOfWhiteSpace(from: position &+ 1, in: message)
                return true
            }
            guard byte == open.closingByte else {
                throw EnvelopeScanner.violation(.expectedCommaOrEnd, at: position, in: message)
            }
            position &+= 1
            open.pop()
        }
    }

    /// Consumes a member's name, its colon and the white space; returns the offset of the value.
    @inline(__always)
    private mutating func scanName(
        at start: Int, isOutermost: Bool, in message: Span<UInt8>
    ) throws(EnvelopeError) -> Int {
        guard message.byteOrZero(at: start) == UInt8(ascii: "\"") else {
            throw EnvelopeScanner.violation(.expectedName, at: start, in: message)
        }
        let end = try endOfString(from: start, in: message)
        let colon = EnvelopeScanner.endOfWhiteSpace(from: end, in: message)
        guard message.byteOrZero(at: colon) == UInt8(ascii: ":") else {
            throw EnvelopeScanner.violation(.expectedColon, at: colon, in: message)
        }
        let value = EnvelopeScanner.endOfWhiteSpace(from: colon &+ 1, in: message)
        // Names of inner objects belong to the topic.
        if isOutermost {
            field = Envelope.Field(PackedName(start..<end, hasEscapes: hasEscapes, in: message))
            fieldStart = value
        }
        return value
    }

    /// The offset after the string whose opening quote is at `start`.
    @inline(__always)
    private mutating func endOfString(from start: Int, in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        let offset = JSONString.special(from: start &+ 1, in: message)
        hasEscapes = message.byteOrZero(at: offset) != UInt8(ascii: "\"")
        return hasEscapes ? try JSONString.endWithEscapes(from: offset, in: message) : offset &+ 1
    }

    /// Records the value just completed in the outermost object, if its name is known.
    private mutating func recordMember(endingAt end: Int, in message: Span<UInt8>) {
        guard let field else { return }
        let first = message.byteOrZero(at: fieldStart)
        members.record(JSONSlice(from: fieldStart, to: end, firstByte: first, hasEscapes: hasEscapes), as: field)
        self.field = nil
    }

    /// The offset of the next byte from `start` that is not white space (RFC 8259 §2).
    @inline(__always)
    static func endOfWhiteSpace(from start: Int, in message: Span<UInt8>) -> Int {
        guard message.byteOrZero(at: start) <= 0x20 else { return start }
        return endOfLongWhiteSpace(from: start, in: message)
    }

    /// Space, tab, line feed, carriage return.
    @inline(never)
    private static func endOfLongWhiteSpace(from start: Int, in message: Span<UInt8>) -> Int {
        var position = start
        while true {
            switch message.byteOrZero(at: position) {
            case 0x20, 0x09, 0x0A, 0x0D: position &+= 1
            default: return position
            }
        }
    }

    /// The offset after the `true`, `false` or `null` at `start` (RFC 8259 §3).
    @inline(__always)
    static func endOfLiteral(from start: Int, in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        let word = message.word(at: start)
        // The letters of the words, the first in the lowest byte.
        if word & 0xFFFF_FFFF == 0x6575_7274 || word & 0xFFFF_FFFF == 0x6C6C_756E { return start &+ 4 }
        if word & 0xFF_FFFF_FFFF == 0x65_736C_6166 { return start &+ 5 }
        switch message.byteOrZero(at: start) {
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            throw EnvelopeScanner.violation(.invalidLiteral, at: start, in: message)
        default:
            throw EnvelopeScanner.violation(.expectedValue, at: start, in: message)
        }
    }

    /// The error at `offset`; `.unexpectedEnd` if the text ends there.
    @inline(never)
    static func violation(_ violation: JSONViolation, at offset: Int, in message: Span<UInt8>) -> EnvelopeError {
        .invalidJSON(offset: offset, offset >= message.count ? .unexpectedEnd : violation)
    }
}

/// Which containers are open, one bit for each: 512 levels without an allocation or a recursion.
///
/// The innermost 64 levels are in one word; the words above are saved at every 64th level.
struct ContainerStack: Equatable, Sendable {
    /// The deepest nesting accepted; RFC 8259 §9 allows a limit.
    static let maxDepth = 512

    /// The number of open containers.
    private(set) var depth = 0
    private var bits: UInt64 = 0
    private var aside: SIMD8<UInt64> = .zero

    /// Whether the innermost container is an object.
    ///
    /// False when none is open.
    @inline(__always)
    var isObject: Bool { bits & 1 != 0 }

    /// The byte that closes the innermost container: `}` or `]`.
    @inline(__always)
    var closingByte: UInt8 { UInt8(ascii: "]") | UInt8(truncatingIfNeeded: bits & 1) << 5 }

    /// Opens a container.
    ///
    /// - Returns: false, with nothing changed, if it would be too deep.
    @inline(__always)
    mutating func push(isObject: Bool) -> Bool {
        if depth & 63 == 0 && depth > 0 {
            guard depth < ContainerStack.maxDepth else { return false }
            aside[depth / 64 - 1] = bits
        }
        bits = bits << 1 | (isObject ? 1 : 0)
        depth &+= 1
        return true
    }

    /// Closes the innermost container.
    @inline(__always)
    mutating func pop() {
        precondition(depth > 0, "a container was closed that was never opened")
        depth &-= 1
        bits >>= 1
        if depth & 63 == 0 && depth > 0 { bits = aside[depth / 64 - 1] }
    }
}
