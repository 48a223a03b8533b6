/// The text of JSON strings, decoded and encoded (RFC 8259 §7).
package enum JSONText {
    /// The replacement for an unpaired surrogate.
    ///
    /// The grammar allows one (`"\uD800"`), Unicode text does not (RFC 8259 §8.2).
    static let replacement: Unicode.Scalar = "\u{FFFD}"

    /// The text of a string of a scanned message.
    ///
    /// - Parameters:
    ///   - range: the bytes between the quotes.
    ///   - hasEscapes: whether there is a `\` in them.
    ///   - message: the message.
    /// - Returns: the text; U+FFFD for each unpaired surrogate and for bytes that are not UTF-8.
    package static func decode(_ range: Range<Int>, hasEscapes: Bool, in message: Span<UInt8>) -> String {
        guard hasEscapes else { return message.extracting(range).text() }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)  // no escape is shorter than its scalar
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = message.byteOrZero(at: position)
            if byte == UInt8(ascii: "\\") {
                let escape = escape(at: position, in: message)
                bytes.append(contentsOf: UTF8.encode(escape.scalar)!)
                position += escape.byteCount
            } else {
                bytes.append(byte)
                position += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The scalar of the escape whose `\` is at `offset`, and the escape's byte count: 2, 6 or, for a pair, 12.
    ///
    /// The scanner has checked its form; for other input the result is meaningless, but memory-safe.
    static func escape(at offset: Int, in message: Span<UInt8>) -> (scalar: Unicode.Scalar, byteCount: Int) {
        switch message.byteOrZero(at: offset &+ 1) {
        case UInt8(ascii: "b"): return ("\u{8}", 2)
        case UInt8(ascii: "f"): return ("\u{C}", 2)
        case UInt8(ascii: "n"): return ("\n", 2)
        case UInt8(ascii: "r"): return ("\r", 2)
        case UInt8(ascii: "t"): return ("\t", 2)
        case UInt8(ascii: "u"): break
        case let other: return (Unicode.Scalar(other), 2)  // \" \\ \/
        }
        let unit = hexadecimal(at: offset &+ 2, in: message)
        if let scalar = Unicode.Scalar(unit) { return (scalar, 6) }
        // A surrogate with its other half is one scalar, alone it is U+FFFD (RFC 8259 §7, §8.2).
        guard unit < 0xDC00, message.byteOrZero(at: offset &+ 6) == UInt8(ascii: "\\"),
            message.byteOrZero(at: offset &+ 7) == UInt8(ascii: "u")
        else { return (replacement, 6) }
        let low = hexadecimal(at: offset &+ 8, in: message)
        guard (0xDC00...0xDFFF).contains(low) else { return (replacement, 6) }
        let value = 0x1_0000 &+ (UInt32(unit) &- 0xD800) << 10 &+ (UInt32(low) &- 0xDC00)
        return (Unicode.Scalar(value) ?? replacement, 12)
    }

    /// Four hexadecimal digits.
    private static func hexadecimal(at offset: Int, in message: Span<UInt8>) -> UInt16 {
        var value: UInt16 = 0
        for index in 0..<4 {
            value = value << 4 | UInt16(hexadecimalDigit(message.byteOrZero(at: offset &+ index)) ?? 0)
        }
        return value
    }

    /// The value of a hexadecimal digit of either case.
    @inline(always)
    static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- UInt8(ascii: "a") &+ 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte &- UInt8(ascii: "A") &+ 10
        default: nil
        }
    }

    /// Appends `text` as a JSON string with its quotes.
    package static func append(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        appendEscaped(text, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    /// Appends `text` as it appears between the quotes: escaped are `"`, `\`, control characters, and DEL, which
    /// terminals act on.
    package static func appendEscaped(_ text: String, to output: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0x08: append(escaped: "b", to: &output)
            case 0x09: append(escaped: "t", to: &output)
            case 0x0A: append(escaped: "n", to: &output)
            case 0x0C: append(escaped: "f", to: &output)
            case 0x0D: append(escaped: "r", to: &output)
            case 0..<0x20, 0x7F:
                output.append(contentsOf: "\\u00".utf8)
                output.append(UInt8(ascii: "0") &+ byte >> 4)
                output.append(contentsOf: String(byte & 0xF, radix: 16).utf8)
            default: output.append(byte)
            }
        }
    }

    private static func append(escaped letter: Unicode.Scalar, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        output.append(UInt8(ascii: letter))
    }
}
