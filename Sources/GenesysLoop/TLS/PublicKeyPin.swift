/// The key that a server, or one of its issuers, must have: the SHA-256 digest of its SubjectPublicKeyInfo.
///
/// It survives a new certificate for the same key. Get one with
/// `openssl x509 -in FILE -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64`.
///
/// Source: RFC 7469 §2.4.
public struct PublicKeyPin: Hashable, Sendable {
    /// The 32 bytes of the digest.
    public let sha256: [UInt8]

    /// Wraps a digest; nil unless it has 32 bytes.
    public init?(sha256: [UInt8]) {
        guard sha256.count == 32 else { return nil }
        self.sha256 = sha256
    }

    /// Reads `sha256/` and the digest in Base64, as curl writes it; the prefix may be missing.
    public init?(_ text: String) {
        let prefix = "sha256/"
        let digits = text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : text[...]
        guard let digest = HandshakeKey.bytes(ofBase64: String(digits)) else { return nil }
        self.init(sha256: digest)
    }
}

extension PublicKeyPin: CustomStringConvertible {
    /// `sha256/` and the digest in Base64.
    public var description: String { "sha256/" + HandshakeKey.base64(sha256) }
}
