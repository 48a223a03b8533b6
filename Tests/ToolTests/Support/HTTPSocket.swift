import Foundation
import Testing

/// A client of HTTP that sends what a test specifies: a blocking socket to a port of 127.0.0.1.
final class HTTPSocket {
    struct Answer: Equatable {
        var status: Int
        /// By their names in lower case.
        var fields: [String: String]
        var body: String
    }

    private let descriptor: Int32
    private var input: [UInt8] = []

    /// Connects.
    ///
    /// - Parameter receiveByteCount: the size of the kernel's buffer for input; nil for the system's.
    init(_ port: UInt16, receiveByteCount: Int32? = nil) throws {
        #if canImport(Darwin)
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        self.descriptor = descriptor
        HTTPSocket.set(SO_RCVTIMEO, timeval(tv_sec: 60 * patience(1), tv_usec: 0), of: descriptor)
        if let receiveByteCount { HTTPSocket.set(SO_RCVBUF, receiveByteCount, of: descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        // The address is valid during the call.
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .ECONNREFUSED) }
    }

    deinit { close(descriptor) }

    private static func set<Value>(_ option: Int32, _ value: Value, of descriptor: Int32) {
        // The value is valid during the call.
        _ = unsafe withUnsafeBytes(of: value) { bytes in
            unsafe setsockopt(descriptor, SOL_SOCKET, option, bytes.baseAddress, socklen_t(bytes.count))
        }
    }

    /// One request on a connection of its own; nil if it got no answer.
    static func get(_ path: String, port: UInt16) -> Answer? {
        guard let socket = try? HTTPSocket(port) else { return nil }
        socket.send("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return socket.next()
    }

    /// Sends everything, as far as the peer still reads.
    @discardableResult
    func send(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            #if canImport(Darwin)
            let flags: Int32 = 0
            #else
            let flags = Int32(MSG_NOSIGNAL)
            #endif
            // The slice is valid during the call.
            let count = unsafe rest.withUnsafeBytes {
                unsafe systemSend(descriptor, $0.baseAddress, $0.count, flags)
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Ends the output.
    func shutdown() {
        #if canImport(Darwin)
        let how = SHUT_WR
        #else
        let how = Int32(SHUT_WR)
        #endif
        _ = systemShutdown(descriptor, how)
    }

    /// The next answer; nil if the connection ended before its end.
    ///
    /// - Parameter omitsBody: the request was HEAD.
    func next(omitsBody: Bool = false) -> Answer? {
        let end = Array("\r\n\r\n".utf8)
        var start: Int?
        while start == nil {
            start = input.firstRange(of: end)?.upperBound
            if start == nil, !receive() { return nil }
        }
        let head = String(decoding: input[..<(start ?? 0)], as: UTF8.self)
        input.removeFirst(start ?? 0)
        var lines = head.components(separatedBy: "\r\n")
        let words = lines.removeFirst().split(separator: " ")
        guard words.first == "HTTP/1.1", words.count > 1, let status = Int(words[1]) else { return nil }
        let fields = lines.compactMap { line -> (String, String)? in
            guard let colon = line.firstRange(of: ": ") else { return nil }
            return (line[..<colon.lowerBound].lowercased(), String(line[colon.upperBound...]))
        }
        var answer = Answer(status: status, fields: Dictionary(fields) { $1 }, body: "")
        let length = omitsBody ? 0 : Int(answer.fields["content-length"] ?? "") ?? 0
        while input.count < length { if !receive() { return nil } }
        answer.body = String(decoding: input[..<length], as: UTF8.self)
        input.removeFirst(length)
        return answer
    }

    /// The next answer if it begins within a time.
    func next(within milliseconds: Int32) -> Answer? {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // The entry is valid during the call.
        return unsafe poll(&entry, 1, milliseconds) > 0 ? next() : nil
    }

    /// Whether the connection was reset, without reading.
    var hasEnded: Bool {
        var entry = pollfd(fd: descriptor, events: 0, revents: 0)
        // The entry is valid during the call.
        return unsafe poll(&entry, 1, 0) > 0
    }

    /// Waits for the end of the connection; returns the bytes until then.
    func rest() -> [UInt8] {
        while receive() {}
        return input
    }

    /// Reads some bytes; false at the end of the connection, or after a minute without a byte.
    private func receive() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        // The array is valid during the call.
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return false }
        input += chunk[..<count]
        return true
    }
}

private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    unsafe send(descriptor, bytes, count, flags)
}

private func systemShutdown(_ descriptor: Int32, _ how: Int32) -> Int32 {
    shutdown(descriptor, how)
}
