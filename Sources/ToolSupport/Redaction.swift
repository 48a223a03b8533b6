/// Keeps URIs, which are secrets, out of the tool's output.
package enum Redaction {
    /// The message with every argument that holds a URI replaced by the URI's scheme, and without what other URIs
    /// keep secret.
    package static func redact(_ arguments: some Sequence<String>, in message: String) -> String {
        var message = Substring(message)
        for argument in arguments {
            // A message may repeat `--option=value`, or only the value.
            for text in [argument[...], value(of: argument)] {
                guard let scheme = text.firstRange(of: "://")?.upperBound, scheme != text.endIndex else { continue }
                message = Substring(replace(String(text), by: text[..<scheme] + "…", in: message))
            }
        }
        return withoutPaths(String(message))
    }

    /// The message with every URI reduced to its scheme, host and port: a file, too, may hold one in the wrong place.
    package static func withoutPaths(_ message: String) -> String {
        var rest = message[...]
        var result = ""
        while let mark = rest.firstRange(of: "://") {
            result += rest[..<mark.upperBound]
            let uri = rest[mark.upperBound...].prefix { !$0.isWhitespace && !"\"'“”".contains($0) }
            let authority = uri.prefix { !"/?#".contains($0) }
            result += authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
            let path = uri[authority.endIndex...]
            guard !path.isEmpty, path != "/", !path.hasPrefix("/…") else {
                rest = rest[authority.endIndex...]
                continue
            }
            result += path.last == "." ? "/…." : "/…"
            rest = rest[uri.endIndex...]
        }
        return result + rest
    }

    /// What follows the `=` of an option; the whole argument if it is no option.
    private static func value(of argument: String) -> Substring {
        guard argument.hasPrefix("--"), let sign = argument.firstIndex(of: "=") else { return argument[...] }
        return argument[argument.index(after: sign)...]
    }

    private static func replace(_ text: String, by replacement: Substring, in message: Substring) -> String {
        var rest = message
        var result = ""
        while let range = rest.firstRange(of: text) {
            result += rest[..<range.lowerBound] + replacement
            rest = rest[range.upperBound...]
        }
        return result + rest
    }
}
