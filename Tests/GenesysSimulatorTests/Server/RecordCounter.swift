/// Counts TLS 1.3 records with application data in ciphertext that arrives in any pieces (RFC 8446 §5.1).
struct RecordCounter {
    private static let headerByteCount = 5
    /// Two bytes, the type and the tag: an encrypted alert differs only in its size (RFC 8446 §5.2, §6).
    private static let alertByteCount = 19

    private(set) var count = 0
    private var header: [UInt8] = []
    private var rest = 0

    /// Takes the next bytes.
    mutating func receive(_ bytes: [UInt8]) {
        var bytes = bytes[...]
        while !bytes.isEmpty {
            let skipped = min(rest, bytes.count)
            rest -= skipped
            bytes = bytes.dropFirst(skipped)
            guard rest == 0, let byte = bytes.popFirst() else { continue }
            header.append(byte)
            guard header.count == RecordCounter.headerByteCount else { continue }
            rest = Int(header[3]) << 8 | Int(header[4])
            if header[0] == 23, rest > RecordCounter.alertByteCount { count += 1 }
            header = []
        }
    }
}
