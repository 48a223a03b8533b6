/// What an error reply means.
enum RedisError: Hashable {
    /// It may work later, on this connection.
    case busy
    /// It may work on another connection.
    case lost
    /// Another server has the keys; a nil host is the one that was asked.
    case moved(host: String?, port: UInt16)
    /// The user or the password is refused.
    case unauthorized
    /// Every try would fail: a right is missing, or a key has another type.
    case misconfigured
    case noScript
    /// A word of the command is too large; the server ends the connection.
    case tooLarge
    /// The stream has another writer.
    case fenced
    case hole(wanted: UInt64)
    case other

    init(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 64).map { $0.hasPrefix("-") ? $0.dropFirst() : $0 }
        let known = words.lazy.compactMap { RedisError.codes[String($0)] }.first
        switch words.first {
        case "MOVED", "ASK": self = RedisError.redirect(words)
        case "FENCED": self = .fenced
        case "HOLE": self = words.dropFirst().first.flatMap { UInt64($0) }.map { .hole(wanted: $0) } ?? .other
        case "DENIED": self = .unauthorized
        case let code? where RedisError.codes[String(code)] != nil: self = known ?? .other
        // Older servers put the words of a script's command into those of the script.
        case "ERR", "@user_script:": self = known ?? RedisError.unnamed(text)
        default: self = .other
        }
    }

    private static let codes: [String: RedisError] = [
        "OOM": .busy, "MISCONF": .busy, "NOREPLICAS": .busy, "LOADING": .busy, "BUSY": .busy, "CLUSTERDOWN": .busy,
        "TRYAGAIN": .busy, "READONLY": .lost, "MASTERDOWN": .lost, "UNBLOCKED": .lost, "NOAUTH": .unauthorized,
        "WRONGPASS": .unauthorized, "NOPERM": .misconfigured, "WRONGTYPE": .misconfigured, "NOPROTO": .misconfigured,
        "CROSSSLOT": .misconfigured, "NOSCRIPT": .noScript,
    ]

    /// Errors whose code says nothing.
    private static func unnamed(_ text: String) -> RedisError {
        if text.contains("Protocol error: invalid bulk length") { return .tooLarge }
        if text.contains("max number of clients") { return .lost }
        let isFinal = [
            "The user executing the script can't", "ACL failure in script", "unknown command",
            "DB index is out of range",
            "SELECT is not allowed", "no head of a relay",
        ].contains { text.contains($0) }
        return isFinal ? .misconfigured : .other
    }

    /// `MOVED 3999 127.0.0.1:6381`; the host may be missing, unknown (`?`), or an IPv6 address without brackets.
    private static func redirect(_ words: [Substring]) -> RedisError {
        guard words.count >= 3, let colon = words[2].lastIndex(of: ":"),
            let port = UInt16(words[2][words[2].index(after: colon)...]), port > 0
        else { return .lost }
        let host = words[2][..<colon]
        return .moved(host: host.isEmpty || host == "?" ? nil : String(host), port: port)
    }
}
