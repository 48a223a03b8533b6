/// The ASCII classes of URIs and HTTP heads.
package enum ASCII {
    package static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte)
    }

    package static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x61...0x66).contains(byte | 0x20)
    }

    /// The value of a hexadecimal digit.
    package static func hexValue(_ byte: UInt8) -> UInt8? {
        guard isHexDigit(byte) else { return nil }
        return isDigit(byte) ? byte & 0x0F : (byte & 0x0F) + 9
    }

    package static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x61...0x7A).contains(byte | 0x20)
    }

    /// RFC 9110 §5.6.2: a character of a token.
    package static func isTokenCharacter(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    /// RFC 9110 §5.6.2: at least one character, all of them of a token.
    package static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(isTokenCharacter)
    }

    /// RFC 9110 §5.5: visible, space, tab, or beyond ASCII.
    package static func isFieldCharacter(_ byte: UInt8) -> Bool {
        byte == 0x09 || (byte >= 0x20 && byte != 0x7F)
    }

    /// The bytes with A–Z as a–z.
    package static func lowercased(_ bytes: some Collection<UInt8>) -> [UInt8] {
        bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }

    /// The text with A–Z as a–z, in any locale.
    package static func lowercased(_ text: some StringProtocol) -> String {
        String(decoding: lowercased(Array(text.utf8)), as: UTF8.self)
    }

    /// The bytes without spaces and tabs at both ends (RFC 9110 §5.6.3: `OWS`).
    package static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return bytes
    }

    /// The elements of a comma-separated list, trimmed, empty ones dropped (RFC 9110 §5.6.1.2).
    ///
    /// A comma inside of a quoted string (§5.6.4) does not end an element.
    package static func listElements(_ value: String) -> [String] {
        var isQuoted = false
        var isEscaped = false
        let elements = Array(value.utf8).split { byte in
            defer { isEscaped = isQuoted && byte == UInt8(ascii: "\\") && !isEscaped }
            if byte == UInt8(ascii: "\""), !isEscaped { isQuoted.toggle() }
            return byte == UInt8(ascii: ",") && !isQuoted
        }
        return elements.compactMap { element in
            let element = trimmed(element)
            return element.isEmpty ? nil : String(decoding: element, as: UTF8.self)
        }
    }

    /// The bytes with each percent-encoded one as itself (RFC 3986 §2.1); a percent sign without digits stays.
    package static func percentDecoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            guard byte == .percent, digits.count == 2, digits.allSatisfy(isHexDigit) else {
                decoded.append(byte)
                continue
            }
            decoded.append(digits.reduce(0) { $0 << 4 | (hexValue($1) ?? 0) })
            rest = rest.dropFirst(2)
        }
        return decoded
    }
}

extension UInt8 {
    package static let colon = UInt8(ascii: ":")
    package static let slash = UInt8(ascii: "/")
    package static let questionMark = UInt8(ascii: "?")
    package static let at = UInt8(ascii: "@")
    package static let percent = UInt8(ascii: "%")
    package static let dot = UInt8(ascii: ".")
    package static let carriageReturn = UInt8(ascii: "\r")
    package static let lineFeed = UInt8(ascii: "\n")
}

extension StringProtocol {
    /// Whether both are the same bytes of UTF-8.
    ///
    /// `==` also holds for texts that are canonically equivalent (Unicode 16 §2.12), such as `é` in one code point and
    /// in two, or the Kelvin sign and `K`. A peer or a file system tells them apart: use this for names.
    package func isExactly(_ other: some StringProtocol) -> Bool {
        utf8.elementsEqual(other.utf8)
    }
}

/// White space in settings such as environment variables, as Unicode defines it, line ends and tabs included.
package enum WhiteSpace {
    /// The text without white space at its ends.
    package static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }

    /// The elements of a list between white space and commas; none is empty.
    package static func elements(_ list: String) -> [String] {
        list.unicodeScalars.split { $0 == "," || $0.properties.isWhitespace }.map { String($0) }
    }
}
