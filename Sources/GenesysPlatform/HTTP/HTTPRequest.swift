internal import GenesysLoop

/// A request to the service.
///
/// Its printed form is the method and the host: paths hold the names of channels, which are secrets, and the values of
/// headers and the body may be.
package struct HTTPRequest: Sendable {
    /// A method of HTTP (RFC 9110 §9).
    package enum Method: String, Hashable, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    package let method: Method
    let url: HTTPURL
    private(set) var headers: [(name: String, value: SecretBytes)] = []

    /// The body; nil for none.
    package var body: SecretBytes?
    /// The time until the request can be sent: look-up, TCP, proxy and TLS. Default 10 s.
    package var connectDeadline: Duration = .seconds(10)
    /// The time until the answer is complete, counted from the start. Default 30 s.
    package var deadline: Duration = .seconds(30)
    /// Whether the request must not use a kept connection.
    ///
    /// libcurl repeats a request when a kept connection breaks before the first byte of the answer, although the server
    /// may have acted. So what must not happen twice needs a connection of its own.
    package var usesFreshConnection = false
    /// The size limit of the answer's body in bytes. Default 1 MiB.
    package var maxBodySize = 1_048_576

    /// - Parameter url: `https://`, or `http://` for loopback, as for a simulator.
    /// - Throws: `HTTPFailure.invalidRequest`.
    package init(_ method: Method, _ url: String) throws(HTTPFailure) {
        self.method = method
        self.url = try HTTPURL(url)
    }

    /// Adds a header.
    ///
    /// - Throws: `HTTPFailure.invalidRequest`, if it would break the head of the request.
    package mutating func addHeader(_ name: String, _ value: SecretBytes) throws(HTTPFailure) {
        guard ASCII.isToken(name.utf8) else { throw .invalidRequest("The name of a header is not a token.") }
        let isPlain = value.withSpan { bytes in bytes.indices.allSatisfy { ASCII.isFieldCharacter(bytes[$0]) } }
        guard isPlain else { throw .invalidRequest("The value of the header \(name) holds a control character.") }
        headers.append((name, value))
    }

    /// Adds a header whose value is not a secret.
    package mutating func addHeader(_ name: String, _ value: String) throws(HTTPFailure) {
        try addHeader(name, SecretBytes(value))
    }

    /// The host and the port that the request is for, as in a URL.
    package var authority: String { url.uri.authority }
}

extension HTTPRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The method and the host.
    package var description: String { "\(method.rawValue) \(url)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The URL of a request.
struct HTTPURL: Hashable, Sendable {
    /// The same with the scheme of WebSockets, whose rules are the same: host, port and target.
    let uri: WebSocketURI

    init(_ text: String) throws(HTTPFailure) {
        let end = text.utf8.firstIndex(of: .colon) ?? text.startIndex
        let scheme = ASCII.lowercased(text[..<end])
        guard scheme == "https" || scheme == "http" else {
            throw .invalidRequest("The URL does not begin with https://.")
        }
        do throws(InvalidURI) {
            uri = try WebSocketURI((scheme == "https" ? "wss" : "ws") + text[end...])
        } catch {
            throw .invalidRequest(error.description)
        }
        guard uri.isSecure || uri.isLoopback else {
            throw .invalidRequest("The URL begins with http://, which is for this machine only: use https://.")
        }
    }

    /// The URL for libcurl.
    ///
    /// - Parameter host: the host as in a URL, in place of the URL's own.
    func text(host: String?) -> String {
        let authority = host.map { "\($0):\(uri.port)" } ?? uri.authority
        return "\(scheme)://\(authority)\(uri.target)"
    }

    /// `https` or `http`.
    var scheme: String { uri.isSecure ? "https" : "http" }
}

extension HTTPURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "\(scheme)://\(uri.authority)/…" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
