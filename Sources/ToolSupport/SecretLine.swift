/// A secret on one line: the contents of a file, or the value of a variable.
package enum SecretLine {
    /// Why it cannot be used: a clause that follows the name of its source and never shows the contents.
    package enum Unusable: String, Error {
        case empty = "is empty"
        case severalLines = "holds more than one line"
    }

    /// The line without a byte order mark, and without white space and line ends around it.
    package static func parse(_ bytes: [UInt8]) throws(Unusable) -> [UInt8] {
        let line = trimmed(bytes)
        guard !line.isEmpty else { throw .empty }
        guard !line.contains(where: isLineEnd) else { throw .severalLines }
        return Array(line)
    }

    /// Whether there is nothing but white space.
    package static func isBlank(_ bytes: [UInt8]) -> Bool { trimmed(bytes).isEmpty }

    /// Whether bytes hold the end of a line that is not blank, so that nothing else has to be waited for.
    package static func isComplete(_ bytes: [UInt8]) -> Bool {
        let isMarked = bytes.starts(with: mark)
        return bytes.dropFirst(isMarked ? mark.count : 0).drop(while: isWhiteSpace).contains(where: isLineEnd)
    }

    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private static func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        var rest = bytes.dropFirst(bytes.starts(with: mark) ? mark.count : 0).drop(while: isWhiteSpace)
        while let last = rest.last, isWhiteSpace(last) { rest.removeLast() }
        return rest
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
}
