import Testing

@testable import GenesysLoop

@Suite struct UTF8Tests {
    static let valid: [[UInt8]] = [
        [], [0x00], [0x7F], [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0xA0, 0x80], [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80],
        [0xEF, 0xBF, 0xBF], [0xEF, 0xBB, 0xBF], [0xEF, 0xBF, 0xBE], [0xF0, 0x90, 0x80, 0x80],
        [0xF4, 0x8F, 0xBF, 0xBF], utf8("κόσμε"), utf8("日本語 and ASCII, 🎉🇩🇪 mixed with ünïcödé of every width"),
    ]

    /// Bytes, and the index of the first invalid one.
    static let invalid: [(bytes: [UInt8], position: Int)] = [
        ([0x80], 0), ([0xBF], 0), ([0xC0, 0x80], 0), ([0xC1, 0xBF], 0), ([0xFE], 0), ([0xFF], 0), ([0xF5], 0),
        ([0xC2, 0x41], 1), ([0xC2, 0xC2], 1), ([0xE0, 0x9F, 0xBF], 1), ([0xE0, 0x80, 0x80], 1),
        ([0xED, 0xA0, 0x80], 1), ([0xED, 0xBF, 0xBF], 1), ([0xED, 0xAD, 0xBF, 0xED, 0xB0, 0x80], 1),
        ([0xE1, 0x80, 0x41], 2), ([0xE1, 0x41, 0x80], 1), ([0xEF, 0xBF, 0xC0], 2), ([0xF0, 0x8F, 0xBF, 0xBF], 1),
        ([0xF0, 0x80, 0x80, 0x80], 1), ([0xF4, 0x90, 0x80, 0x80], 1), ([0xF1, 0x80, 0x80, 0x41], 3),
        ([0xF1, 0x80, 0xC0, 0x80], 2), ([0xF7, 0xBF, 0xBF, 0xBF], 0), ([0xF8, 0x88, 0x80, 0x80, 0x80], 0),
        ([0xFC, 0x84, 0x80, 0x80, 0x80, 0x80], 0), (utf8("κόσμε") + [0xED, 0xA0, 0x80], 12 - 1),
    ]

    /// The fast paths depend on the position, so each vector is tested at several.
    static let paddings = [0, 1, 3, 7, 8, 15, 31, 32, 33, 70]

    @Test(arguments: valid) func `valid sequences pass wherever they stand`(bytes: [UInt8]) {
        for before in Self.paddings {
            for after in Self.paddings {
                let padded = Array(repeating: 0x61, count: before) + bytes + Array(repeating: 0x62, count: after)
                #expect(Self.isValid(padded))
            }
        }
    }

    @Test(arguments: invalid.indices) func `invalid sequences fail wherever they stand`(index: Int) {
        let bytes = Self.invalid[index].bytes
        for before in Self.paddings {
            for after in Self.paddings {
                let padded = Array(repeating: 0x61, count: before) + bytes + Array(repeating: 0x62, count: after)
                #expect(!Self.isValid(padded))
            }
        }
    }

    @Test(arguments: invalid.indices) func `an invalid sequence fails at its first impossible byte`(index: Int) {
        let (bytes, position) = Self.invalid[index]
        var validator = UTF8Validator()
        for (at, byte) in bytes[...position].enumerated() {
            let isPossible = validator.consume([byte].span, 0..<1)
            #expect(isPossible == (at < position), "byte \(at)")
        }
    }

    @Test(arguments: [0...40, 120...150, 250...275])
    func `the first byte beyond ASCII is found at every position, and no byte outside of the range counts`(
        _ counts: ClosedRange<Int>
    ) {
        for count in counts {
            for start in [0, 1, 13] {
                var bytes = [UInt8](repeating: 0xFF, count: start) + [UInt8](repeating: 0x7F, count: count)
                bytes += [UInt8](repeating: 0xFF, count: 20)
                let range = start..<start + count
                #expect(Bytes.endOfASCII(in: bytes.span, range) == range.upperBound)
                for position in range {
                    bytes[position] = 0x80
                    let found = Bytes.endOfASCII(in: bytes.span, range)
                    bytes[position] = 0x7F
                    if found != position { Issue.record("\(count) bytes from \(start): \(position), found \(found)") }
                }
            }
        }
    }

    @Test(arguments: valid) func `a valid sequence passes in fragments and reads of every size`(bytes: [UInt8]) {
        for cut in 0...bytes.count {
            let stream = frame(0x01, Array(bytes[..<cut])) + frame(0x89, []) + frame(0x80, Array(bytes[cut...]))
            #expect(DecoderHarness.eventsOfEveryCut(stream) == [.ping([]), .message(.text, bytes)])
        }
    }

    @Test func `every cut sequence is incomplete and not invalid`() {
        for bytes in Self.valid {
            var validator = UTF8Validator()
            for (index, byte) in bytes.enumerated() {
                let isPossible = validator.consume([byte].span, 0..<1)
                #expect(isPossible)
                let isBoundary = index + 1 == bytes.count || bytes[index + 1] & 0xC0 != 0x80
                #expect(validator.isComplete == isBoundary)
            }
        }
    }

    /// All of the first plane, every 251st value beyond it and beyond the last plane.
    @Test func `scalars, surrogates and values beyond Unicode are judged right`() {
        var wrong: [UInt32] = []
        var buffer = [UInt8](repeating: 0x20, count: 8)
        let values = Array(UInt32(0x80)...0xFFFF) + Array(stride(from: UInt32(0x1_0000), to: 0x20_0000, by: 251))
        for value in values + [0x10_FFFF, 0x11_0000] {
            let bytes = Self.encode(value)
            for index in 0..<4 { buffer[index] = index < bytes.count ? bytes[index] : 0x20 }
            let isScalar = Unicode.Scalar(value) != nil
            if UTF8Validator.isValid(buffer.span, 0..<8) != isScalar { wrong.append(value) }
        }
        #expect(wrong == [])
    }

    @Test func `random bytes are judged like the standard library judges them`() {
        var generator = SeededGenerator(seed: 6455)
        let alphabet: [UInt8] = [0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xE0, 0xE1, 0xED, 0xF0, 0xF1, 0xF4]
        var wrong: [[UInt8]] = []
        for _ in 0..<4_000 {
            let count = Int.random(in: 0...12, using: &generator)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            let expected = String(validating: bytes, as: UTF8.self) != nil
            let cut = Int.random(in: 0...count, using: &generator)
            var validator = UTF8Validator()
            let isValid =
                validator.consume(bytes.span, 0..<cut) && validator.consume(bytes.span, cut..<count)
                && validator.isComplete
            if isValid != expected || Self.isValid(bytes) != expected { wrong.append(bytes) }
        }
        #expect(wrong == [])
    }

    private static func isValid(_ bytes: [UInt8]) -> Bool {
        UTF8Validator.isValid(bytes.span, 0..<bytes.count)
    }

    private static func encode(_ value: UInt32) -> [UInt8] {
        func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(value >> shift & 0x3F) }
        return switch value {
        case ..<0x800: [0xC0 | UInt8(value >> 6), tail(0)]
        case ..<0x1_0000: [0xE0 | UInt8(value >> 12), tail(6), tail(0)]
        default: [0xF0 | UInt8(value >> 18), tail(12), tail(6), tail(0)]
        }
    }
}
