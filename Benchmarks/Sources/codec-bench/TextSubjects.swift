/// The UTF-8 validator, and alternatives that check a text.
enum TextSubjects {
    static let largeASCII = name(.ascii, 16_384)
    static let smallASCII = name(.ascii, 400)

    static func all() -> [Subject] {
        subjects(.ascii, byteCount: 400)
            + TextKind.allCases.flatMap { subjects($0, byteCount: 16_384) }
    }

    private static func name(_ kind: TextKind, _ byteCount: Int) -> String {
        "UTF-8 \(kind.rawValue) " + (byteCount == 16_384 ? "16 KiB" : "\(byteCount) B")
    }

    private static func subjects(_ kind: TextKind, byteCount: Int) -> [Subject] {
        let group = name(kind, byteCount)
        let texts = Corpus.texts(kind, count: byteCount > 1_000 ? 8 : 64, byteCount: byteCount)
        return [
            Subject(group, "UTF8Validator", lending: texts) { isValid($0) ? 1 : 0 },
            Subject(group, "UTF8Validator, 1,000-byte pieces", lending: texts) { isValidInPieces($0) ? 1 : 0 },
            Subject(group, "UTF8Span(validating:)", lending: texts) { text in
                (try? UTF8Span(validating: text)) == nil ? 0 : 1
            },
            Subject(group, "String(validating:)", on: texts) { text in
                String(validating: text, as: UTF8.self) == nil ? 0 : 1
            },
            Subject(group, "naive automaton", on: texts) { NaiveUTF8.isValid($0) ? 1 : 0 },
            .memchr(group, on: texts),
        ]
    }

    @inline(never)
    private static func isValid(_ text: Span<UInt8>) -> Bool {
        UTF8Validator.isValid(text, 0..<text.count)
    }

    /// Cut like fragments, without regard to characters.
    @inline(never)
    private static func isValidInPieces(_ text: Span<UInt8>) -> Bool {
        var validator = UTF8Validator()
        var start = 0
        while start < text.count {
            let end = min(start + 1_000, text.count)
            guard validator.consume(text, start..<end) else { return false }
            start = end
        }
        return validator.isComplete
    }
}
