/// Reads the head of a request, as a server does (RFC 6455 §4.2.1, RFC 9112 §3).
///
/// It takes any head of HTTP/1.1 or HTTP/1.0; `UpgradeRequestHead.checkUpgrade()` says whether that opens a WebSocket,
/// so that a server can answer other requests too. Line ends and limits are those of the client side. It never takes a
/// byte beyond the head.
package struct UpgradeRequestParser: Sendable {
    /// What a piece of input led to.
    package enum Result: Equatable, Sendable {
        /// All of the input was consumed.
        case needMore
        /// The head is complete; whatever follows begins after this many bytes of this input.
        case complete(UpgradeRequestHead, consumed: Int)
    }

    private var reader = HeadLineReader()
    private var requestLine: (method: String, target: String, isHTTP10: Bool)?
    private var fields = HeaderFields()
    private var fault: UpgradeRequestFault?

    package init() {}

    /// Takes the next bytes.
    ///
    /// After a complete head it begins with the next one.
    package mutating func receive(_ input: Span<UInt8>) throws(UpgradeRequestFault) -> Result {
        if let fault { throw fault }
        do throws(HTTPHeadError) {
            return try readLines(input)
        } catch {
            let fault = UpgradeRequestFault(status: error == .tooLong ? 431 : 400, error.sentence)
            self.fault = fault
            throw fault
        }
    }

    private mutating func readLines(_ input: Span<UInt8>) throws(HTTPHeadError) -> Result {
        var offset = 0
        while try reader.readLine(in: input, at: &offset) {
            guard let requestLine else {
                // RFC 9112 §2.2: an empty line before the request is ignored.
                if !reader.line.isEmpty { requestLine = try Self.parseRequestLine(reader.line) }
                continue
            }
            guard reader.line.isEmpty else {
                fields.append(try HeaderField(line: reader.line))
                continue
            }
            let head = UpgradeRequestHead(
                method: requestLine.method, target: requestLine.target, isHTTP10: requestLine.isHTTP10, fields: fields)
            self = UpgradeRequestParser()
            return .complete(head, consumed: offset)
        }
        return .needMore
    }

    /// RFC 9112 §3: method, target and version, with one space between them.
    private static func parseRequestLine(
        _ line: [UInt8]
    ) throws(HTTPHeadError) -> (method: String, target: String, isHTTP10: Bool) {
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 3, ASCII.isToken(parts[0]), !parts[1].isEmpty,
            parts[1].allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .malformedStartLine }
        let isHTTP10 = parts[2].elementsEqual("HTTP/1.0".utf8)
        guard isHTTP10 || parts[2].elementsEqual("HTTP/1.1".utf8) else { throw .malformedStartLine }
        return (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self), isHTTP10)
    }
}
