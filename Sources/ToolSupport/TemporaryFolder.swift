import GenesysLoop

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A private folder with one file in it.
@safe package struct TemporaryFolder: Sendable {
    /// The file.
    package let file: String
    private let path: String

    /// Makes the folder (mode 0700) where the environment specifies, and the file in it.
    package init(file name: String, contents: [UInt8]) throws(SystemCalls.Failure) {
        let wanted = Environment.value(of: "TMPDIR")
        let parent = wanted ?? "/tmp"
        var template = Array("\(parent)/genesys-loop-XXXXXX".utf8CString)
        // The array, which ends with a zero, is valid during the call, which changes its last characters.
        guard unsafe mkdtemp(&template) != nil else {
            throw SystemCalls.Failure("a temporary folder in \(parent)\(wanted == nil ? "" : ", which TMPDIR names")")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        file = "\(path)/\(name)"
        do throws(SystemCalls.Failure) {
            try TemporaryFolder.write(contents, to: file)
        } catch {
            remove()
            throw error
        }
    }

    /// Removes the folder and its file. Any thread; calling it again does nothing.
    package func remove() {
        // The paths are C strings, valid during each call.
        _ = unsafe unlink(file)
        _ = unsafe rmdir(path)
    }

    private static func write(_ contents: [UInt8], to file: String) throws(SystemCalls.Failure) {
        // The path is a C string, valid during the call.
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemCalls.Failure(file) }
        defer { _ = close(descriptor) }
        do throws(SystemCalls.Failure) {
            try SystemCalls.writeAll(contents, to: descriptor)
        } catch {
            throw SystemCalls.Failure(file, code: error.code)
        }
    }
}
