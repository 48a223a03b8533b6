/// The first line of an HTTP response (RFC 9112 §4): `HTTP/1.1 101 reason`.
///
/// The reason may be empty, and the space before it missing. HTTP/1.0 is let through for the status that it brings.
struct StatusLine: Equatable, Sendable {
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    let minorVersion: UInt8
    /// From 100 to 999.
    let status: Int
    /// As the server wrote it; often empty.
    let reason: String

    init(_ line: [UInt8]) throws(HTTPHeadError) {
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

    /// Refuses bytes that are no HTTP at once, rather than after 16 KiB or a time-out.
    static func checkStart(_ line: [UInt8]) throws(HTTPHeadError) {
        guard zip(line, "HTTP/1.".utf8).allSatisfy({ $0 == $1 }) else { throw .malformedStartLine }
    }
}
