/// The address and the protocol of a proxy: `http://`, `https://`, `socks5://` or `socks5h://`.
///
///     http://proxy.example:3128         HTTP CONNECT (RFC 9110 §9.3.6)
///     https://proxy.example             the same over TLS, whose certificate is verified
///     http://user:password@proxy:3128   with Basic authentication (RFC 7617); both percent-decoded
///     socks5://proxy.example            SOCKS5 (RFC 1928), with user and password RFC 1929
///
/// With every scheme, the proxy resolves the name of the server: `socks5h` means the same as `socks5`, and so does
/// `socks`, which desktops write into `ALL_PROXY`. The default ports are 80, 443 and 1080. No printed form contains the
/// user or the password.
public struct ProxyURI: Hashable, Sendable {
    /// The protocol of the proxy.
    public enum Scheme: String, Hashable, Sendable {
        /// HTTP CONNECT.
        case http
        /// HTTP CONNECT over TLS.
        case https
        /// SOCKS5.
        case socks5
        /// SOCKS5, under the name by which other programs let the proxy resolve names.
        case socks5h
    }

    /// The protocol of the proxy.
    public let scheme: Scheme
    /// The host in lower case; an IPv6 address without its brackets.
    public let host: String
    /// The port.
    public let port: UInt16
    /// Whether the host is an IPv6 address.
    private let isIPv6Literal: Bool
    /// The interface of a link-local address.
    private let zone: String?
    package private(set) var credentials: ProxyCredentials?

    /// The host to resolve, with the zone of an address.
    package var destination: String { HostSyntax.destination(host, zone: zone) }

    /// Removes the credentials from text of the proxy.
    var secretFilter: SecretFilter {
        guard let credentials else { return SecretFilter([]) }
        let pair = HandshakeKey.base64(credentials.user + [.colon] + credentials.password)
        return SecretFilter([credentials.user, credentials.password, Array(pair.utf8)])
    }

    /// Whether the URI has a user and a password.
    public var hasCredentials: Bool { credentials != nil }

    /// Parses a URI.
    ///
    /// - Throws: `InvalidURI`, whose sentence does not repeat the URI, since it may hold a password.
    public init(_ string: String) throws(InvalidURI) {
        let bytes = Array(string.utf8)
        guard bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw InvalidURI("The URI of the proxy holds a space or a control character.")
        }
        let (scheme, start) = try Self.scheme(bytes)
        let end = bytes[start...].firstIndex { $0 == .slash || $0 == .questionMark || $0 == UInt8(ascii: "#") }
        let rest = bytes[(end ?? bytes.count)...]
        guard rest.isEmpty || rest.elementsEqual([.slash]) else {
            throw InvalidURI("Something follows the host and port of the proxy's URI; a proxy has no path.")
        }
        var authority = bytes[start..<(end ?? bytes.count)]
        let at = authority.lastIndex(of: .at)
        if let at {
            credentials = try Self.credentials(authority[..<at], for: scheme)
            authority = authority[(at + 1)...]
        } else {
            credentials = nil
        }
        let parsed = try WebSocketURI.host(authority)
        self.scheme = scheme
        host = String(decoding: parsed.host, as: UTF8.self)
        isIPv6Literal = parsed.isIPv6Literal
        zone = parsed.zone
        port = try WebSocketURI.port(authority[parsed.rest...]) ?? scheme.defaultPort
    }

    private static func scheme(_ bytes: [UInt8]) throws(InvalidURI) -> (Scheme, end: Int) {
        let colon = bytes.firstIndex(of: .colon) ?? bytes.endIndex
        let isSeparated = bytes[colon...].starts(with: "://".utf8)
        switch String(decoding: ASCII.lowercased(bytes[..<colon]), as: UTF8.self) {
        case "socks" where isSeparated:
            return (.socks5, colon + 3)
        case "socks4" where isSeparated, "socks4a" where isSeparated:
            throw InvalidURI(
                "The URI of the proxy names SOCKS4, which cannot be spoken: give one that speaks SOCKS5 or HTTP.")
        case let name:
            guard isSeparated, let scheme = Scheme(rawValue: name) else {
                throw InvalidURI(
                    "The URI of the proxy does not begin with http://, https://, socks5:// or socks5h://.")
            }
            return (scheme, colon + 3)
        }
    }

    /// The same proxy with credentials that do not stand in the URI.
    ///
    /// - Throws: if the URI has some already, or if the protocol of the proxy does not allow these.
    package func with(_ credentials: ProxyCredentials) throws(InvalidURI) -> ProxyURI {
        guard !hasCredentials else {
            throw InvalidURI("The URI of the proxy holds a user or a password, and others are given beside it.")
        }
        try Self.check(credentials, for: scheme)
        var proxy = self
        proxy.credentials = credentials
        return proxy
    }

    private static func credentials(
        _ bytes: ArraySlice<UInt8>, for scheme: Scheme
    ) throws(InvalidURI) -> ProxyCredentials? {
        guard !bytes.isEmpty else { return nil }
        guard bytes.allSatisfy({ $0 < 0x80 }) else {
            throw InvalidURI(
                "The user or the password of the proxy's URI holds a character beyond ASCII; it has to be percent-encoded."
            )
        }
        let colon = bytes.firstIndex(of: .colon) ?? bytes.endIndex
        let credentials = ProxyCredentials(
            user: try decoded(bytes[..<colon]), password: try decoded(bytes[colon...].dropFirst()))
        try check(credentials, for: scheme)
        return credentials
    }

    private static func check(_ credentials: ProxyCredentials, for scheme: Scheme) throws(InvalidURI) {
        switch scheme {
        case .http, .https:
            // RFC 7617 §2: the first colon ends the user.
            if credentials.user.contains(.colon) { throw InvalidURI("The user of the proxy's URI holds a colon.") }
        case .socks5, .socks5h:
            // RFC 1929 §2 does not allow an empty password, but other clients send one.
            guard (1...255).contains(credentials.user.count), credentials.password.count <= 255 else {
                throw InvalidURI("SOCKS5 takes a user of 1 to 255 bytes and a password of at most 255.")
            }
        }
    }

    /// The percent-decoded bytes, which must not contain what RFC 7617 §2 forbids.
    private static func decoded(_ bytes: ArraySlice<UInt8>) throws(InvalidURI) -> [UInt8] {
        var decoded: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == .percent else {
                decoded.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(ASCII.hexValue), let low = rest.popFirst().flatMap(ASCII.hexValue)
            else { throw InvalidURI("The user or the password of the proxy's URI is not percent-encoded properly.") }
            decoded.append(high << 4 | low)
        }
        guard ProxyCredentials.allows(decoded) else {
            throw InvalidURI("The user or the password of the proxy's URI holds a control character.")
        }
        return decoded
    }
}

extension ProxyURI.Scheme {
    /// The port of a URI without one.
    var defaultPort: UInt16 {
        switch self {
        case .http: 80
        case .https: 443
        case .socks5, .socks5h: 1_080
        }
    }
}

extension ProxyURI: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Scheme, host and port, never the user and the password.
    public var description: String {
        let zone = zone.map { "%25\(HostSyntax.encodedZone($0))" } ?? ""
        return "\(scheme.rawValue)://\(isIPv6Literal ? "[\(host)\(zone)]" : host):\(port)"
    }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
