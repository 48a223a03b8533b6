import GenesysLoop

/// The line of JSON with which a server announces its address.
package struct Announcement {
    /// An OAuth client, and where it gets its tokens and channels.
    package struct Client {
        private let id: String
        private let secret: String
        /// The address of `/oauth/token` and of `/api/v2/…`.
        private let base: String
        /// A name in the place of a region's domain, which the addresses replace.
        private let region: String

        package init(id: String, secret: String, base: String, region: String) {
            self.id = id
            self.secret = secret
            self.base = base
            self.region = region
        }

        fileprivate func add(to line: inout JSONObject) {
            line.add("clientId", id)
            line.add("clientSecret", secret)
            line.add("region", region)
            line.add("loginBase", base)
            line.add("apiBase", base)
        }
    }

    private let uri: String
    private let caFile: String?
    private let client: Client?

    /// Creates it.
    ///
    /// - Parameters:
    ///   - caFile: the CA file for clients; nil without TLS.
    ///   - client: the client that the REST side requires; nil if it requires none.
    package init(uri: String, caFile: String?, client: Client? = nil) {
        self.uri = uri
        self.caFile = caFile
        self.client = client
    }

    /// Passes it to the writer of standard output immediately.
    package func write(to writer: LineWriter) {
        var line = JSONObject()
        line.add("uri", uri)
        if let caFile { line.add("caFile", SystemCalls.absolutePath(caFile)) }
        client?.add(to: &line)
        var bytes = line.finished() + [UInt8(ascii: "\n")]
        _ = writer.give(&bytes)
    }
}
