/// What a client sends to a server that requests a certificate: a certificate, its issuers, and a signature of the
/// private key.
///
/// A server that does not request it never receives it. A server that refuses it, or requires one when none is
/// configured, ends the connection: reason `tlsClientCertificate`.
public struct ClientIdentity: Hashable, Sendable {
    /// Where PEM text comes from.
    public enum Source: Hashable, Sendable {
        /// A file, read when the first channel or client with the configuration is made on a loop, and at each
        /// `UVLoop.reloadTLS()`.
        case file(String)
        /// Text in memory.
        case pem([UInt8])
        /// What the host has read from a file. The path only appears in messages: nothing is read again, so that it may
        /// be a pipe.
        case contents([UInt8], ofFile: String)

        /// Whether both are equal; paths are compared by their bytes, as in the file system.
        public static func == (left: Source, right: Source) -> Bool {
            switch (left, right) {
            case (.file(let left), .file(let right)): left.isExactly(right)
            case (.pem(let left), .pem(let right)): left == right
            case (.contents(let left, let leftPath), .contents(let right, let rightPath)):
                left == right && leftPath.isExactly(rightPath)
            case (.file, _), (.pem, _), (.contents, _): false
            }
        }
    }

    /// The certificate, then its issuers (nearest first, without the root), in PEM.
    public var certificate: Source
    /// The private key in PEM; may be the source of the certificate, if that holds both.
    public var key: Source
    /// For a key that is encrypted; nil, by default, refuses such a key. No prompt appears at a terminal.
    public var passphrase: PrivateKeyPassphrase?

    /// Creates an identity; nothing is read yet.
    public init(certificate: Source, key: Source, passphrase: PrivateKeyPassphrase? = nil) {
        self.certificate = certificate
        self.key = key
        self.passphrase = passphrase
    }

    func apply(to context: borrowing OwnedContext) throws(TLSError) {
        let chain = try Self.read(certificate, "the client certificate")
        try context.useChain(chain.pem, origin: chain.origin)
        let text = try Self.read(key, "the client's private key")
        let key = try OwnedKey(pem: text.pem, origin: text.origin, passphrase: passphrase)
        try context.useKey(key, origin: text.origin)
    }

    private static func read(_ source: Source, _ what: String) throws(TLSError) -> (pem: [UInt8], origin: String) {
        switch source {
        case .file(let path):
            let origin = "\(what) “\(path)”"
            return (try PEMFile.contents(of: path, origin: origin), origin)
        case .contents(let pem, let path):
            return (pem, "\(what) “\(path)”")
        case .pem(let pem):
            return (pem, what)
        }
    }
}
