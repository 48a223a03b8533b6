internal import GenesysLoop

/// Why the body of an answer cannot be used: one clause, without a word of the body.
package struct UnusableBody: Error, Hashable, Sendable {
    let clause: String

    static let empty = UnusableBody(clause: "its answer is empty")
    static let page = UnusableBody(clause: "its answer is a page instead of JSON")

    static func notJSON(_ error: EnvelopeError) -> UnusableBody {
        UnusableBody(clause: "its answer is not JSON or was cut off: \(Sentence.clause(error.description))")
    }

    static func without(_ member: String) -> UnusableBody {
        UnusableBody(clause: "its answer has no usable \(member)")
    }
}

/// A value of a JSON body. It makes no copy of the body, which may hold secrets; the texts that it returns are copies.
struct JSONReader {
    private let body: SecretBytes
    private let slice: JSONSlice
    private let members: [String: JSONSlice]

    /// Checks the grammar of a whole body.
    init(_ body: SecretBytes) throws(UnusableBody) {
        let result = body.withSpan { bytes -> Result<JSONSlice, UnusableBody> in
            let start = bytes.indices.first { bytes[$0] > 0x20 }
            guard let start else { return .failure(.empty) }
            guard bytes[start] != UInt8(ascii: "<") else { return .failure(.page) }
            do throws(EnvelopeError) {
                return .success(try JSONSlice.whole(bytes))
            } catch {
                return .failure(.notJSON(error))
            }
        }
        self.init(try result.get(), of: body)
    }

    private init(_ slice: JSONSlice, of body: SecretBytes) {
        self.body = body
        self.slice = slice
        // The last of several members with one name counts (RFC 8259 §4).
        members = body.withSpan { bytes in
            Dictionary(slice.members(in: bytes).map { ($0.name, $0.value) }) { $1 }
        }
    }

    /// A member of an object; nil if there is none, or if it is null.
    subscript(name: String) -> JSONReader? {
        guard let member = members[name], member.kind != .null else { return nil }
        return JSONReader(member, of: body)
    }

    var isObject: Bool { slice.kind == .object }

    /// The text of a string.
    var text: String? {
        body.withSpan { slice.string(in: $0) }
    }

    /// The text of a string, without another copy of it if it has no escapes.
    var secret: SecretBytes? {
        guard slice.kind == .string, !slice.hasEscapes else { return text.map { SecretBytes($0) } }
        return body.withSpan { bytes in SecretBytes(copying: slice.content.map { bytes[$0] }) }
    }

    /// A number without its fraction; nil for one that is not in the range of days that a clock can have.
    var number: Int? {
        guard slice.kind == .number else { return nil }
        let digits = body.withSpan { bytes in
            String(decoding: slice.content.map { bytes[$0] }, as: UTF8.self)
        }
        guard let value = Double(digits), abs(value) < 1e9 else { return nil }
        return Int(value)
    }

    /// The values of an array.
    var elements: [JSONReader] {
        body.withSpan { slice.elements(in: $0) }.map { JSONReader($0, of: body) }
    }

    /// The objects of a listing, `{"entities":[…]}`.
    func entities() throws(UnusableBody) -> [JSONReader] {
        guard let entities = self["entities"], entities.slice.kind == .array else { throw .without("entities") }
        return entities.elements
    }
}
