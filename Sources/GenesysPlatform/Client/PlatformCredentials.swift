public import GenesysLoop

/// Who gives tokens: the service, for an OAuth client, or the host.
///
/// No printed form holds a secret.
public struct PlatformCredentials {
    enum Kind {
        /// The id, the secret, and both as the `Authorization` header has them after `Basic`.
        case client(id: String, secret: SecretBytes, encoded: SecretBytes)
        case host((TokenRequest) -> Void)
    }

    let kind: Kind

    /// An OAuth client with the grant *Client Credentials*.
    ///
    /// - Throws: `ChannelFailure` with reason `invalidURI` for an id or a secret that no client can have.
    public static func client(id: String, secret: String) throws(ChannelFailure) -> PlatformCredentials {
        guard !id.isEmpty, id.utf8.allSatisfy({ isVisible($0) && $0 != .colon }) else {
            throw .usage("The id of an OAuth client has visible ASCII characters and no colon")
        }
        guard !secret.isEmpty, secret.utf8.allSatisfy(isVisible) else {
            throw .usage("The secret of an OAuth client has visible ASCII characters")
        }
        let credentials = HandshakeKey.base64(Array("\(id):\(secret)".utf8))
        return PlatformCredentials(
            kind: .client(id: id, secret: SecretBytes(secret), encoded: SecretBytes(credentials)))
    }

    /// The host obtains tokens, by another grant or from elsewhere.
    ///
    /// - Parameter provide: is called on the loop's thread when a token is needed, never more than once at a time, and
    ///   answers then or later.
    public static func tokens(_ provide: @escaping (TokenRequest) -> Void) -> PlatformCredentials {
        PlatformCredentials(kind: .host(provide))
    }
}

extension PlatformCredentials: CustomStringConvertible, CustomReflectable {
    /// The kind.
    public var description: String {
        switch kind {
        case .client(let id, _, _): "the OAuth client \(id)"
        case .host: "tokens of the host"
        }
    }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Whether the byte is a character of ASCII that is neither a control character nor white space.
func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }
