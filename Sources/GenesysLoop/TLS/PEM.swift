internal import COpenSSL

/// Files of certificates and keys.
enum PEMFile {
    /// Far above any bundle of certificates; a larger file is not one.
    static let maxByteCount = 16 * 1_048_576

    /// Reads a file to its end.
    ///
    /// - Parameter origin: names the file with its path in the sentence of an error; in lower case.
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

/// Reads certificates, one after the other, from a PEM text.
///
/// Other blocks are skipped.
@safe struct PEMReader: ~Copyable {
    private let source: OwnedBIO
    private var position = 0

    init(_ pem: [UInt8]) throws(TLSError) {
        source = try OwnedBIO.holding(pem)
    }

    /// The next certificate; nil after the last.
    ///
    /// - Parameter origin: names the text in the sentence of an error.
    /// - Throws: `TLSError.Fault.configuration` when a certificate cannot be decoded.
    mutating func nextCertificate(of origin: String) throws(TLSError) -> OwnedCertificate? {
        ErrorQueue.clear()
        position += 1
        // The stream lives as long as `self`; the certificate is ours.
        if let certificate = unsafe PEM_read_bio_X509_AUX(source.pointer, nil, noPasswordCallback, nil) {
            return unsafe OwnedCertificate(taking: certificate)
        }
        let queue = ErrorQueue.drain()
        if queue.entries.contains(where: { $0.library == Int(ERR_LIB_PEM) && $0.reason == Int(PEM_R_NO_START_LINE) }) {
            return nil
        }
        throw .configuration(
            "Certificate \(position) of \(origin) cannot be read: \(queue.text).", operation: "PEM_read_bio_X509")
    }

}

/// Returns no password to every request: OpenSSL would otherwise prompt at the terminal.
func noPasswordCallback(
    _ buffer: UnsafeMutablePointer<CChar>?, _ count: Int32, _ isWriting: Int32, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    -1
}
