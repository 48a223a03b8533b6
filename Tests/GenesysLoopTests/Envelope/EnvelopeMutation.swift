/// Small changes, like those of a broken sender, a broken reader or an attacker.
enum EnvelopeMutation {
    private static let marks = Array("{}[]\",:\\0123456789.-+eEtfn \n\t\u{1}u/x".utf8) + [0x00, 0x80, 0xBF, 0xC3, 0xFF]
    private static let tokens: [[UInt8]] = [
        "\\u", "\\uD800", "\\uDC00", "\\x", "01", "-", "1.", ".5", "1e", "1e999", "-0", "tru", "nul", "NaN", "//", ",]",
        ",}", "[]", "{}", "\"\"", "\"topicName\":\"v2\",", "\"metadata\":{\"CorrelationId\":1},", "\u{FEFF}", "\u{A0}",
    ].map { Array($0.utf8) }

    static func apply(to document: [UInt8], other: [UInt8], using random: inout EnvelopeRandom) -> [UInt8] {
        var bytes = document
        for _ in 0...random.below(3) where !bytes.isEmpty {
            let position = random.below(bytes.count)
            switch random.below(11) {
            case 0: bytes[position] ^= 1 << UInt8(random.below(8))
            case 1: bytes[position] = UInt8(truncatingIfNeeded: random.next())
            case 2: bytes[position] = marks[random.below(marks.count)]
            case 3: bytes.insert(marks[random.below(marks.count)], at: position)
            case 4: bytes.insert(contentsOf: tokens[random.below(tokens.count)], at: position)
            case 5: bytes.remove(at: position)
            case 6: bytes.removeSubrange(position..<min(bytes.count, position + random.below(12)))
            case 7: bytes.removeSubrange(position...)
            case 8: bytes.insert(contentsOf: bytes[position...].prefix(random.below(12)), at: position)
            case 9: bytes.swapAt(position, random.below(bytes.count))
            default:
                guard !other.isEmpty else { continue }
                bytes.replaceSubrange(position..., with: other[random.below(other.count)...])
            }
        }
        return bytes
    }
}
