package import GenesysLoop

/// Where a Redis or Valkey is, and as whom it is used.
///
///     redis://host[:6379][/db]     redis://user:password@host     redis://[2001:db8::1]
///     rediss://host                the same over TLS; certificate and name are verified
///     redis+unix:///path/to/socket[?db=N]
///
/// User and password are percent-decoded. No printed form contains the password.
package struct RedisTarget: Hashable, Sendable {
    package enum Place: Hashable, Sendable {
        /// `host` is what to resolve, an interface included; `name` is what a certificate must hold.
        case host(String, name: String, port: UInt16, isSecure: Bool)
        /// The path of a local socket.
        case socket(String)
    }

    package private(set) var place: Place
    package let user: String?
    package var password: SecretText?
    package let database: Int

    /// Whether there is a password; one in the text may be seen by others.
    package var hasPassword: Bool { password != nil }
    package var isSecure: Bool { if case .host(_, _, _, true) = place { true } else { false } }

    /// Reads a target.
    ///
    /// - Throws: a sentence, which does not repeat the target.
    package init(_ text: String) throws(InvalidURI) {
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw InvalidURI(
                "The target holds a space, a control character or one beyond ASCII; it has to be percent-encoded.")
        }
        let (scheme, start) = try RedisTarget.scheme(bytes)
        let rest = bytes[start...]
        guard !rest.contains(UInt8(ascii: "#")) else {
            throw InvalidURI("The target holds a fragment; write # as %23.")
        }
        let end = rest.firstIndex { $0 == .slash || $0 == .questionMark } ?? rest.endIndex
        let authority = rest[..<end]
        let at = authority.lastIndex(of: .at)
        (user, password) = try RedisTarget.credentials(at.map { authority[..<$0] } ?? [])
        let host = authority[(at.map { $0 + 1 } ?? start)...]
        let mark = rest[end...].firstIndex(of: .questionMark) ?? rest.endIndex
        let path = rest[end..<mark]
        let query = rest[mark...].dropFirst()
        switch scheme {
        case .unix:
            guard host.isEmpty, path.count > 1 else {
                throw InvalidURI("A local socket has no host: redis+unix:///path/to/socket.")
            }
            place = .socket(try RedisTarget.decoded(path, of: "path"))
            database = try RedisTarget.database(query)
        case .plain, .secure:
            guard mark == rest.endIndex else {
                throw InvalidURI("The target has a query; only redis+unix:// has one. A database is a path: /1.")
            }
            let parsed = try WebSocketURI.host(host)
            let name = String(decoding: parsed.host, as: UTF8.self)
            place = .host(
                HostSyntax.destination(name, zone: parsed.zone), name: name,
                port: try WebSocketURI.port(host[parsed.rest...]) ?? 6_379, isSecure: scheme == .secure)
            database = try RedisTarget.number(path.dropFirst(), "The path of the target")
        }
    }

    /// The same at another place.
    func with(_ place: Place) -> RedisTarget {
        var target = self
        target.place = place
        return target
    }

    /// What every target looks like, the files among them.
    static let forms =
        "The target does not begin with redis://, rediss:// or redis+unix://, nor is it file:PATH, or - for standard "
        + "output."

    private enum Scheme {
        case plain, secure, unix
    }

    private static func scheme(_ bytes: [UInt8]) throws(InvalidURI) -> (Scheme, end: Int) {
        let colon = bytes.firstIndex(of: .colon) ?? bytes.endIndex
        let name = ASCII.lowercased(String(decoding: bytes[..<colon], as: UTF8.self))
        guard bytes[colon...].starts(with: "://".utf8) else {
            throw InvalidURI(forms)
        }
        switch name {
        case "redis", "valkey": return (.plain, colon + 3)
        case "rediss", "valkeys": return (.secure, colon + 3)
        case "redis+unix", "valkey+unix": return (.unix, colon + 3)
        case "redis-sentinel", "redis+sentinel", "nats", "tls", "kafka", "kafkas":
            throw InvalidURI(
                "\(name):// comes in a later version: give redis://, rediss://, redis+unix:// or file:PATH, or -.")
        default:
            throw InvalidURI(forms)
        }
    }

    private static func credentials(_ bytes: ArraySlice<UInt8>) throws(InvalidURI) -> (String?, SecretText?) {
        let colon = bytes.firstIndex(of: .colon) ?? bytes.endIndex
        let user = try decoded(bytes[..<colon], of: "user")
        let password = try decoded(bytes[colon...].dropFirst(), of: "password")
        return (user.isEmpty ? nil : user, password.isEmpty ? nil : SecretText(password))
    }

    private static func database(_ query: ArraySlice<UInt8>) throws(InvalidURI) -> Int {
        guard !query.isEmpty else { return 0 }
        guard query.starts(with: "db=".utf8), query.count > 3 else {
            throw InvalidURI("The query of redis+unix:// can only be db=N.")
        }
        return try number(query.dropFirst(3), "The query of the target")
    }

    private static func number(_ digits: ArraySlice<UInt8>, _ what: String) throws(InvalidURI) -> Int {
        guard !digits.isEmpty else { return 0 }
        guard digits.allSatisfy(ASCII.isDigit), digits.count < 10,
            let number = Int(String(decoding: digits, as: UTF8.self))
        else { throw InvalidURI("\(what) is no number of a database.") }
        return number
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>, of part: String) throws(InvalidURI) -> String {
        var decoded: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == .percent else {
                decoded.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(ASCII.hexValue), let low = rest.popFirst().flatMap(ASCII.hexValue)
            else { throw InvalidURI("The \(part) of the target is not percent-encoded properly; write % as %25.") }
            decoded.append(high << 4 | low)
        }
        guard let text = String(validating: decoded, as: UTF8.self), !decoded.contains(0) else {
            throw InvalidURI("The \(part) of the target is no text of UTF-8.")
        }
        return text
    }
}

extension RedisTarget: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The target without its user and password.
    package var description: String {
        switch place {
        case .host(let host, _, let port, let isSecure):
            let shown = host.contains(":") ? "[\(host)]" : host
            return "\(isSecure ? "rediss" : "redis")://\(shown):\(port)" + (database == 0 ? "" : "/\(database)")
        case .socket(let path):
            return "redis+unix://\(path)" + (database == 0 ? "" : "?db=\(database)")
        }
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A text that is never printed.
package struct SecretText: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    package let value: String

    package init(_ value: String) {
        self.value = value
    }

    package var description: String { "…" }
    package var debugDescription: String { "…" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
