/// Keeps URIs, which are secrets, out of the tool's output.
package enum Redaction {
    /// The message with every argument that holds a URI replaced by the URI's scheme.
    package static func redact(_ arguments: some Sequence<String>, in message: String) -> String {
        var message = Substring(message)
        for argument in arguments {
            // A message may repeat `--option=value`, or only the value.
            for text in [argument[...], value(of: argument)] {
                guard let scheme = text.firstRange(of: "://")?.upperBound, scheme != text.endIndex else { continue }
                message = Substring(replace(String(text), by: text[..<scheme] + "…", in: message))
            }
        }
        return String(message)
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
