/// Makes text of a peer fit for people.
package enum PeerText {
    /// The longest excerpt, in bytes of UTF-8.
    package static let maxByteCount = 1_024

    /// The text in one line, without what could disturb a terminal or a log, and not too long; nil where nothing is
    /// left.
    package static func excerpt(_ text: String, limit: Int = maxByteCount) -> String? {
        var scalars = String.UnicodeScalarView()
        var byteCount = 0
        var isSpaceDue = false
        for scalar in text.unicodeScalars {
            guard isVisible(scalar) else {
                isSpaceDue = true
                continue
            }
            let width = UTF8.width(scalar) + (isSpaceDue && !scalars.isEmpty ? 1 : 0)
            // Room for an ellipsis.
            guard byteCount + width <= limit - 3 else {
                scalars.append("…")
                break
            }
            if isSpaceDue && !scalars.isEmpty { scalars.append(" ") }
            isSpaceDue = false
            scalars.append(scalar)
            byteCount += width
        }
        return scalars.isEmpty ? nil : String(scalars)
    }

    /// Not white space, and nothing that moves the text about, as marks of direction do.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse,
            .unassigned:
            false
        default: true
        }
    }

    /// What a page of HTML says, without its tags: its body, or its title where the body is empty.
    package static func text(ofHTML page: String) -> String {
        let body = text(ofHTML: page, skipping: ["script", "style", "head"])
        return body.utf8.allSatisfy { $0 <= 0x20 } ? text(ofHTML: page, skipping: ["script", "style"]) : body
    }

    private static func text(ofHTML page: String, skipping: Set<String>) -> String {
        var rest = Array(page.utf8)[...]
        var text: [UInt8] = []
        while let start = rest.firstIndex(of: UInt8(ascii: "<")) {
            text += rest[..<start] + [0x20]
            rest = rest[start...].dropFirst()
            if rest.starts(with: "!--".utf8) {
                rest = after("-->", in: rest)
                continue
            }
            let name = ASCII.lowercased(String(decoding: rest.prefix(while: ASCII.isAlphanumeric), as: UTF8.self))
            rest = after(skipping.contains(name) ? "</\(name)" : ">", in: rest)
            if skipping.contains(name) { rest = after(">", in: rest) }
        }
        return withoutEntities(String(decoding: text + rest, as: UTF8.self))
    }

    /// What follows the first `end`, in letters of any case; nothing where there is none.
    private static func after(_ end: String, in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = bytes
        while !rest.isEmpty {
            if ASCII.lowercased(rest.prefix(end.utf8.count)).elementsEqual(end.utf8) {
                return rest.dropFirst(end.utf8.count)
            }
            rest = rest.dropFirst()
        }
        return rest
    }

    /// The text with its references to characters as these: those by number, and those by name that are met in pages of
    /// a server's own.
    private static func withoutEntities(_ text: String) -> String {
        var parts = text.split(separator: "&", omittingEmptySubsequences: false).map(String.init)
        for index in parts.indices.dropFirst() {
            let part = parts[index]
            guard let end = part.utf8.firstIndex(of: UInt8(ascii: ";")), let meant = character(part[..<end]) else {
                parts[index] = "&" + part
                continue
            }
            parts[index] = meant + part[end...].dropFirst()
        }
        return parts.joined()
    }

    /// What stands between `&` and `;` means this.
    private static func character(_ reference: Substring) -> String? {
        guard reference.utf8.first == UInt8(ascii: "#") else { return entities.first { $0.key == reference }?.value }
        let number = reference.dropFirst()
        let isHexadecimal = number.first == "x" || number.first == "X"
        let value = isHexadecimal ? UInt32(number.dropFirst(), radix: 16) : UInt32(number)
        return value.flatMap { Unicode.Scalar($0) }.map { String($0) }
    }

    private static let entities: KeyValuePairs = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "copy": "©",
    ]
}
