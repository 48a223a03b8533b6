/// One JSON object on one line, its members in the order in which they are added.
package struct JSONLine {
    private var text = "{"

    /// An object without members.
    package init() {}

    /// Adds a string.
    package mutating func add(_ name: String, _ value: String) {
        begin(name)
        text += JSONLine.quoted(value)
    }

    /// Adds a whole number.
    package mutating func add(_ name: String, _ value: Int) {
        begin(name)
        text += String(value)
    }

    /// Adds a list of strings.
    package mutating func add(_ name: String, _ values: [String]) {
        begin(name)
        text += "[" + values.map(JSONLine.quoted).joined(separator: ",") + "]"
    }

    /// Adds a value that is JSON already.
    package mutating func add(_ name: String, json: String) {
        begin(name)
        text += json
    }

    /// The object, without the line's end.
    package var finished: String { text + "}" }

    private mutating func begin(_ name: String) {
        if text.utf8.count > 1 { text += "," }
        text += JSONLine.quoted(name) + ":"
    }

    /// A JSON string (RFC 8259 §7).
    private static func quoted(_ value: String) -> String {
        var result = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
