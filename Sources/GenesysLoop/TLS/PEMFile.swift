/// Files of certificates and keys.
enum PEMFile {
    /// A bundle is a few hundred KiB; more than this is not one.
    static let maxByteCount = 16 * 1_048_576

    /// Reads a file to its end.
    ///
    /// - Parameter origin: what it is, with its path, for the sentence of the error; in lower case.
    static func contents(of path: String, origin: String) throws(TLSError) -> [UInt8] {
        ErrorQueue.clear()
        guard !path.isEmpty, let file = OwnedBIO(path: path), let contents = file.readAll(maxByteCount: maxByteCount)
        else {
            let reason = ErrorQueue.drain().entries.first?.text ?? "No such file or directory"
            throw .configuration("\(TLSError.capitalized(origin)) cannot be read: \(reason).", operation: "read")
        }
        guard contents.count <= maxByteCount else {
            throw .configuration(
                "\(TLSError.capitalized(origin)) exceeds the limit of \(maxByteCount / 1_048_576) MiB.",
                operation: "read")
        }
        return contents
    }
}
