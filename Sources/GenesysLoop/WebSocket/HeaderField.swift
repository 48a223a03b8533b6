/// One header field of HTTP (RFC 9112 §5).
package struct HeaderField: Hashable, Sendable {
    /// The name in lower case.
    package var name: String
    /// The value without white space at its ends.
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// Reads a line without its end.
    ///
    /// Refused: a folded line (RFC 9112 §5.2), white space before the colon (§5.1), a name that is no token, control
    /// characters in the value.
    init(line: [UInt8]) throws(HTTPHeadError) {
        if line.first == 0x20 || line.first == 0x09 { throw .foldedHeader }
        guard let colon = line.firstIndex(of: .colon), ASCII.isToken(line[..<colon]) else { throw .malformedHeader }
        let value = ASCII.trimmed(line[(colon + 1)...])
        guard value.allSatisfy(ASCII.isFieldCharacter) else { throw .malformedHeader }
        name = String(decoding: ASCII.lowercased(line[..<colon]), as: UTF8.self)
        self.value = String(decoding: value, as: UTF8.self)
    }

    /// Appends `name: value` and the end of the line, and refuses what would end the line early.
    static func append(_ name: String, _ value: String, to head: inout [UInt8]) throws(InvalidHeader) {
        guard ASCII.isToken(name.utf8) else { throw InvalidHeader("The name of a header is not a token.") }
        guard value.utf8.allSatisfy(ASCII.isFieldCharacter) else {
            throw InvalidHeader("The value of the header \(name) holds a control character.")
        }
        head.append(contentsOf: "\(name): \(value)\r\n".utf8)
    }
}
