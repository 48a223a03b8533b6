/// UTF-8 validation by the standard library, without regard to speed.
enum ReferenceUTF8 {
    static func isValid(_ bytes: some Collection<UInt8>) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
    }

    /// Whether some continuation makes the bytes UTF-8: they are valid except for at most three bytes at the end that
    /// begin a sequence.
    static func isPossible(_ bytes: [UInt8]) -> Bool {
        if isValid(bytes) { return true }
        for count in 1...3 where count <= bytes.count {
            let tail = Array(bytes.suffix(count))
            guard tail[0] >= 0xC0, isValid(bytes.dropLast(count)) else { continue }
            // The legal second bytes depend on the first: one of these three is always legal.
            for second: UInt8 in [0x80, 0x90, 0xA0] {
                for more in 0...2 where isValid(tail + [second] + [UInt8](repeating: 0x80, count: more)) {
                    return true
                }
            }
        }
        return false
    }
}
