@testable import GenesysLoop

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// An address on loopback that neither answers nor refuses: its queue of connections is full.
///
/// Valid while the object lives; use `withExtendedLifetime`, since the optimizer releases it after its last use.
final class SilentAddress {
    let address: SocketAddress
    private let descriptors: [Int32]

    /// Nil if the system offers no such address.
    init?() {
        var all: [Int32] = []
        // What is left in here was not passed on.
        defer { for descriptor in all { close(descriptor) } }
        func make() -> Int32 {
            #if canImport(Darwin)
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
            #else
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            #endif
            all.append(descriptor)
            return descriptor
        }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = make()
        // The name lives for each call.
        let isListening = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                unsafe bind(listener, raw, size) == 0 && listen(listener, 0) == 0
                    && getsockname(listener, raw, &size) == 0
            }
        }
        guard isListening else { return nil }
        // The first is queued, the others find no room; no connection is ever accepted.
        for _ in 0..<4 {
            let client = make()
            _ = fcntl(client, F_SETFL, O_NONBLOCK)
            _ = unsafe withUnsafePointer(to: &name) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                    unsafe connect(client, raw, size)
                }
            }
        }
        guard let address = SocketAddress(numeric: "127.0.0.1", port: UInt16(bigEndian: name.sin_port)) else {
            return nil
        }
        self.address = address
        descriptors = all
        all = []
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }
}
