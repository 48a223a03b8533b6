package import GenesysLoop

/// The base of REST calls: scheme, host, port and, behind a gateway, a path.
package struct PlatformURL: Hashable, Sendable {
    /// Checked by the rules of `wss:` URIs, which are stricter than those of HTTP.
    private let uri: WebSocketURI

    /// Parses a URL. `http:` is accepted for this machine only, because calls have tokens.
    package init(_ text: String) throws(ChannelFailure) {
        let bytes = Array(text.utf8)
        let isSecure = ASCII.lowercased(bytes.prefix(8)).elementsEqual("https://".utf8)
        guard isSecure || ASCII.lowercased(bytes.prefix(7)).elementsEqual("http://".utf8) else {
            throw .usage("A base URL begins with https://")
        }
        let rest = String(decoding: bytes.dropFirst(isSecure ? 8 : 7), as: UTF8.self)
        do throws(InvalidURI) {
            uri = try WebSocketURI((isSecure ? "wss://" : "ws://") + rest)
        } catch {
            throw .usage("The base URL cannot be used: \(Sentence.clause(error.description))")
        }
        guard isSecure || uri.isLoopback else {
            throw .usage("A base URL with http:// is accepted for this machine only: calls have tokens")
        }
        guard !uri.target.utf8.contains(UInt8(ascii: "?")) else {
            throw .usage("A base URL has no query: leave out what follows the question mark")
        }
    }

    /// Whether it begins with `https:`.
    package var isSecure: Bool { uri.isSecure }

    /// Host and port as a URL has them.
    package var authority: String { uri.authority }

    package var host: String { uri.host }

    /// The whole URL of a call.
    ///
    /// - Parameter target: path and query, from the slash on.
    package func url(_ target: String) -> String { text + target }

    /// The base without a slash at its end.
    package var text: String {
        let path = uri.target.utf8.last == UInt8(ascii: "/") ? uri.target.dropLast() : uri.target[...]
        return "\(uri.isSecure ? "https" : "http")://\(uri.authority)\(path)"
    }
}

extension PlatformURL: CustomStringConvertible {
    package var description: String { text }
}
