/// A way to break the grammar of RFC 8259.
package enum JSONFlaw: Equatable, Sendable, CustomStringConvertible {
    /// The text ends inside a value, or holds none.
    case unexpectedEnd
    /// A byte order mark (RFC 8259 §8.1: must not be added).
    case byteOrderMark
    /// §3: no value where one must be, as in `[1,]`.
    case expectedValue
    /// §4: no member name where one must be, as in `{"a":1,}`.
    case expectedName
    /// §4: a name without its colon.
    case expectedColon
    /// §4, §5: a value is followed by something else than a comma or the end of its container.
    case expectedCommaOrEnd
    /// §3: a word that is not `true`, `false` or `null`.
    case invalidLiteral
    /// §6: `01`, `+1`, `.5`, `1.`, `1e`, `-`.
    case invalidNumber
    /// §7: a `\` before something that cannot be escaped, or `\u` without four hexadecimal digits.
    case invalidEscape
    /// §7: a control character in a string that is not escaped.
    case controlCharacter
    /// §2: something after the value that is not white space.
    case trailingBytes

    /// A phrase that fits after "The message is not JSON:".
    package var description: String {
        switch self {
        case .unexpectedEnd: "it ends too early"
        case .byteOrderMark: "it starts with a byte order mark"
        case .expectedValue: "a value is missing"
        case .expectedName: "the name of a member is missing"
        case .expectedColon: "a colon is missing"
        case .expectedCommaOrEnd: "a comma or the end of an array or object is missing"
        case .invalidLiteral: "a word is none of true, false and null"
        case .invalidNumber: "a number is malformed"
        case .invalidEscape: "an escape is malformed"
        case .controlCharacter: "a string holds a control character"
        case .trailingBytes: "something follows its end"
        }
    }
}
