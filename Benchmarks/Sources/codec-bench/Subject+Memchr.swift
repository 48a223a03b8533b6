#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

extension Subject {
    /// The speed at which this machine reads these messages.
    static func memchr(_ group: String, on messages: [[UInt8]]) -> Subject {
        Subject(group, yardstick, lending: messages) { message in
            // The pointer lives for the closure. No byte of UTF-8 is 0xFF, so the search goes to the end.
            unsafe message.withUnsafeBytes { bytes in
                unsafe search(bytes.baseAddress, 0xFF, bytes.count) == nil ? 1 : 0
            }
        }
    }

    @inline(never)
    private static func search(_ start: UnsafeRawPointer?, _ byte: Int32, _ count: Int) -> UnsafeMutableRawPointer? {
        guard let start = unsafe start else { return nil }
        #if canImport(Darwin)
        return unsafe Darwin.memchr(start, byte, count)
        #else
        return unsafe Glibc.memchr(start, byte, count)
        #endif
    }
}
