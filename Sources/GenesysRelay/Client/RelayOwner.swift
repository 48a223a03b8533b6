#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The name of a writer, unlike that of every other one: host, process and a random number.
enum RelayOwner {
    static func make(using random: inout SystemRandomNumberGenerator) -> String {
        let number = String(random.next() as UInt64, radix: 16)
        return "\(hostName):\(getpid()):" + String(repeating: "0", count: 16 - number.utf8.count) + number
    }

    private static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        // The array is lent for the call, which writes no further than its end; the last byte stays 0.
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "host" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let isPlain = bytes.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }
        return isPlain && !bytes.isEmpty ? String(decoding: bytes, as: UTF8.self) : "host"
    }
}
