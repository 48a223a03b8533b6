/// Where one JSON value stands in a message, and what it is.
package struct JSONSlice: Equatable, Sendable {
    /// The kinds of JSON values (RFC 8259 §3).
    package enum Kind: Sendable {
        case object, array, string, number, boolean, null

        /// The kind of the valid value that starts with `byte`.
        init(firstByte byte: UInt8) {
            switch byte {
            case UInt8(ascii: "{"): self = .object
            case UInt8(ascii: "["): self = .array
            case UInt8(ascii: "\""): self = .string
            case UInt8(ascii: "t"), UInt8(ascii: "f"): self = .boolean
            case UInt8(ascii: "n"): self = .null
            default: self = .number
            }
        }
    }

    package var kind: Kind
    /// A string that holds at least one `\`; always false for other kinds.
    package var hasEscapes: Bool
    /// The whole value: a string's with its quotes, an object's with its braces.
    package var range: Range<Int>

    /// The value in `range` of a scanned message.
    init(_ range: Range<Int>, in message: Span<UInt8>) {
        kind = Kind(firstByte: message.byteOrZero(at: range.lowerBound))
        hasEscapes = kind == .string && JSONString.hasEscapes(range, in: message)
        self.range = range
    }

    /// The value in `range`, of which it is known whether it has escapes if it is a string.
    @inline(__always)
    init(_ range: Range<Int>, hasEscapes: Bool, in message: Span<UInt8>) {
        kind = Kind(firstByte: message.byteOrZero(at: range.lowerBound))
        self.hasEscapes = kind == .string && hasEscapes
        self.range = range
    }

    /// The raw text between the quotes of a string; `range` of any other value.
    package var content: Range<Int> {
        guard kind == .string, range.count >= 2 else { return range }
        return range.lowerBound &+ 1..<range.upperBound &- 1
    }

    /// The text of a string, nil for any other value.
    ///
    /// - Parameter message: the message that was scanned.
    package func string(in message: Span<UInt8>) -> String? {
        guard kind == .string else { return nil }
        return JSONText.decode(content, hasEscapes: hasEscapes, in: message)
    }
}
