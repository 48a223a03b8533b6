/// Cuts the bytes of an HTTP head into lines.
///
/// Only CR LF ends a line. RFC 9112 §2.2 lets a recipient accept a lone LF; we refuse it, as we do a lone CR: every
/// server in use sends CR LF, and two readers that disagree about where a line ends are how heads get smuggled.
/// A head, all of its lines together, is at most 16 KiB.
package struct HeadLineReader: Sendable {
    static let maxByteCount = 16_384

    /// The line so far; after `readLine` returned true, the whole line without its end.
    package private(set) var line: [UInt8] = []
    private(set) var byteCount = 0
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
