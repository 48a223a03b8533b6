internal import GenesysLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A file that lines are appended to. Its calls may block: they are made on a thread of their own.
///
/// Only whole lines stay in a file: what a failed write, or the end of an earlier process, left of a line is cut. A
/// file without a line of a relay is not cut. One process writes it: it is locked while it is open.
struct LineFile: Sendable {
    /// Why it could not be opened or written.
    struct Failure: Error, Equatable {
        let reason: String
        /// Every try would fail.
        let isFinal: Bool
        var kind = RelaySinkFailure.Kind.output
    }

    /// The end of a file.
    struct Tail: Equatable {
        /// The beginning of the last line; nil if there is none.
        var line: [UInt8]?
        /// A line without an end was cut.
        var wasTorn = false
        /// Another process writes it.
        var isHeld = false
    }

    /// How much of the last line is read.
    static let headSize = 4_096
    private static let finalCodes = [EACCES, EPERM, ENOENT, ENOTDIR, EISDIR, EROFS, ELOOP, ENAMETOOLONG, EPIPE, EBADF]

    /// nil is standard output.
    let path: String?
    /// Whether each batch is on the disk before it counts as stored.
    let isSynchronized: Bool
    private var descriptor: Int32 = -1
    /// The end of the last whole line; nil for what is not a plain file.
    private var size: off_t?

    init(path: String?, isSynchronized: Bool) {
        self.path = path
        self.isSynchronized = isSynchronized
    }

    /// Opens the file, cuts a torn last line, and reads the last whole one.
    mutating func open() throws(Failure) -> Tail {
        close()
        do throws(Failure) {
            return try openAndCut()
        } catch {
            close()
            throw error
        }
    }

    /// Opens the file by its path, which may be that of another one now. If it cannot be used, the old one stays.
    mutating func reopen() throws(Failure) {
        guard let path else { return }
        var (before, after) = (stat(), stat())
        // The structures and the path are lent for the calls.
        let isSame = unsafe descriptor >= 0 && fstat(descriptor, &before) == 0 && stat(path, &after) == 0
        guard !isSame || before.st_ino != after.st_ino || before.st_dev != after.st_dev else { return }
        var next = LineFile(path: path, isSynchronized: isSynchronized)
        _ = try next.open()
        close()
        self = next
    }

    private mutating func openAndCut() throws(Failure) -> Tail {
        guard let path else {
            descriptor = dup(1)
            guard descriptor >= 0 else { throw failure("write to", errno) }
            return Tail()
        }
        descriptor = systemOpen(path, O_RDWR | O_CREAT | O_APPEND)
        guard descriptor >= 0 else { throw failure("open", errno) }
        var status = stat()
        // The structure is lent for the call.
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("read", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            size = nil
            return Tail()
        }
        guard lock(LOCK_EX) else { throw held }
        // Another process may have written until now.
        // The structure is lent for the call.
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("read", errno) }
        let (tail, end) = try tail(before: status.st_size)
        if tail.wasTorn {
            guard ftruncate(descriptor, end) == 0 else { throw failure("write", errno) }
        }
        size = end
        return tail
    }

    /// Whether no other process has the file; where the system has no locks, none is known to have it.
    ///
    /// A process that this one starts shares the files until it executes its program: so it is tried for a second.
    private func lock(_ kind: Int32) -> Bool {
        for _ in 0..<20 {
            if flock(descriptor, kind | LOCK_NB) == 0 || errno != EWOULDBLOCK { return true }
            _ = poll(nil, 0, 50)
        }
        return false
    }

    private var held: Failure {
        Failure(
            reason: "Another relay writes this file, \(path ?? "standard output"): give each relay a file of its own.",
            isFinal: true, kind: .held)
    }

    /// The end of a file, and of its whole lines.
    ///
    /// - Throws: if the last line has no end, and no relay wrote it.
    private func tail(before size: off_t) throws(Failure) -> (Tail, end: off_t) {
        let end = try endOfLines(before: size)
        let tail = Tail(line: try lastLine(before: end), wasTorn: end < size)
        guard tail.wasTorn else { return (tail, end) }
        let isOurs =
            if let line = tail.line {
                line.starts(with: LineFile.start) && FileSink.head(Tail(line: line)) != nil
            } else {
                LineFile.start.starts(with: try read(0, Int(min(size, off_t(LineFile.start.count)))))
            }
        guard isOurs else {
            throw Failure(
                reason: "\(path ?? "The file") is no file of a relay: its last line has no end, and is not a record. "
                    + "Give a new file, or end the line.", isFinal: true)
        }
        return (tail, end)
    }

    /// How each record begins.
    private static let start = Array("{\"id\":\"".utf8)

    /// Reads the last whole line, and changes nothing.
    ///
    /// - Parameter asksForLock: whether to find out if another process writes it.
    /// - Throws: if the file, or the folder of one that is not there, cannot be written.
    func look(asksForLock: Bool = false) throws(Failure) -> Tail {
        guard let path else { return Tail() }
        // The paths are C strings for their calls.
        guard unsafe access(path, F_OK) == 0 else {
            let end = path.lastIndex(of: "/")
            let folder = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            guard unsafe access(folder, W_OK | X_OK) == 0 else { throw failure("make", errno) }
            return Tail()
        }
        guard unsafe access(path, W_OK) == 0 else { throw failure("write to", errno) }
        var file = self
        file.descriptor = systemOpen(path, O_RDONLY | O_NONBLOCK)
        guard file.descriptor >= 0 else { throw failure("read", errno) }
        defer { _ = systemClose(file.descriptor) }
        var status = stat()
        // The structure is lent for the call.
        guard unsafe fstat(file.descriptor, &status) == 0 else { throw failure("read", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            guard status.st_mode & S_IFMT != S_IFDIR else { throw failure("write to", EISDIR) }
            return Tail()
        }
        var tail = try file.tail(before: status.st_size).0
        if asksForLock { tail.isHeld = !file.lock(LOCK_SH) }
        return tail
    }

    /// The beginning of the line that ends at `end`.
    private func lastLine(before end: off_t) throws(Failure) -> [UInt8]? {
        guard end > 0 else { return nil }
        let start = try endOfLines(before: end - 1)
        return try read(start, Int(min(end - start, off_t(LineFile.headSize))))
    }

    /// Appends lines, all of them or none.
    mutating func append(_ lines: [UInt8]) throws(Failure) {
        if descriptor < 0 { _ = try open() }
        var done = 0
        while done < lines.count {
            // The span's memory is borrowed for the call, which reads no further than its end.
            let count = unsafe lines.span.extracting(done...).withUnsafeBytes { rest in
                unsafe write(descriptor, rest.baseAddress, rest.count)
            }
            if count >= 0 {
                done += count
            } else if errno == EAGAIN {
                waitUntilWritable()
            } else if errno != EINTR {
                throw undo(errno)
            }
        }
        if isSynchronized, size != nil, fsync(descriptor) != 0 { throw undo(errno) }
        size = size.map { $0 + off_t(lines.count) }
    }

    mutating func close() {
        if descriptor >= 0 {
            if size != nil { _ = fsync(descriptor) }
            _ = systemClose(descriptor)
        }
        descriptor = -1
        size = nil
    }

    // MARK: -

    /// Cuts what was written of a batch. Where that is impossible, no further write can make it good.
    private mutating func undo(_ code: Int32) -> Failure {
        guard let size, ftruncate(descriptor, size) == 0 else {
            return Failure(
                reason: failure("write", code).reason, isFinal: true, kind: code == EPIPE ? .closed : .output)
        }
        return failure("write", code)
    }

    private func waitUntilWritable() {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        // The structure is lent for the call.
        _ = unsafe poll(&entry, 1, 1_000)
    }

    /// The offset behind the last line end before `end`.
    private func endOfLines(before end: off_t) throws(Failure) -> off_t {
        var end = end
        while end > 0 {
            let start = max(0, end - 65_536)
            let bytes = try read(start, Int(end - start))
            if let place = bytes.lastIndex(of: 0x0A) { return start + off_t(place) + 1 }
            end = start
        }
        return 0
    }

    private func read(_ offset: off_t, _ count: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            // The array's memory is lent for the call, which writes no further than its end.
            let part = unsafe bytes.withUnsafeMutableBytes { all in
                unsafe pread(descriptor, all.baseAddress?.advanced(by: done), count - done, offset + off_t(done))
            }
            if part > 0 {
                done += part
            } else if part == 0 {
                break
            } else if errno != EINTR {
                throw failure("read", errno)
            }
        }
        bytes.removeLast(count - done)
        return bytes
    }

    private func failure(_ what: String, _ code: Int32) -> Failure {
        let text = UVError(operation: what, code: -code).text
        return Failure(
            reason: "Cannot \(what) \(path ?? "standard output"): \(text).",
            isFinal: LineFile.finalCodes.contains(code) || path == nil)
    }
}

private func systemOpen(_ path: String, _ flags: Int32) -> Int32 {
    // The path is a C string for the call.
    unsafe open(path, flags | O_CLOEXEC, 0o640)
}

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
