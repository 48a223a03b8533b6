internal import CProcess
package import GenesysLoop

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The calls of the operating system that the tool makes, with their errors as values.
@safe package enum SystemCalls {
    package static let standardInput: Int32 = 0
    package static let standardOutput: Int32 = 1
    package static let standardError: Int32 = 2

    /// A failed call: its object, and the value of `errno`.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        /// What could not be used: a path, or a description.
        package let object: String
        package let code: Int32

        package init(_ object: String, code: Int32 = errno) {
            self.object = object
            self.code = code
        }

        /// The reader of a pipe or socket is gone.
        package var isClosedPipe: Bool { code == EPIPE }

        /// The process or the system has no free descriptor.
        package var isDescriptorShortage: Bool { code == EMFILE || code == ENFILE }

        /// The error in words, for a sentence that names the object.
        package var text: String { UVError(operation: "", code: -code).text }

        /// The object, and the error in words.
        package var description: String { "\(object): \(text)" }
    }

    /// Opens closed standard descriptors, each in the direction in which it cannot be used.
    ///
    /// Otherwise a socket could get one of these numbers, and output would be written to it.
    package static func reserveStandardDescriptors() throws(Failure) {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) == -1 {
            // The path is a C string, valid during the call. The lowest free number is the missing one.
            let number = unsafe open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
            guard number >= 0 else { throw Failure("/dev/null") }
        }
    }

    /// Writes a part of `bytes` and waits as long as necessary; returns at least 1, the number of bytes written.
    ///
    /// The descriptor keeps its flags: if it does not block, the call waits for it.
    package static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(Failure) -> Int {
        while true {
            // The slice's memory is valid during the call, which reads no further than its end.
            let count = unsafe bytes.withUnsafeBytes { unsafe systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count > 0 || bytes.isEmpty { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: _ = wait(for: Int16(POLLOUT), on: descriptor, milliseconds: -1)
            default: throw Failure(name(of: descriptor))
            }
        }
    }

    static func name(of descriptor: Int32) -> String {
        switch descriptor {
        case standardOutput: "standard output"
        case standardError: "standard error"
        default: "descriptor \(descriptor)"
        }
    }

    /// Writes all of `text`; unwritable text is lost.
    package static func writeAll(_ text: String, to descriptor: Int32) {
        _ = try? writeAll(Array(text.utf8), to: descriptor)
    }

    /// Writes all of `bytes`.
    package static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty { rest = rest.dropFirst(try write(rest, to: descriptor)) }
    }

    /// The contents of a file, a pipe or a device, at most `maxByteCount` bytes of it.
    package static func read(_ path: String, maxByteCount: Int) throws(Failure) -> [UInt8] {
        // The path is a C string, valid during the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(path) }
        defer { _ = close(descriptor) }
        return try read(descriptor, path, maxByteCount: maxByteCount)
    }

    /// The contents of a file, a pipe or a device that holds a secret on one line, at most `maxByteCount` bytes of it.
    ///
    /// A pipe is not read beyond its first line: its writer may keep it open.
    ///
    /// - Returns: the bytes, and whether other users can read the file.
    package static func readSecret(
        _ path: String, maxByteCount: Int
    ) throws(Failure) -> (bytes: [UInt8], isExposed: Bool) {
        // The path is a C string, valid during the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(path) }
        defer { _ = close(descriptor) }
        let bytes = try read(descriptor, path, maxByteCount: maxByteCount, until: SecretLine.isComplete)
        return (bytes, isExposed(descriptor))
    }

    /// A secret on the first line of standard input.
    package static func readSecretFromStandardInput(maxByteCount: Int) throws(Failure) -> [UInt8] {
        try read(standardInput, "standard input", maxByteCount: maxByteCount, until: SecretLine.isComplete)
    }

    /// Whether a file can be read by users other than its owner.
    ///
    /// The rule is libpq's for private keys: the group may read a file of root, because that is how a service gets its
    /// files, for example the credentials of systemd.
    package static func isExposed(_ path: String) -> Bool {
        var status = stat()
        // The path is a C string, valid during the call, and so is the variable.
        return unsafe stat(path, &status) == 0 && isExposed(status)
    }

    private static func isExposed(_ descriptor: Int32) -> Bool {
        var status = stat()
        // The variable is valid during the call.
        return unsafe fstat(descriptor, &status) == 0 && isExposed(status)
    }

    private static func isExposed(_ status: stat) -> Bool {
        guard status.st_mode & S_IFMT == S_IFREG else { return false }
        return status.st_mode & (status.st_uid == 0 ? 0o037 : 0o077) != 0
    }

    /// The rest of standard input, at most `maxByteCount` bytes of it.
    package static func readStandardInput(maxByteCount: Int) throws(Failure) -> [UInt8] {
        try read(standardInput, "standard input", maxByteCount: maxByteCount)
    }

    /// - Parameter isComplete: says that nothing more is needed.
    private static func read(
        _ descriptor: Int32, _ name: String, maxByteCount: Int, until isComplete: ([UInt8]) -> Bool = { _ in false }
    ) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= maxByteCount {
            // The array's memory is valid during the call, which writes no further than its end.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe systemRead(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count > 0 {
                bytes += chunk[..<count]
                if isComplete(bytes) { return bytes }
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: _ = wait(for: Int16(POLLIN), on: descriptor, milliseconds: -1)
            default: throw Failure(name)
            }
        }
        throw Failure(name, code: EFBIG)
    }

    /// Waits for an event of `poll`; false on a time-out. -1 waits without end.
    package static func wait(for events: Int16, on descriptor: Int32, milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        while true {
            // The entry is valid during the call.
            let count = unsafe poll(&entry, 1, milliseconds)
            if count >= 0 { return count > 0 }
            if errno != EINTR { return true }
        }
    }

    /// The absolute path without links; the path itself if it cannot be resolved.
    package static func absolutePath(_ path: String) -> String {
        // The path is a C string, valid during the call; the caller frees the result.
        guard let absolute = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(absolute) }
        return unsafe String(cString: absolute)
    }

    /// The device and the inode of an open file as `device:inode`, the form of systemd's JOURNAL_STREAM; nil if it is
    /// closed.
    package static func identity(of descriptor: Int32) -> String? {
        var status = stat()
        // The variable is valid during the call.
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        return "\(status.st_dev):\(status.st_ino)"
    }

    /// The width of a terminal in characters; 80 where it is unknown.
    package static func columns(of terminal: Int32) -> Int {
        var size = winsize()
        // The variable is valid during the call.
        guard unsafe ioctl(terminal, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Whether the process has a terminal that controls it, and the terminal is still open; nil if the system has no
    /// descriptor left to find out.
    static var hasTerminal: Bool? {
        // The path is a C string, valid during the call, which does not wait for the terminal.
        let descriptor = unsafe open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor < 0 else {
            _ = close(descriptor)
            return true
        }
        return errno == EMFILE || errno == ENFILE ? nil : false
    }

    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Asks the user at the terminal, without showing the input; nil if there is no terminal.
    ///
    /// A signal that ends the process meanwhile leaves a terminal that shows its input.
    package static func passphrase(_ prompt: String) -> [UInt8]? {
        let isGuarded = terminal_guard()
        defer { if isGuarded { terminal_release() } }
        // The prompt is a C string, valid during the call. The answer is in the C library's memory until the next call:
        // it is copied, and wiped there.
        guard let answer = unsafe getpass(prompt) else { return nil }
        let count = unsafe strlen(answer)
        let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: answer, count: count))
        unsafe memset(answer, 0, count)
        return bytes
    }

    package static var processIdentifier: Int32 { getpid() }

    /// The monotonic clock of the system.
    package static func monotonicMicroseconds() -> Int64 {
        var time = timespec()
        // The variable is valid during the call.
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    package static func wallTime() -> WallTime {
        var time = timespec()
        // The variable is valid during the call.
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, bytes, count)
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(descriptor, bytes, count)
}
