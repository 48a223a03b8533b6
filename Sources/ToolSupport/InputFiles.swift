/// Reads the files named on the command line, each of them once: a pipe cannot be read a second time.
package struct InputFiles {
    /// A larger file is a mistake.
    package static let maxByteCount = 16 * 1_048_576

    /// Keyed by the bytes of the path, as the file system compares them.
    private var contents: [[UInt8]: [UInt8]] = [:]

    package init() {}

    /// The contents of a file. May block, for example on a pipe without a writer.
    package mutating func read(_ path: String) throws(SystemCalls.Failure) -> [UInt8] {
        let name = Array(path.utf8)
        if let known = contents[name] { return known }
        let bytes = try SystemCalls.read(path, maxByteCount: InputFiles.maxByteCount)
        contents[name] = bytes
        return bytes
    }
}
