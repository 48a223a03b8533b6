/// Reads files that the command line names, each of them once: a pipe can be read no second time.
package struct InputFiles {
    /// More than this is another file, given by mistake.
    package static let maxByteCount = 16 * 1_048_576

    /// By the bytes of the path, as the file system compares them.
    private var contents: [[UInt8]: [UInt8]] = [:]

    package init() {}

    /// The contents of a file. May block, as a pipe does that nobody has written to yet.
    package mutating func read(_ path: String) throws(SystemCalls.Failure) -> [UInt8] {
        let name = Array(path.utf8)
        if let known = contents[name] { return known }
        let bytes = try SystemCalls.read(path, maxByteCount: InputFiles.maxByteCount)
        contents[name] = bytes
        return bytes
    }
}
