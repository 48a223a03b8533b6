/// What a TLS connection trusts, accepts and sends.
///
/// Always, without a switch to turn it off: the server's chain and name are always verified; names come only from the
/// certificate's subjectAltName (never from its common name), a DNS wildcard counts only as a whole left-most label, an
/// IP address matches only an IP entry; keys and signatures must satisfy OpenSSL's security level 2 (or a stricter one
/// that the system's OpenSSL configuration demands).
///
/// Files are read when the first channel or client with a configuration is made on a loop, and once more by
/// `UVLoop.reloadTLS()`. An unusable file or value is an error at that time, never a weaker connection.
public struct TLSConfiguration: Hashable, Sendable {
    /// Where the trusted certificates come from.
    ///
    /// Every certificate of the source is an anchor, whether it signed itself or not: trusting an intermediate
    /// authority without its root is possible. One that has expired, or is not valid yet, is skipped in favor of
    /// another one from the source or the server. A chain that ends in it is refused, with a message that names the
    /// file that holds it.
    public enum Trust: Hashable, Sendable {
        /// The system's store: what OpenSSL was built to use, or the environment's `SSL_CERT_FILE` and `SSL_CERT_DIR`;
        /// if both are unset and the built-in places hold nothing, the places of the well-known distributions. An empty
        /// store is an error.
        case system
        /// A file of PEM certificates, in place of the system's store.
        case file(String)
        /// A folder whose files hold PEM certificates, in place of the system's store. All of its files are read,
        /// whatever their names; hidden ones, folders, and files that hold no certificate are skipped.
        case directory(String)
        /// PEM certificates in memory, in place of the system's store.
        case pem([UInt8])
        /// What the host has read from a file of PEM certificates, in place of the system's store. The path only
        /// appears in messages: nothing is read again, so that it may be a pipe.
        case contents([UInt8], ofFile: String)

        /// Whether both are equal; paths are compared by their bytes, as in the file system.
        public static func == (left: Trust, right: Trust) -> Bool {
            switch (left, right) {
            case (.system, .system): true
            case (.file(let left), .file(let right)), (.directory(let left), .directory(let right)):
                left.isExactly(right)
            case (.pem(let left), .pem(let right)): left == right
            case (.contents(let left, let leftPath), .contents(let right, let rightPath)):
                left == right && leftPath.isExactly(rightPath)
            case (.system, _), (.file, _), (.directory, _), (.pem, _), (.contents, _): false
            }
        }
    }

    /// A version of the protocol.
    public enum Version: Int, Hashable, Comparable, Sendable {
        /// TLS 1.2 (RFC 5246).
        case tls12 = 0x0303
        /// TLS 1.3 (RFC 8446).
        case tls13 = 0x0304

        /// Whether the left version is older than the right one.
        public static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }
    }

    /// Where the trusted certificates come from; the system's store by default.
    public var trust: Trust

    /// The oldest version accepted; TLS 1.2 by default.
    ///
    /// A stricter system-wide OpenSSL configuration takes precedence.
    public var minimumVersion: Version

    /// The certificate for a server that requests one; nil, by default, for none.
    public var identity: ClientIdentity?

    /// Pinned keys: the verified chain must hold at least one of them, in the server's certificate or in one of its
    /// issuers', the trusted one included. Empty, by default, for no such condition.
    ///
    /// Pins restrict the trust and never extend it: the chain is verified too.
    public var pins: Set<PublicKeyPin> = []

    /// The name that is sent to the server (SNI), and that its certificate must hold, in place of the host of the URI;
    /// nil by default. An IP address is never sent, but must be in the certificate.
    public var serverName: String?

    /// The protocols offered by ALPN (RFC 7301), the preferred one first; `http/1.1` by default, the protocol of a
    /// WebSocket's upgrade, which browsers offer too. An empty list offers none: the extension is not sent.
    ///
    /// A server that chooses none is accepted. One that chooses a protocol that was not offered breaks TLS
    /// (`protocolViolation`); one that takes none of those offered ends TLS with an alert (`tlsHandshake`). A name has
    /// 1 to 255 bytes; any other is an error when the configuration is first used.
    public var applicationProtocols = ["http/1.1"]

    /// The cipher suites of TLS 1.3, as OpenSSL names separated by colons, for example
    /// `TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256`; nil, by default, for OpenSSL's choice.
    public var cipherSuites: String?

    /// The ciphers of TLS 1.2, as OpenSSL's cipher string, for example `ECDHE+AESGCM`; nil, by default, for OpenSSL's
    /// choice. It cannot lower the security level.
    public var ciphers: String?

    /// The groups for the key exchange, as OpenSSL names separated by colons, for example `X25519:P-256`; nil, by
    /// default, for OpenSSL's choice.
    public var groups: String?

    /// Whether a later connection to the same host resumes a session of an earlier one; true by default.
    ///
    /// Sessions live in memory, per loop, configuration, host and port: at most 64 for a host, a ticket of TLS 1.3 for
    /// one connection only (RFC 8446 §C.4), none for longer than a day after the server's chain was verified in full.
    /// No data is ever sent early.
    public var resumesSessions = true

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - trust: where the trusted certificates come from.
    ///   - minimumVersion: the oldest version accepted.
    public init(trust: Trust = .system, minimumVersion: Version = .tls12) {
        self.trust = trust
        self.minimumVersion = minimumVersion
    }
}

// Key material in memory is never printed; certificates in memory appear only as a count of bytes.

extension ClientIdentity.Source: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The path of a file, or the number of bytes in memory.
    public var description: String {
        switch self {
        case .file(let path): "file “\(path)”"
        case .pem(let pem): "PEM of \(pem.count) bytes"
        case .contents(let pem, let path): "\(pem.count) bytes of the file “\(path)”"
        }
    }

    /// As `description`.
    public var debugDescription: String { description }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension TLSConfiguration.Trust: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The system's store, the path of a file or folder, or the number of bytes in memory.
    public var description: String {
        switch self {
        case .system: "the system's store"
        case .file(let path): "file “\(path)”"
        case .directory(let path): "folder “\(path)”"
        case .pem(let pem): "PEM of \(pem.count) bytes"
        case .contents(let pem, let path): "\(pem.count) bytes of the file “\(path)”"
        }
    }

    /// As `description`.
    public var debugDescription: String { description }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension PrivateKeyPassphrase: CustomReflectable {
    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
