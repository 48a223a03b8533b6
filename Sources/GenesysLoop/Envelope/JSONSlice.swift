/// The position and the kind of one JSON value in a message.
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

    package let kind: Kind
    /// A string that holds at least one `\`; always false for other kinds.
    package let hasEscapes: Bool
    // Two `Int` would be twice as large, and each message passes on an envelope full of slices.
    private let lowerBound: UInt32
    private let upperBound: UInt32

    /// The longest message whose values a slice can address.
    package static let maxMessageByteCount = Int(UInt32.max)

    /// The whole value: a string's with its quotes, an object's with its braces.
    package var range: Range<Int> { Int(lowerBound)..<Int(upperBound) }

    /// The value in `range` of a scanned message.
    init(_ range: Range<Int>, in message: Span<UInt8>) {
        kind = Kind(firstByte: message.byteOrZero(at: range.lowerBound))
        hasEscapes = kind == .string && JSONString.hasEscapes(range, in: message)
        lowerBound = UInt32(range.lowerBound)
        upperBound = UInt32(range.upperBound)
    }

    /// The value from `start` to `end`, at most `maxMessageByteCount`, for a caller that knows whether a string has
    /// escapes.
    @inline(__always)
    init(from start: Int, to end: Int, firstByte: UInt8, hasEscapes: Bool) {
        if firstByte == UInt8(ascii: "\"") {
            kind = .string
        } else {
            kind = firstByte == UInt8(ascii: "{") ? .object : Kind(firstByte: firstByte)
        }
        self.hasEscapes = hasEscapes && kind == .string
        lowerBound = UInt32(truncatingIfNeeded: start)
        upperBound = UInt32(truncatingIfNeeded: end)
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

extension JSONSlice {
    /// The value of a whole message, of any kind (RFC 8259 §2).
    ///
    /// - Throws: the first violation of the grammar.
    package static func whole(_ message: Span<UInt8>) throws(EnvelopeError) -> JSONSlice {
        do throws(EnvelopeError) {
            _ = try EnvelopeScanner.scan(message)
        } catch {
            guard error == .notAnObject else { throw error }
        }
        let start = EnvelopeScanner.endOfWhiteSpace(from: 0, in: message)
        return JSONSlice(start..<(try EnvelopeScanner.scanValue(at: start, in: message)).end, in: message)
    }

    /// The members of an object, in order; empty for a value of another kind.
    ///
    /// - Parameter message: the whole message, which was scanned and found valid.
    package func members(in message: Span<UInt8>) -> [(name: String, value: JSONSlice)] {
        guard kind == .object else { return [] }
        var members: [(name: String, value: JSONSlice)] = []
        var name: String?
        var position = range.lowerBound &+ 1
        // Between the names and values of an object that was scanned there are only colons, commas and white space.
        while position < range.upperBound &- 1 {
            switch message.byteOrZero(at: position) {
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D:
                position &+= 1
            default:
                guard let value = try? EnvelopeScanner.scanValue(at: position, in: message) else { return members }
                let slice = JSONSlice(position..<value.end, in: message)
                if let known = name {
                    members.append((known, slice))
                    name = nil
                } else {
                    name = slice.string(in: message)
                }
                position = value.end
            }
        }
        return members
    }

    /// The values of an array, in order; empty for a value of another kind.
    ///
    /// - Parameter message: the whole message, which was scanned and found valid.
    package func elements(in message: Span<UInt8>) -> [JSONSlice] {
        guard kind == .array else { return [] }
        var elements: [JSONSlice] = []
        var position = range.lowerBound &+ 1
        // Between the values of an array that was scanned there are only commas and white space.
        while position < range.upperBound &- 1 {
            switch message.byteOrZero(at: position) {
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                position &+= 1
            default:
                guard let value = try? EnvelopeScanner.scanValue(at: position, in: message) else { return elements }
                elements.append(JSONSlice(position..<value.end, in: message))
                position = value.end
            }
        }
        return elements
    }
}
