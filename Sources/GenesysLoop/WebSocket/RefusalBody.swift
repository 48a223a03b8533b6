/// Reads the beginning of a response's body, of which only the words are wanted (RFC 9112 §6, §7).
///
/// At most 16 KiB are read, the transfer coding included. What breaks a rule ends the body there: the status has been
/// read, and nothing else depends on it. Its driver keeps the deadline.
struct RefusalBody: Sendable {
    static let maxByteCount = 16_384
    /// The length limit of a chunk's line.
    private static let maxChunkLineByteCount = 256

    private enum State: Sendable {
        case untilEnd
        case length(Int)
        /// The line with the size of a chunk, so far.
        case chunkLine([UInt8])
        case chunk(Int)
        /// The end of a chunk's line is missing.
        case chunkEnd
        case complete
    }

    private(set) var bytes: [UInt8] = []
    private var state: State
    private var byteCount = 0

    init(status: Int, _ fields: HeaderFields) {
        state = RefusalBody.framing(status, fields)
    }

    /// Whether nothing more is wanted.
    var isComplete: Bool {
        if case .complete = state { true } else { byteCount >= RefusalBody.maxByteCount }
    }

    /// RFC 9112 §6.3. Where the words are elsewhere, or not to be read without decoding, there is no body for us.
    private static func framing(_ status: Int, _ fields: HeaderFields) -> State {
        let isRedirect = (300...399).contains(status) && !fields.values(of: "location").isEmpty
        let codings = fields.elements(of: "content-encoding").map { ASCII.lowercased($0) }
        guard status >= 200, status != 204, status != 304, !isRedirect, codings.allSatisfy({ $0 == "identity" }) else {
            return .complete
        }
        let transferCodings = fields.elements(of: "transfer-encoding").map { ASCII.lowercased($0) }
        guard transferCodings.isEmpty else { return transferCodings == ["chunked"] ? .chunkLine([]) : .complete }
        let lengths = Set(fields.elements(of: "content-length"))
        guard let length = lengths.first else { return .untilEnd }
        guard lengths.count == 1, length.utf8.allSatisfy(ASCII.isDigit) else { return .complete }
        let count = length.utf8.reduce(0) { min($0 * 10 + Int($1 & 0x0F), maxByteCount) }
        return count == 0 ? .complete : .length(count)
    }

    /// Takes what the input holds of it.
    mutating func receive(_ input: Span<UInt8>, at offset: inout Int) {
        while offset < input.count, !isComplete {
            switch state {
            case .untilEnd:
                _ = take(.max, of: input, at: &offset)
            case .length(let count):
                let rest = count - take(count, of: input, at: &offset)
                state = rest == 0 ? .complete : .length(rest)
            case .chunk(let count):
                let rest = count - take(count, of: input, at: &offset)
                state = rest == 0 ? .chunkEnd : .chunk(rest)
            case .chunkEnd:
                next(
                    in: input, at: &offset,
                    { $0 == .lineFeed ? .chunkLine([]) : $0 == .carriageReturn ? nil : .complete })
            case .chunkLine(let line):
                next(in: input, at: &offset, { RefusalBody.lineGrew(line, by: $0) })
            case .complete:
                return
            }
        }
    }

    /// Keeps up to `count` bytes.
    private mutating func take(_ count: Int, of input: Span<UInt8>, at offset: inout Int) -> Int {
        let taken = min(count, input.count - offset, RefusalBody.maxByteCount - byteCount)
        for index in offset..<(offset + taken) { bytes.append(input[index]) }
        offset += taken
        byteCount += taken
        return taken
    }

    /// Looks at one byte between chunks; nil stays in the state.
    private mutating func next(in input: Span<UInt8>, at offset: inout Int, _ following: (UInt8) -> State?) {
        if let state = following(input[offset]) { self.state = state }
        offset += 1
        byteCount += 1
    }

    /// RFC 9112 §7.1: the size in hexadecimal digits, then extensions, which mean nothing to us.
    private static func lineGrew(_ line: [UInt8], by byte: UInt8) -> State {
        guard byte == .lineFeed else {
            return line.count < maxChunkLineByteCount ? .chunkLine(line + [byte]) : .complete
        }
        let digits = line.prefix(while: ASCII.isHexDigit)
        let rest = line[digits.endIndex...].first
        guard !digits.isEmpty, rest == nil || " \t;\r".utf8.contains(rest ?? 0) else { return .complete }
        let size = digits.reduce(0) { min($0 << 4 | Int(ASCII.hexValue($1) ?? 0), maxByteCount) }
        return size == 0 ? .complete : .chunk(size)
    }
}
