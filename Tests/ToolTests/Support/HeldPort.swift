import Foundation

/// A TCP port of 127.0.0.1 without a listener, which no other program can use while this lives.
final class HeldPort: Sendable {
    let port: UInt16
    private let descriptor: Int32

    /// - Parameter wanted: the port; by default any free one.
    init(_ wanted: UInt16 = 0, listens: Bool = false) throws {
        #if canImport(Darwin)
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = wanted.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // The address is valid during each call.
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let bound = unsafe bind(descriptor, address, length)
                return unsafe bound == 0 ? getsockname(descriptor, address, &length) : bound
            }
        }
        if code != 0 || (listens && listen(descriptor, 1) != 0) { throw POSIXError(.EADDRNOTAVAIL) }
        port = UInt16(bigEndian: address.sin_port)
    }

    /// Waits for a connection; the caller owns its descriptor. Negative after a failure.
    func accept() -> Int32 {
        systemAccept(descriptor)
    }

    deinit { close(descriptor) }

    /// A port for a program that cannot report which port it took.
    ///
    /// It is below the ports that the system assigns, so that no other program gets it in the meantime, and a
    /// connection to it cannot connect to itself.
    static func unused() -> UInt16 {
        var port: UInt16
        repeat { port = .random(in: 10_000...30_000) } while (try? HeldPort(port)) == nil
        return port
    }

    /// Whether a server listens on a port of 127.0.0.1: connects to it, and closes.
    static func isListening(_ port: UInt16) -> Bool {
        guard let client = try? HeldPort() else { return false }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        // The address is valid during the call.
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(client.descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

private func systemAccept(_ descriptor: Int32) -> Int32 {
    accept(descriptor, nil, nil)
}
