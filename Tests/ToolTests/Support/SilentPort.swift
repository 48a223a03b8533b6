import Foundation

/// A TCP port of 127.0.0.1 that neither accepts nor refuses: its queue of connections is full.
final class SilentPort: Sendable {
    private let held: HeldPort
    private let descriptors: [Int32]

    var port: UInt16 { held.port }

    init() throws {
        held = try HeldPort(listens: true)
        descriptors = (0..<4).map { [held] _ in SilentPort.connect(to: held.port) }
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }

    /// Starts to connect, without waiting.
    private static func connect(to port: UInt16) -> Int32 {
        #if canImport(Darwin)
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        // The address is valid during the call.
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe systemConnect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return descriptor
    }
}

private func systemConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Int32 {
    unsafe connect(descriptor, address, size)
}
