/// Whom a TLS connection trusts, and what it accepts.
///
/// Fixed, and without a switch: the server's chain and name are always verified; names come only from the
/// certificate's subjectAltName (never from its common name), a DNS wildcard counts only as a whole left-most label,
/// an IP address matches only an IP entry; keys and signatures must satisfy OpenSSL's security level 2 (or a stricter
/// one that the system's OpenSSL configuration demands).
public struct TLSConfiguration: Hashable, Sendable {
    /// Where the trusted certificates come from.
    ///
    /// Every certificate of the source is an anchor, whether it signed itself or not: trusting an intermediate
    /// authority without its root is possible.
    public enum Trust: Hashable, Sendable {
        /// The system's store: what OpenSSL was built to use, or the environment's `SSL_CERT_FILE` and
        /// `SSL_CERT_DIR`; if both are unset and the built-in places hold nothing, the places where the well-known
        /// distributions keep theirs. An empty store is an error, not a store that trusts nobody.
        case system
        /// A file of PEM certificates, in place of the system's store.
        case file(String)
        /// PEM certificates in memory, in place of the system's store.
        case pem([UInt8])
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
    /// A stricter system-wide OpenSSL configuration wins.
    public var minimumVersion: Version

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
