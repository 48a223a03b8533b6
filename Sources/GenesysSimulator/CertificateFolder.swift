internal import GenesysLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A folder with the three files of `SimulatorCertificates`.
///
/// Existing files are never overwritten.
struct CertificateFolder {
    static let caName = "ca.pem"
    static let chainName = "server.pem"
    static let keyName = "server-key.pem"
    /// More than any reasonable chain; another kind of file must not fill the memory.
    static let maxByteCount = 1_048_576

    let path: String

    init(_ path: String) throws(SimulatorError) {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw SimulatorError(.certificates, "The path of the certificate folder is empty or holds a zero byte.")
        }
        self.path = path
    }

    func file(_ name: String) -> String {
        path.hasSuffix("/") ? path + name : "\(path)/\(name)"
    }

    /// The existing ones of the three names, in the order of creation.
    var present: [String] {
        // The path is a C string for the call.
        [Self.keyName, Self.chainName, Self.caName].filter { unsafe access(file($0), F_OK) == 0 }
    }

    /// Makes the folder and its parents if they are missing; only their owner may enter.
    func make() throws(SimulatorError) {
        var end = path.startIndex
        while end != path.endIndex {
            end = path[end...].dropFirst().firstIndex(of: "/") ?? path.endIndex
            let part = String(path[..<end])
            // The path is a C string for the call.
            guard unsafe mkdir(part, 0o700) != 0 else { continue }
            let code = errno
            // The path is a C string for the call. A parent may exist where we may not create a folder.
            let exists = unsafe access(part, F_OK) == 0
            if code == EEXIST || (exists && end != path.endIndex) { continue }
            throw failure("make the folder", part, code)
        }
    }

    /// Writes a file that does not exist yet.
    func write(_ bytes: [UInt8], to name: String, mode: mode_t) throws(SimulatorError) {
        let file = file(name)
        // The path is a C string for the call.
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("make the file", file, errno) }
        var done = 0
        var code: Int32 = 0
        while done < bytes.count, code == 0 {
            // The span's memory is borrowed for the call, which reads no further than its end.
            let count = unsafe bytes.span.extracting(done...).withUnsafeBytes { rest in
                unsafe systemWrite(descriptor, rest.baseAddress, rest.count)
            }
            if count >= 0 { done += count } else if errno != EINTR { code = errno }
        }
        // Sets the exact mode, whatever the umask is.
        if code == 0, fchmod(descriptor, mode) != 0 { code = errno }
        if close(descriptor) != 0, code == 0 { code = errno }
        guard code == 0 else {
            remove(name)
            throw failure("write the file", file, code)
        }
    }

    func remove(_ name: String) {
        // The path is a C string for the call.
        _ = unsafe unlink(file(name))
    }

    func read(_ name: String) throws(SimulatorError) -> [UInt8] {
        let file = file(name)
        // The path is a C string for the call. A pipe without a writer must not block.
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("open the file", file, errno) }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= Self.maxByteCount {
            // The array's memory is lent for the call, which writes no further than its end.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe systemRead(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count > 0 {
                bytes += chunk[..<count]
            } else if errno != EINTR {
                throw failure("read the file", file, errno)
            }
        }
        throw SimulatorError(.certificates, "The file \(file) is too large for a PEM file.")
    }

    private func failure(_ what: String, _ file: String, _ code: Int32) -> SimulatorError {
        let text = UVError(operation: what, code: -code).text
        return SimulatorError(.certificates, "Cannot \(what) \(file) for the simulator's certificates: \(text).")
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, bytes, count)
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(descriptor, bytes, count)
}
