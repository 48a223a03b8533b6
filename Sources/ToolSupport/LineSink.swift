#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What a `LineWriter` writes to: a descriptor of its process, or a file of its own, which can be opened again.
///
/// No call waits for anybody but `write`.
@safe package struct LineSink: Sendable {
    /// The file; nil for a descriptor that the process was given.
    private let path: String?
    /// Nil while the FIFO has no reader.
    private var descriptor: Int32?
    /// Whether an earlier run left the file without the end of its last line.
    private var isTorn = false

    /// Names what it writes to, in a sentence.
    package var name: String { path.map { "“\($0)”" } ?? SystemCalls.name(of: descriptor ?? -1) }

    /// Whether it is a file of its own.
    var canReopen: Bool { path != nil }

    /// Whether `write` can be called; a FIFO waits for its reader until then.
    package var isOpen: Bool { descriptor != nil }

    /// A descriptor of the process; it keeps its flags and is never closed.
    package init(to descriptor: Int32) {
        path = nil
        self.descriptor = descriptor
    }

    /// Opens a file for appending, or makes it, with mode 0640 less the umask.
    package init(appendingTo path: String) throws(SystemCalls.Failure) {
        self.path = path
        do throws(SystemCalls.Failure) {
            try open(path)
        } catch  where error.code == ENXIO && FileKind(path) == .pipe {
            return
        }
    }

    /// Opens the file again, by its path. If that fails, the old one stays.
    ///
    /// - Throws: with the code `ENXIO` for a FIFO without a reader.
    mutating func reopen() throws(SystemCalls.Failure) {
        guard let path else { return }
        let old = descriptor
        try open(path)
        if let old { _ = close(old) }
    }

    private mutating func open(_ path: String) throws(SystemCalls.Failure) {
        // `O_NONBLOCK` is for the call alone: no FIFO without a reader, and no serial line without a carrier, makes it
        // wait.
        let opened = systemOpen(
            path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0o640)
        guard opened >= 0 else { throw SystemCalls.Failure(path) }
        _ = fcntl(opened, F_SETFL, O_APPEND)
        isTorn = LineSink.isTorn(opened, path)
        descriptor = opened
    }

    /// Closes a file; a descriptor of the process stays open.
    func end() {
        if path != nil, let descriptor { _ = close(descriptor) }
    }

    // MARK: - Writing

    /// Writes a part of `bytes`, as `SystemCalls.write` does.
    ///
    /// - Precondition: `isOpen`.
    mutating func write(_ bytes: ArraySlice<UInt8>) throws(SystemCalls.Failure) -> Int {
        guard let descriptor else { preconditionFailure("a sink is written to that is not open") }
        do throws(SystemCalls.Failure) {
            if isTorn { _ = try SystemCalls.write([0x0A], to: descriptor) }
            isTorn = false
            return try SystemCalls.write(bytes, to: descriptor)
        } catch {
            throw SystemCalls.Failure(path ?? error.object, code: error.code)
        }
    }

    /// Removes the beginning of a line from the end of a regular file: writing its rest has failed.
    ///
    /// A file to which another process has appended since is left as it is, and so is what is not a regular file.
    ///
    /// - Parameter byteCount: how many bytes of the line were written.
    func cutBack(_ byteCount: Int) {
        guard byteCount > 0, let descriptor, let status = LineSink.status(of: descriptor) else { return }
        // After a write the offset is behind its last byte, with `O_APPEND` too.
        guard FileKind(status) == .regular, lseek(descriptor, 0, SEEK_CUR) == status.st_size else { return }
        _ = ftruncate(descriptor, status.st_size - off_t(byteCount))
    }

    // MARK: - Files

    private static func status(of descriptor: Int32) -> stat? {
        var status = stat()
        // The variable is valid during the call.
        return unsafe fstat(descriptor, &status) == 0 ? status : nil
    }

    /// Whether a regular file ends with a line that has no end. False for a file that the process must not read.
    private static func isTorn(_ descriptor: Int32, _ path: String) -> Bool {
        guard let status = status(of: descriptor), FileKind(status) == .regular, status.st_size > 0 else {
            return false
        }
        // Reading needs a descriptor of its own: with one for both, opening a FIFO would not notice a missing reader.
        let reading = systemOpen(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0)
        guard reading >= 0 else { return false }
        defer { _ = close(reading) }
        guard let same = self.status(of: reading), same.st_ino == status.st_ino, same.st_dev == status.st_dev else {
            return false
        }
        var last: UInt8 = 0x0A
        // The variable is valid during the call, which writes one byte.
        return unsafe pread(reading, &last, 1, status.st_size - 1) == 1 && last != 0x0A
    }
}

private func systemOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
    // The path is a C string, valid during the call.
    unsafe open(path, flags, mode)
}
