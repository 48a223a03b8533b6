import Foundation
import Testing

/// Where Foundation's `JSONSerialization` deviates from RFC 8259, and why the scanner does not.
enum EnvelopeDisagreement: String, CaseIterable, CustomTestStringConvertible {
    /// §4, §5: a comma separates two members or elements. Foundation accepts one more before the end.
    case trailingComma
    /// §8.1: a text must not begin with a byte order mark; a parser may ignore one. RFC 6455 §8.1 fixes the encoding,
    /// so the mark carries no information.
    case byteOrderMark
    /// §8.1: exchanged text is UTF-8. Foundation reads zero bytes as UTF-16 and UTF-32.
    case otherEncoding
    /// §7, §8.2: `\uD800` alone fits the grammar; its meaning is left open. Refusing it would lose a notification whose
    /// topic and body are valid; decoded text has U+FFFD in its place.
    case unpairedSurrogate
    /// §6: the grammar has no bounds; a parser may set some for the numbers it makes, but the scanner makes no numbers.
    case numberBeyondDouble

    var testDescription: String { rawValue }

    /// Whether the scanner accepts such a text and Foundation does not.
    var isTakenByScanner: Bool {
        switch self {
        case .trailingComma, .byteOrderMark, .otherEncoding: false
        case .unpairedSurrogate, .numberBeyondDouble: true
        }
    }

    /// Texts about which the two disagree for this reason.
    var examples: [[UInt8]] {
        switch self {
        case .trailingComma:
            ["[1,]", "[1 , ]", "[[],]", #"{"a":1,}"#, "{\"a\":1 ,\n}", #"{"topicName":"a",}"#, #"[{"a":[1,],}]"#]
                .map { Array($0.utf8) }
        case .byteOrderMark: ["\u{FEFF}{}", "\u{FEFF}[1]", "\u{FEFF} \"a\""].map { Array($0.utf8) }
        case .otherEncoding:
            [
                [0x7B, 0, 0x7D, 0], [0, 0x7B, 0, 0x7D], [0x31, 0], [0x31, 0, 0, 0], [0, 0, 0, 0x31],
                [0xFE, 0xFF, 0, 0x7B, 0, 0x7D], [0xFF, 0xFE, 0x7B, 0, 0x7D, 0],
            ]
        case .unpairedSurrogate:
            [
                #""\uD800""#, #""\uDC00""#, #""\uDFFFx""#, #""\uD800\u0041""#, #""\uD800\n""#, #""\uD800\uD800""#,
                #""\uDC00\uD800""#, #"{"\uD800":1}"#, #"{"topicName":"a","eventBody":{"t":"cut \ud83d"}}"#,
            ].map { Array($0.utf8) }
        case .numberBeyondDouble:
            ["1e309", "-1e999", "[1.7976931348623159e308]", #"{"a":1e400}"#, String(repeating: "9", count: 400)]
                .map { Array($0.utf8) }
        }
    }

    /// Whether this is a reason to disagree about `document`.
    ///
    /// - Parameter verdict: the scanner's verdict.
    func explains(_ document: [UInt8], verdict: EnvelopeTesting.Verdict) -> Bool {
        switch self {
        case .trailingComma:
            guard case .refused(let offset) = verdict, document.indices.contains(offset), offset > 0 else {
                return false
            }
            let before = document[..<offset].last { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
            return before == 0x2C && [0x5D, 0x7D].contains(document[offset])
        case .byteOrderMark: return document.starts(with: [0xEF, 0xBB, 0xBF])
        case .otherEncoding:
            return document.prefix(4).contains(0) || document.starts(with: [0xFE, 0xFF])
                || document.starts(with: [0xFF, 0xFE])
        case .unpairedSurrogate: return verdict == .taken && EnvelopeDisagreement.hasUnpairedSurrogate(document)
        case .numberBeyondDouble: return verdict == .taken && EnvelopeDisagreement.hasHugeNumber(document)
        }
    }

    /// Whether the text has a byte order mark anywhere: Foundation drops one at the beginning of a string.
    static func hasMark(_ document: [UInt8]) -> Bool {
        document.indices.dropLast(2).contains {
            document[$0] == 0xEF && document[$0 + 1] == 0xBB && document[$0 + 2] == 0xBF
        }
    }

    /// Walks over the escapes of a valid text.
    private static func hasUnpairedSurrogate(_ document: [UInt8]) -> Bool {
        var index = 0
        var isHighBefore = false
        while index < document.count {
            guard document[index] == 0x5C else {
                if isHighBefore { return true }
                index += 1
                continue
            }
            guard document[index + 1] == 0x75 else {
                if isHighBefore { return true }
                index += 2
                continue
            }
            let unit = UInt16(String(decoding: document[(index + 2)..<(index + 6)], as: UTF8.self), radix: 16) ?? 0
            let isLow = (0xDC00...0xDFFF).contains(unit)
            if isLow != isHighBefore { return true }
            isHighBefore = (0xD800...0xDBFF).contains(unit)
            index += 6
        }
        return isHighBefore
    }

    /// Walks over the numbers of a valid text.
    private static func hasHugeNumber(_ document: [UInt8]) -> Bool {
        var index = 0
        var isInString = false
        while index < document.count {
            let byte = document[index]
            if isInString {
                index += byte == 0x5C ? 2 : 1
                if byte == 0x22 { isInString = false }
            } else if byte == 0x2D || (0x30...0x39).contains(byte) {
                let number = document[index...].prefix { $0 != 0x2C && $0 != 0x5D && $0 != 0x7D && $0 > 0x20 }
                if Double(String(decoding: number, as: UTF8.self))?.isInfinite == true { return true }
                index += number.count
            } else {
                isInString = byte == 0x22
                index += 1
            }
        }
        return false
    }
}
