/// What a TLS configuration trusts, and where the certificates were found.
public struct TrustReport: Hashable, Sendable {
    /// A place that holds trusted certificates.
    public struct Source: Hashable, Sendable {
        /// The path of the file or folder; nil for certificates given in memory.
        public var path: String?
        /// How many certificates it holds, without duplicates. In a folder that OpenSSL reads on demand, the count is
        /// that of its files.
        public var certificateCount: Int
    }

    /// The places, in the order of reading; each holds at least one certificate.
    public var sources: [Source] = []

    /// How many certificates all the places hold; a certificate in two of them counts twice.
    public var certificateCount: Int { sources.reduce(0) { $0 + $1.certificateCount } }

    mutating func add(_ count: Int, at path: String?) {
        sources.append(Source(path: path, certificateCount: count))
    }
}

extension TrustReport: CustomStringConvertible {
    /// For example "142 trusted certificates in /etc/ssl/certs/ca-certificates.crt".
    public var description: String {
        let places = sources.map { $0.path ?? "memory" }.joined(separator: " and ")
        return "\(certificateCount) trusted \(certificateCount == 1 ? "certificate" : "certificates") in \(places)"
    }
}
