/// Resolves what a `Location` header holds against the URI that was asked (RFC 3986 §5).
enum URIReference {
    /// Returns the URI that `reference` names, seen from `base`.
    ///
    /// `http:` and `https:` stand for `ws:` and `wss:` (a server that knows nothing of WebSockets redirects in its own
    /// words). User information and a fragment are left out: WebSockets use neither.
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
        // RFC 3986 §5.2.3: all of the base's path but what follows its last slash.
        let folder = basePath[...(basePath.lastIndex(of: .slash) ?? basePath.startIndex)]
        return try make(isSecure, authority, withoutDots(Array(folder + path)[...]) + query)
    }

    /// The host that a reference names, for people to read; nil where it names none.
    ///
    /// Of a reference that leads to no WebSocket, or breaks RFC 3986, it is the host as it stands there, if it could be
    /// one; of one that names a path alone it is that of `base`.
    static func host(of reference: String, against base: WebSocketURI? = nil) -> String? {
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

    /// The scheme in terms of WebSockets, whether the reference has one, and what follows it.
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
                // The empty one before the first slash stays.
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

    /// A server knows nothing of our interfaces (RFC 6874 §4): what it names on a link is on that of the base.
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
