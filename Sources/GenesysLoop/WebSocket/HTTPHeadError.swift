/// What can be wrong with the lines of an HTTP head, whichever end sent it.
package enum HTTPHeadError: Error, Hashable, Sendable {
    case tooLong
    case bareLineFeed
    case bareCarriageReturn
    case malformedStartLine
    case foldedHeader
    case malformedHeader

    /// One sentence about it.
    var sentence: String {
        switch self {
        case .tooLong: "The HTTP head is longer than \(HeadLineReader.maxByteCount) bytes."
        case .bareLineFeed: "A line of the HTTP head ends in a line feed alone."
        case .bareCarriageReturn: "A carriage return stands inside a line of the HTTP head."
        case .malformedStartLine: "The first line is not one of HTTP/1.1."
        case .foldedHeader: "A header is folded over several lines."
        case .malformedHeader: "A header is malformed."
        }
    }

    /// Where the rule stands.
    var section: String {
        switch self {
        case .tooLong: "RFC 6585 §5"
        case .bareLineFeed, .bareCarriageReturn: "RFC 9112 §2.2"
        case .malformedStartLine: "RFC 9112 §3, §4"
        case .foldedHeader: "RFC 9112 §5.2"
        case .malformedHeader: "RFC 9112 §5"
        }
    }
}
