internal import GenesysLoop

/// A chunked body (RFC 9112 §7.1), without its framing.
///
/// Extensions of chunks (§7.1.1) and trailer fields (§7.1.2) are skipped. The limit of a head applies to each line, and
/// to all trailer fields together.
struct ChunkedBody {
    private enum State {
        /// The line with the size of a chunk.
        case size(HeadLineReader)
        case data(missingByteCount: Int)
        /// The end of the line behind a chunk's data.
        case dataEnd(HeadLineReader)
        case trailer(HeadLineReader)
        case complete
    }

    private let maxByteCount: Int
    private var state: State = .size(HeadLineReader())
    private(set) var bytes: [UInt8] = []

    var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    init(maxByteCount: Int) {
        self.maxByteCount = maxByteCount
    }

    /// Consumes input from `offset` on, up to the end of the body, and leaves what follows.
    mutating func receive(_ input: Span<UInt8>, at offset: inout Int) throws(SimulatedService.Refusal) {
        do throws(HTTPHeadError) {
            while offset < input.count, !isComplete { try step(input, &offset) }
        } catch {
            throw .badRequest("A chunk of the body is malformed.")
        }
        guard bytes.count <= maxByteCount else { throw .bodyTooLarge }
    }

    private mutating func step(_ input: Span<UInt8>, _ offset: inout Int) throws(HTTPHeadError) {
        switch state {
        case .size(var reader):
            let isWhole = try reader.readLine(in: input, at: &offset)
            guard isWhole else { return state = .size(reader) }
            let size = try size(of: reader.line)
            state = size == 0 ? .trailer(HeadLineReader()) : .data(missingByteCount: size)
        case .data(let missing):
            let end = min(input.count, offset + missing)
            for position in offset..<end { bytes.append(input[position]) }
            state =
                end - offset < missing ? .data(missingByteCount: missing - (end - offset)) : .dataEnd(HeadLineReader())
            offset = end
        case .dataEnd(var reader):
            let isWhole = try reader.readLine(in: input, at: &offset)
            guard reader.line.count <= 1 || isWhole else { throw .malformedHeader }
            guard isWhole else { return state = .dataEnd(reader) }
            guard reader.line.isEmpty else { throw .malformedHeader }
            state = .size(HeadLineReader())
        case .trailer(var reader):
            let isWhole = try reader.readLine(in: input, at: &offset)
            state = isWhole && reader.line.isEmpty ? .complete : .trailer(reader)
        case .complete:
            break
        }
    }

    /// The hexadecimal number before white space or a semicolon; the rest of the line is ignored.
    private func size(of line: [UInt8]) throws(HTTPHeadError) -> Int {
        let digits = line.prefix { Character(UnicodeScalar($0)).isHexDigit }
        let rest = line[digits.count...].drop { $0 == 0x20 || $0 == 0x09 }
        guard !digits.isEmpty, rest.isEmpty || rest.first == UInt8(ascii: ";") else { throw .malformedHeader }
        // A size beyond the limit is refused when the first excess byte arrives.
        return digits.reduce(0) { size, digit in
            min(size * 16 + (Character(UnicodeScalar(digit)).hexDigitValue ?? 0), 1 << 32)
        }
    }
}
