/// White space in what people and programs write into variables, as Unicode defines it: line ends and tabs too.
package enum WhiteSpace {
    /// The text without white space at its ends.
    package static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }

    /// The elements of a list between white space and commas; none is empty.
    package static func elements(_ list: String) -> [String] {
        list.unicodeScalars.split { $0 == "," || $0.properties.isWhitespace }.map { String($0) }
    }
}
