#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The way to the socket at which a service manager, such as systemd, receives the state of a service: sd_notify(3).
/// Each message is one datagram.
@safe package final class NotifySocket {
    /// What happens to a message.
    package enum Outcome: Equatable {
        case sent
        /// The manager has not read the earlier ones: try again later.
        case full
        case failed(SystemCalls.Failure)
    }

    private let descriptor: Int32
    private let name: String
    private var address: sockaddr_un
    private let addressByteCount: socklen_t

    /// Creates the socket; nothing is sent.
    ///
    /// - Parameter name: the path of the manager's socket, or `@` and an abstract name (of Linux).
    package init(to name: String) throws(SystemCalls.Failure) {
        var bytes = Array(name.utf8)
        guard bytes.first == UInt8(ascii: "/") || bytes.first == UInt8(ascii: "@"), bytes.count > 1 else {
            throw SystemCalls.Failure(name, code: EAFNOSUPPORT)
        }
        let isAbstract = bytes[0] == UInt8(ascii: "@")
        // An abstract name begins with a zero and has no other end than its length; a path ends with a zero.
        if isAbstract { bytes[0] = 0 } else { bytes.append(0) }
        address = sockaddr_un()
        guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemCalls.Failure(name, code: ENAMETOOLONG)
        }
        address.sun_family = sa_family_t(AF_UNIX)
        // The bytes fit, as was checked.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let head = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        addressByteCount = socklen_t(head + bytes.count)
        self.name = name
        #if canImport(Darwin)
        descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
        #elseif canImport(Musl)
        descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
        #else
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #endif
        guard descriptor >= 0 else { throw SystemCalls.Failure("a socket") }
        #if canImport(Darwin)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        #endif
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { _ = close(descriptor) }

    /// Sends a message. It never waits.
    ///
    /// - Parameter message: lines of `NAME=value`.
    package func send(_ message: String) -> Outcome {
        let bytes = Array(message.utf8)
        // The address is a member of `self`, and the array is valid during the call, which reads no further than its
        // end. SIGPIPE is ignored by the process.
        let count = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe sendto(descriptor, bytes, bytes.count, 0, address, addressByteCount)
            }
        }
        if count == bytes.count { return .sent }
        switch errno {
        case EAGAIN, ENOBUFS, EINTR: return .full
        default: return .failed(SystemCalls.Failure(name))
        }
    }
}
