/// Where the redirects of one connection have led, and how many more may follow.
///
/// Follows 301, 302, 307 and 308, which all keep the method GET (RFC 9110 §15.4); never goes from `wss:` to `ws:`. The
/// limit ends a loop of redirects.
package struct RedirectTrail: Hashable, Sendable {
    /// The URI to connect to.
    package private(set) var uri: WebSocketURI
    /// Whether another host, port or scheme than the first was visited. From then on only what the host declared public
    /// is sent, even if the trail leads back: the redirecting server does not decide where secrets go.
    package private(set) var hasLeftOrigin = false
    private let limit: Int
    private var followedCount = 0

    package init(_ uri: WebSocketURI, limit: Int) {
        self.uri = uri
        self.limit = limit
    }

    /// Follows the redirect of an answer to the upgrade.
    ///
    /// - Returns: false if it is not a redirect, or if no redirects are followed.
    package mutating func follow(status: Int, location: String?) throws(RedirectError) -> Bool {
        guard limit > 0, [301, 302, 307, 308].contains(status), let location else { return false }
        guard followedCount < limit else { throw .tooMany(limit: limit) }
        let next: WebSocketURI
        do throws(InvalidURI) {
            next = try URIReference.resolve(location, against: uri)
        } catch {
            throw .invalid(error)
        }
        guard next.isSecure || !uri.isSecure else { throw .unencrypted }
        followedCount += 1
        if next.host != uri.host || next.port != uri.port || next.isSecure != uri.isSecure { hasLeftOrigin = true }
        uri = next
        return true
    }

    /// The headers, among those that the host wants to send, that may be sent now (RFC 9110 §15.4): elsewhere, only
    /// those whose name it declared public, ignoring case.
    ///
    /// No list of names could identify the secret ones.
    package func permitted(
        headers: [(name: String, value: String)], public names: Set<String>
    ) -> [(name: String, value: String)] {
        guard hasLeftOrigin else { return headers }
        let names = Set(names.map { ASCII.lowercased($0) })
        return headers.filter { names.contains(ASCII.lowercased($0.name)) }
    }

    /// The subprotocols, among those that the host wants to offer, that may be offered now: elsewhere, only those that
    /// it declared public.
    package func permitted(subprotocols: [String], public names: Set<String>) -> [String] {
        hasLeftOrigin ? subprotocols.filter(names.contains) : subprotocols
    }
}

/// Why a redirect is not followed.
package enum RedirectError: Error, Hashable, Sendable {
    /// The limit was reached.
    case tooMany(limit: Int)
    /// It leads from `wss:` to `ws:`.
    case unencrypted
    /// The target is not the URI of a WebSocket.
    case invalid(InvalidURI)
}

extension RedirectError: CustomStringConvertible {
    /// One clause that does not quote the server.
    package var description: String {
        switch self {
        case .tooMany(let limit): "it is one redirect more than the limit of \(limit)"
        case .unencrypted: "it redirects from wss: to ws:"
        case .invalid(let why): "its redirect leads to no WebSocket: \(why)"
        }
    }
}
