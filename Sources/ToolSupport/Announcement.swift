/// The line of JSON with which a server says that it listens, and where.
package struct Announcement {
    private let uri: String
    private let caFile: String?

    /// Creates it.
    ///
    /// - Parameter caFile: what clients must trust; nil where it speaks without TLS.
    package init(uri: String, caFile: String?) {
        self.uri = uri
        self.caFile = caFile
    }

    /// Writes it to standard output, at once.
    package func write() throws(SystemCalls.Failure) {
        var line = JSONLine()
        line.add("uri", uri)
        if let caFile { line.add("caFile", SystemCalls.absolutePath(caFile)) }
        try SystemCalls.writeAll(Array((line.finished + "\n").utf8), to: SystemCalls.standardOutput)
    }
}
