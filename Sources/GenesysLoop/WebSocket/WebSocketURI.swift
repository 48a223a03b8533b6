/// A `ws:` or `wss:` URI, parsed and checked (RFC 6455 §3, RFC 3986).
///
/// Stricter than RFC 3986 where a mistake would otherwise be found late, or by another program: no user information, no
/// fragment, no white space, no escape or empty label in the host, no numeric host that is not an address. Everything
/// it prints is redacted, since the path of a channel's URI is a secret.
package struct WebSocketURI: Hashable, Sendable {
    /// The maximum length of the whole string.
    package static let maxByteCount = 8_192

    /// Whether the scheme is `wss`.
    package let isSecure: Bool
    /// The host in lower case; an IPv6 address without its brackets.
    package let host: String
    /// Whether the host is an IPv6 address.
    package let isIPv6Literal: Bool
    /// The network interface, by name or number, through which to reach the address (RFC 4007 §11).
    ///
    /// It is local to this machine: no peer sees it (RFC 6874 §4).
    package private(set) var zone: String?
    /// The port; 80 or 443 if the URI has none.
    package let port: UInt16
    /// Path and query for the request line; at least `/`.
    package let target: String

    /// Parses a URI.
    package init(_ string: String) throws(InvalidURI) {
        let bytes = Array(string.utf8)
        try Self.checkCharacters(bytes)
        let (isSecure, authorityStart) = try Self.scheme(bytes)
        let authorityEnd = bytes[authorityStart...].firstIndex { $0 == .slash || $0 == .questionMark } ?? bytes.count
        let authority = bytes[authorityStart..<authorityEnd]
        if authority.contains(.at) { throw InvalidURI("The URI holds user information, which WebSockets do not use.") }
        let parsed = try Self.host(authority)
        self.isSecure = isSecure
        host = String(decoding: parsed.host, as: UTF8.self)
        isIPv6Literal = parsed.isIPv6Literal
        zone = parsed.zone
        port = try Self.port(authority[parsed.rest...]) ?? (isSecure ? 443 : 80)
        target = try Self.target(bytes[authorityEnd...])
    }

    /// The value of the `Host` header: without the default port (RFC 6455 §4.1).
    package var hostHeader: String {
        let name = isIPv6Literal ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The name to look up: the host, with the zone of an address.
    package var destination: String { HostSyntax.destination(host, zone: zone) }

    /// Host and port as in a URI, with the zone.
    package var authority: String {
        guard let zone else { return hostHeader }
        return "[\(host)%25\(HostSyntax.encodedZone(zone))]" + hostHeader.dropFirst(host.utf8.count + 2)
    }

    /// This URI through another interface.
    func reached(through zone: String?) -> WebSocketURI {
        var uri = self
        uri.zone = zone
        return uri
    }

    /// The URI without its secret part, for logs.
    package var redacted: String {
        "\(isSecure ? "wss" : "ws")://\(authority)/…"
    }

    /// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `::1`.
    package var isLoopback: Bool {
        if isIPv6Literal { return HostSyntax.ipv6Groups(Array(host.utf8)) == [0, 0, 0, 0, 0, 0, 0, 1] }
        return host == "localhost" || (host.hasPrefix("127.") && HostSyntax.isIPv4Address(Array(host.utf8)[...]))
    }

    /// Whether the host is an address of `fe80::/10`, which means nothing without an interface.
    var isLinkLocal: Bool {
        guard isIPv6Literal, let groups = HostSyntax.ipv6Groups(Array(host.utf8)) else { return false }
        return groups[0] & 0xFFC0 == 0xFE80
    }

    private static func checkCharacters(_ bytes: [UInt8]) throws(InvalidURI) {
        if bytes.isEmpty { throw InvalidURI("The URI is empty.") }
        if bytes.count > maxByteCount { throw InvalidURI("The URI is longer than \(maxByteCount) bytes.") }
        for byte in bytes {
            switch byte {
            case 0x20: throw InvalidURI("The URI holds a space.")
            case 0x00...0x1F, 0x7F: throw InvalidURI("The URI holds a control character.")
            case UInt8(ascii: "#"): throw InvalidURI("The URI holds a fragment (RFC 6455 §3 forbids it).")
            default: break
            }
        }
    }

    private static func scheme(_ bytes: [UInt8]) throws(InvalidURI) -> (isSecure: Bool, end: Int) {
        guard let colon = bytes.firstIndex(of: .colon), bytes[colon...].starts(with: "://".utf8) else {
            throw InvalidURI("The URI does not begin with ws:// or wss://.")
        }
        switch ASCII.lowercased(bytes[..<colon]) {
        case Array("ws".utf8): return (false, colon + 3)
        case Array("wss".utf8): return (true, colon + 3)
        default: throw InvalidURI("The scheme of the URI is neither ws nor wss.")
        }
    }

    /// Returns the host and where the rest of the authority, empty or beginning with a colon, starts.
    package static func host(
        _ authority: ArraySlice<UInt8>
    ) throws(InvalidURI) -> (host: [UInt8], isIPv6Literal: Bool, zone: String?, rest: Int) {
        guard authority.first == UInt8(ascii: "[") else {
            let end = authority.firstIndex(of: .colon) ?? authority.endIndex
            let host = ASCII.lowercased(authority[..<end])
            // RFC 3986 §3.2.2 also allows a percent-encoded host; no server has such a name.
            let name = ASCII.percentDecoded(host[...])
            if name.contains(where: { $0 >= 0x80 }) { throw InternationalHost.refusal(of: name) }
            try HostSyntax.checkName(host)
            return (host, false, nil, end)
        }
        guard let end = authority.firstIndex(of: UInt8(ascii: "]")) else {
            throw InvalidURI("The IPv6 address of the URI has no closing bracket.")
        }
        let literal = authority[(authority.startIndex + 1)..<end]
        let percent = literal.firstIndex(of: .percent)
        let host = ASCII.lowercased(literal[..<(percent ?? end)])
        let zone = try percent.map { index throws(InvalidURI) in try HostSyntax.zone(literal[index...]) }
        guard HostSyntax.ipv6Groups(host) != nil else { throw InvalidURI("The host in brackets is no IPv6 address.") }
        let rest = end + 1
        guard rest == authority.endIndex || authority[rest] == .colon else {
            throw InvalidURI("Something other than a port follows the host of the URI.")
        }
        return (host, true, zone, rest)
    }

    /// The port after its colon; nil without one (RFC 3986 §3.2.3 allows a colon alone).
    package static func port(_ rest: ArraySlice<UInt8>) throws(InvalidURI) -> UInt16? {
        let digits = rest.dropFirst()
        guard !digits.isEmpty else { return nil }
        var value = 0
        for digit in digits {
            guard ASCII.isDigit(digit) else { throw InvalidURI("The port of the URI is not a number.") }
            value = min(value * 10 + Int(digit & 0x0F), 65_536)
        }
        guard (1...65_535).contains(value) else { throw InvalidURI("The port of the URI is not from 1 to 65535.") }
        return UInt16(value)
    }

    private static func target(_ rest: ArraySlice<UInt8>) throws(InvalidURI) -> String {
        var index = rest.startIndex
        while index < rest.endIndex {
            let byte = rest[index]
            if byte == .percent {
                guard rest.endIndex - index > 2, ASCII.isHexDigit(rest[index + 1]), ASCII.isHexDigit(rest[index + 2])
                else { throw InvalidURI("The URI holds a percent sign without two hexadecimal digits.") }
            } else if byte >= 0x80 {
                throw InvalidURI("The URI holds a character beyond ASCII; it has to be percent-encoded.")
            } else if !isPathOrQuery(byte) {
                throw InvalidURI("The URI holds a character that has to be percent-encoded.")
            }
            index += 1
        }
        let target = String(decoding: rest, as: UTF8.self)
        return rest.first == .slash ? target : "/" + target
    }

    /// RFC 3986 §3.3, §3.4: `pchar`, "/" and "?".
    private static func isPathOrQuery(_ byte: UInt8) -> Bool {
        ASCII.isAlphanumeric(byte) || "-._~!$&'()*+,;=:@/?".utf8.contains(byte)
    }
}

extension WebSocketURI: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String { redacted }
    package var debugDescription: String { redacted }
}

/// Resolves a `Location` header against the URI of the request (RFC 3986 §5).
package enum URIReference {
    /// Returns the URI that `reference` names, seen from `base`.
    ///
    /// `http:` and `https:` mean `ws:` and `wss:` (a server without WebSockets redirects to its own schemes). User
    /// information and a fragment are dropped: WebSockets use neither.
    static func resolve(_ reference: String, against base: WebSocketURI) throws(InvalidURI) -> WebSocketURI {
        var rest = Array(reference.utf8)[...]
        if let hash = rest.firstIndex(of: UInt8(ascii: "#")) { rest = rest[..<hash] }
        let isSecure: Bool
        let hasScheme: Bool
        (isSecure, hasScheme, rest) = try scheme(rest, base)
        let (path, query) = parts(of: rest)
        if path.starts(with: "//".utf8) {
            let authorityEnd = path.dropFirst(2).firstIndex(of: .slash) ?? path.endIndex
            let host = withoutUserInformation(path[(path.startIndex + 2)..<authorityEnd])
            let uri = try make(isSecure, host, withoutDots(path[authorityEnd...]) + query)
            return try onSameLink(uri, base)
        }
        if hasScheme { throw InvalidURI("The URI has no host.") }
        let authority = Array(base.authority.utf8)[...]
        let (basePath, baseQuery) = parts(of: Array(base.target.utf8)[...])
        if path.isEmpty {
            return try make(isSecure, authority, Array(basePath) + (query.isEmpty ? baseQuery : query))
        }
        if path.first == .slash { return try make(isSecure, authority, withoutDots(path) + query) }
        // RFC 3986 §5.2.3: the base's path up to its last slash.
        let folder = basePath[...(basePath.lastIndex(of: .slash) ?? basePath.startIndex)]
        return try make(isSecure, authority, withoutDots(Array(folder + path)[...]) + query)
    }

    /// The host that a reference names, for people to read; nil if it names none.
    ///
    /// If the reference is not a WebSocket URI, or breaks RFC 3986, this is its host as written, if a host can have
    /// that form; if the reference is only a path, this is the host of `base`.
    package static func host(of reference: String, against base: WebSocketURI? = nil) -> String? {
        if let base, let uri = try? resolve(reference, against: base) { return uri.host }
        var rest = Array(reference.utf8)[...]
        let end = rest.firstIndex { ":/?#".utf8.contains($0) }
        let hasScheme = end.map { rest[$0] == .colon } ?? false
        if hasScheme, let end { rest = rest[(end + 1)...] }
        guard rest.starts(with: "//".utf8) else { return hasScheme ? nil : base?.host }
        let authority = withoutUserInformation(rest.dropFirst(2).prefix { !"/?#".utf8.contains($0) })
        if let host = try? WebSocketURI.host(authority).host { return String(decoding: host, as: UTF8.self) }
        return InternationalHost.asciiForm(of: ASCII.percentDecoded(authority.prefix { $0 != .colon }))
    }

    /// The scheme as `ws` or `wss`, whether the reference has one, and what follows it.
    private static func scheme(
        _ bytes: ArraySlice<UInt8>, _ base: WebSocketURI
    ) throws(InvalidURI) -> (isSecure: Bool, isGiven: Bool, rest: ArraySlice<UInt8>) {
        let end = bytes.firstIndex { $0 == .colon || $0 == .slash || $0 == .questionMark }
        guard let end, bytes[end] == .colon else { return (base.isSecure, false, bytes) }
        switch String(decoding: ASCII.lowercased(bytes[..<end]), as: UTF8.self) {
        case "ws", "http": return (false, true, bytes[(end + 1)...])
        case "wss", "https": return (true, true, bytes[(end + 1)...])
        default: throw InvalidURI("The scheme of the URI is none of ws, wss, http and https.")
        }
    }

    /// Everything before the query, and the query with its question mark.
    private static func parts(of bytes: ArraySlice<UInt8>) -> (path: ArraySlice<UInt8>, query: [UInt8]) {
        guard let mark = bytes.firstIndex(of: .questionMark) else { return (bytes, []) }
        return (bytes[..<mark], Array(bytes[mark...]))
    }

    private static func withoutUserInformation(_ authority: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let at = authority.lastIndex(of: .at) else { return authority }
        return authority[(at + 1)...]
    }

    /// RFC 3986 §5.2.4.
    private static func withoutDots(_ path: ArraySlice<UInt8>) -> [UInt8] {
        guard !path.isEmpty else { return [] }
        let segments = path.split(separator: .slash, omittingEmptySubsequences: false)
        var kept: [ArraySlice<UInt8>] = []
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            if segment.elementsEqual("..".utf8) {
                // The empty segment before the first slash stays.
                if kept.count > 1 { kept.removeLast() }
                if isLast { kept.append([]) }
            } else if segment.elementsEqual(".".utf8) {
                if isLast { kept.append([]) }
            } else {
                kept.append(segment)
            }
        }
        return Array(kept.joined(separator: [.slash]))
    }

    /// A server does not know our interfaces (RFC 6874 §4): a link-local address that it names is on the base's link.
    private static func onSameLink(_ uri: WebSocketURI, _ base: WebSocketURI) throws(InvalidURI) -> WebSocketURI {
        if uri.zone != nil { throw InvalidURI("The URI of a server holds a zone of its own (RFC 6874 §4).") }
        guard uri.isLinkLocal else { return uri }
        return uri.reached(through: base.zone)
    }

    private static func make(
        _ isSecure: Bool, _ authority: ArraySlice<UInt8>, _ target: [UInt8]
    ) throws(InvalidURI) -> WebSocketURI {
        let text = Array((isSecure ? "wss://" : "ws://").utf8) + authority + target
        return try WebSocketURI(String(decoding: text, as: UTF8.self))
    }
}
