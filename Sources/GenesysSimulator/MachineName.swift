#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The name by which other machines may know this one.
enum MachineName {
    /// The host name; nil if a certificate cannot hold it (RFC 1123 §2.1).
    static var current: String? {
        var buffer = [CChar](repeating: 0, count: 256)
        // The array is lent for the call, which writes no further than its end; the last byte stays 0.
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let isName = name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: ".")
        }
        return isName && !name.isEmpty ? name : nil
    }
}
