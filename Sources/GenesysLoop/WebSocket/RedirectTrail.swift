/// Where the redirects of one connection have led, and how many more may follow.
///
/// Followed: 301, 302, 307 and 308, which all keep a GET request what it is (RFC 9110 §15.4). Never from `wss:` to
/// `ws:`. A circle ends at the limit.
package struct RedirectTrail: Hashable, Sendable {
    /// Why a redirect is not followed.
    package enum Fault: Error, Hashable, Sendable {
        /// As many as may be were followed before.
        case tooMany(limit: Int)
        /// It leads from `wss:` to `ws:`.
        case unencrypted
        /// What it names is no URI of a WebSocket.
        case unusable(InvalidURI)
    }

    /// Where to connect now.
    package private(set) var uri: WebSocketURI
    /// Whether another host, port or scheme than the first was visited. From then on nothing goes along
    /// that the host did not declare public, even if the trail leads back: whoever sent us away has no say in where
    /// secrets go.
    package private(set) var hasLeftOrigin = false
    private let limit: Int
    private var followedCount = 0

    package init(_ uri: WebSocketURI, limit: Int) {
        self.uri = uri
        self.limit = limit
    }

    /// Goes where an answer to the upgrade points.
    ///
    /// - Returns: false when it is no redirect, or none is to be followed at all.
    package mutating func follow(status: Int, location: String?) throws(Fault) -> Bool {
        guard limit > 0, [301, 302, 307, 308].contains(status), let location else { return false }
        guard followedCount < limit else { throw .tooMany(limit: limit) }
        let next: WebSocketURI
        do throws(InvalidURI) {
            next = try URIReference.resolve(location, against: uri)
        } catch {
            throw .unusable(error)
        }
        guard next.isSecure || !uri.isSecure else { throw .unencrypted }
        followedCount += 1
        if next.host != uri.host || next.port != uri.port || next.isSecure != uri.isSecure { hasLeftOrigin = true }
        uri = next
        return true
    }

    /// Of the headers that a host wants to send, those that may be sent now (RFC 9110 §15.4): elsewhere, only those whose
    /// name it declared public, in any case of its letters.
    ///
    /// No list of names could say which of them are secrets.
    package func permitted(
        headers: [(name: String, value: String)], public names: Set<String>
    ) -> [(name: String, value: String)] {
        guard hasLeftOrigin else { return headers }
        let names = Set(names.map { ASCII.lowercased($0) })
        return headers.filter { names.contains(ASCII.lowercased($0.name)) }
    }

    /// Of the subprotocols that a host wants to offer, those that may be offered now: elsewhere, only those that it
    /// declared public.
    package func permitted(subprotocols: [String], public names: Set<String>) -> [String] {
        hasLeftOrigin ? subprotocols.filter(names.contains) : subprotocols
    }
}

extension RedirectTrail.Fault: CustomStringConvertible {
    /// One clause, without what the server sent.
    package var description: String {
        switch self {
        case .tooMany(let limit): "it is one redirect more than the limit of \(limit)"
        case .unencrypted: "it redirects from wss: to ws:"
        case .unusable(let why): "its redirect leads to no WebSocket: \(why)"
        }
    }
}
