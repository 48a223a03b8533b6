/// The first line of an HTTP response (RFC 9112 §4): `HTTP/1.1 101 reason`.
///
/// The reason may be empty, and the space before it missing. HTTP/1.0 is accepted, for its status.
package struct StatusLine: Equatable, Sendable {
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    package let minorVersion: UInt8
    /// From 100 to 999.
    package let status: Int
    /// As the server wrote it; often empty.
    package let reason: String

    package init(_ line: [UInt8]) throws(HTTPHeadError) {
        try StatusLine.checkStart(line)
        guard line.count >= 12, line[7] == UInt8(ascii: "1") || line[7] == UInt8(ascii: "0"), line[8] == 0x20,
            line[9...11].allSatisfy(ASCII.isDigit), line.count == 12 || line[12] == 0x20,
            line[12...].allSatisfy(ASCII.isFieldCharacter)
        else { throw .malformedStartLine }
        minorVersion = line[7] & 0x0F
        status = line[9...11].reduce(0) { $0 * 10 + Int($1 & 0x0F) }
        reason = String(decoding: ASCII.trimmed(line[12...]), as: UTF8.self)
        guard status >= 100 else { throw .malformedStartLine }
    }

    /// The phrase of RFC 9110 §15 for the common statuses.
    package static func phrase(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 417: "Expectation Failed"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Status"
        }
    }

    /// Refuses bytes that are not HTTP at once, not after 16 KiB or a timeout.
    package static func checkStart(_ line: [UInt8]) throws(HTTPHeadError) {
        guard zip(line, "HTTP/1.".utf8).allSatisfy({ $0 == $1 }) else { throw .malformedStartLine }
    }
}

/// Cuts the bytes of an HTTP head into lines.
///
/// Only CR LF ends a line. RFC 9112 §2.2 lets a recipient accept a lone LF; we refuse it, as we do a lone CR: every
/// server in use sends CR LF, and request smuggling needs two readers that disagree about where a line ends. A head,
/// all of its lines together, is at most 16 KiB.
package struct HeadLineReader: Sendable {
    package static let maxByteCount = 16_384

    /// The line so far; after `readLine` returned true, the whole line without its end.
    package private(set) var line: [UInt8] = []
    package private(set) var byteCount = 0
    private var isLineComplete = false

    package init() {}

    /// Reads up to the end of the line.
    ///
    /// False: more bytes are needed.
    package mutating func readLine(in input: Span<UInt8>, at offset: inout Int) throws(HTTPHeadError) -> Bool {
        if isLineComplete {
            isLineComplete = false
            line.removeAll(keepingCapacity: true)
        }
        while offset < input.count {
            let byte = input[offset]
            offset += 1
            byteCount += 1
            if byteCount > Self.maxByteCount { throw .tooLong }
            let isAfterCarriageReturn = line.last == .carriageReturn
            guard byte == .lineFeed else {
                if isAfterCarriageReturn { throw .bareCarriageReturn }
                line.append(byte)
                continue
            }
            guard isAfterCarriageReturn else { throw .bareLineFeed }
            line.removeLast()
            isLineComplete = true
            return true
        }
        return false
    }
}

/// One header field of HTTP (RFC 9112 §5).
package struct HeaderField: Hashable, Sendable {
    /// The name in lower case.
    package var name: String
    /// The value without white space at its ends.
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// Reads a line without its end.
    ///
    /// Refused: a folded line (RFC 9112 §5.2), white space before the colon (§5.1), a name that is not a token, control
    /// characters in the value.
    package init(line: [UInt8]) throws(HTTPHeadError) {
        if line.first == 0x20 || line.first == 0x09 { throw .foldedHeader }
        guard let colon = line.firstIndex(of: .colon), ASCII.isToken(line[..<colon]) else { throw .malformedHeader }
        let value = ASCII.trimmed(line[(colon + 1)...])
        guard value.allSatisfy(ASCII.isFieldCharacter) else { throw .malformedHeader }
        name = String(decoding: ASCII.lowercased(line[..<colon]), as: UTF8.self)
        self.value = String(decoding: value, as: UTF8.self)
    }

    /// Appends `name: value` and the end of the line, and refuses characters that would end the line early.
    package static func append(_ name: String, _ value: String, to head: inout [UInt8]) throws(InvalidHeader) {
        guard ASCII.isToken(name.utf8) else { throw InvalidHeader("The name of a header is not a token.") }
        guard value.utf8.allSatisfy(ASCII.isFieldCharacter) else {
            throw InvalidHeader("The value of the header \(name) holds a control character.")
        }
        head.append(contentsOf: "\(name): \(value)\r\n".utf8)
    }
}

/// The header fields of one head, in their order.
///
/// Bounded by the limit of the head.
package struct HeaderFields: Hashable, Sendable {
    private var fields: [HeaderField] = []

    package init() {}

    package mutating func append(_ field: HeaderField) {
        fields.append(field)
    }

    /// Records a line of a head that is read leniently: malformed lines are skipped, and a folded line continues the
    /// field before it (RFC 9112 §5.2).
    package mutating func append(forgivingly line: [UInt8]) {
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

    /// Whether the list has `element`, ignoring case.
    package func list(_ name: String, contains element: String) -> Bool {
        elements(of: name).contains { ASCII.lowercased($0) == element }
    }
}

/// The errors in the lines of an HTTP head, whether request or response.
package enum HTTPHeadError: Error, Hashable, Sendable {
    case tooLong
    case bareLineFeed
    case bareCarriageReturn
    case malformedStartLine
    case foldedHeader
    case malformedHeader

    /// One sentence about the error.
    package var sentence: String {
        switch self {
        case .tooLong: "The HTTP head is longer than \(HeadLineReader.maxByteCount) bytes."
        case .bareLineFeed: "A line of the HTTP head ends in a line feed alone."
        case .bareCarriageReturn: "A carriage return stands inside a line of the HTTP head."
        case .malformedStartLine: "The first line is not one of HTTP/1.1."
        case .foldedHeader: "A header is folded over several lines."
        case .malformedHeader: "A header is malformed."
        }
    }

    /// The section of the rule.
    package var section: String {
        switch self {
        case .tooLong: "RFC 6585 §5"
        case .bareLineFeed, .bareCarriageReturn: "RFC 9112 §2.2"
        case .malformedStartLine: "RFC 9112 §3, §4"
        case .foldedHeader: "RFC 9112 §5.2"
        case .malformedHeader: "RFC 9112 §5"
        }
    }
}

/// Why one of our own headers cannot be sent.
///
/// The sentence never repeats its value, which may be a secret.
package struct InvalidHeader: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
