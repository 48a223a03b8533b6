/// Keeps URIs, which are secrets, out of the tool's output.
package enum Redaction {
    /// The message with every argument that holds a URI replaced by the URI's scheme.
    package static func redact(_ arguments: some Sequence<String>, in message: String) -> String {
        var message = Substring(message)
        for argument in arguments {
            guard let scheme = argument.firstRange(of: "://")?.upperBound, scheme != argument.endIndex else { continue }
            message = Substring(replace(argument, by: argument[..<scheme] + "…", in: message))
        }
        return String(message)
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
