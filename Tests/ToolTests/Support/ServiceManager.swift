import Foundation

/// A datagram socket that receives the messages of a service, as systemd's does.
final class ServiceManager: @unchecked Sendable {
    /// The value of `NOTIFY_SOCKET`.
    let name: String
    private let descriptor: Int32
    private let path: String?

    init(isAbstract: Bool) throws {
        let identifier = "genesys-loop-\(UUID().uuidString)"
        path = isAbstract ? nil : FileManager.default.temporaryDirectory.appending(path: identifier).path
        name = path ?? "@\(identifier)"
        #if canImport(Darwin)
        descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
        #else
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        #endif
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = isAbstract ? [0] + Array(identifier.utf8) : Array(name.utf8)
        // The path is shorter than 100 bytes; a path, unlike an abstract name, may have zeros behind it.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let count = socklen_t(2 + bytes.count)
        // The address is valid during the call.
        let code = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, count) }
        }
        guard code == 0 else { throw CocoaError(.fileWriteUnknown) }
        // A test that waits for a message that does not come must end.
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        // The value is valid during the call.
        _ = unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close(descriptor)
        if let path { try? FileManager.default.removeItem(atPath: path) }
    }

    /// The lines of the next message; nil if none comes.
    func next() -> [String]? {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        // The array is valid during the call.
        let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The messages up to the first one with this line, that one included.
    func messages(to line: String) async -> [[String]] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                var all: [[String]] = []
                while let message = next() {
                    all.append(message)
                    if message.contains(where: { $0.hasPrefix(line) }) { break }
                }
                continuation.resume(returning: all)
            }
        }
    }
}
