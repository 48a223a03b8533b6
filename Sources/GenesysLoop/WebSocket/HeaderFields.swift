/// The header fields of one head, in their order.
///
/// Bounded by the limit of the head.
package struct HeaderFields: Hashable, Sendable {
    private var fields: [HeaderField] = []

    package init() {}

    mutating func append(_ field: HeaderField) {
        fields.append(field)
    }

    /// Takes down a line of a head that is read forgivingly: what is malformed is passed over, and a folded line goes on
    /// with the field before it (RFC 9112 §5.2).
    mutating func append(forgivingly line: [UInt8]) {
        if line.first == 0x20 || line.first == 0x09 {
            let more = String(decoding: ASCII.trimmed(line[...]), as: UTF8.self)
            guard let last = fields.indices.last, more.utf8.allSatisfy(ASCII.isFieldCharacter) else { return }
            fields[last].value = [fields[last].value, more].filter { !$0.isEmpty }.joined(separator: " ")
        } else if let field = try? HeaderField(line: line) {
            fields.append(field)
        }
    }

    /// The name of every field, in their order.
    package var names: [String] { fields.map(\.name) }

    /// The values of every field of this name (in lower case), in their order.
    package func values(of name: String) -> [String] {
        fields.filter { $0.name == name }.map(\.value)
    }

    /// The elements of a field that is a list: several of one name are one longer list (RFC 9110 §5.3).
    package func elements(of name: String) -> [String] {
        values(of: name).flatMap(ASCII.listElements)
    }

    /// Whether the list has `element`, whatever the case of its letters.
    package func list(_ name: String, contains element: String) -> Bool {
        elements(of: name).contains { ASCII.lowercased($0) == element }
    }
}
