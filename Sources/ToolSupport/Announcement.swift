import GenesysLoop

/// The line of JSON with which a server announces its address.
package struct Announcement {
    private let uri: String
    private let caFile: String?

    /// Creates it.
    ///
    /// - Parameter caFile: the CA file for clients; nil without TLS.
    package init(uri: String, caFile: String?) {
        self.uri = uri
        self.caFile = caFile
    }

    /// Passes it to the writer of standard output immediately.
    package func write(to writer: LineWriter) {
        var line = JSONObject()
        line.add("uri", uri)
        if let caFile { line.add("caFile", SystemCalls.absolutePath(caFile)) }
        var bytes = line.finished() + [UInt8(ascii: "\n")]
        _ = writer.give(&bytes)
    }
}
