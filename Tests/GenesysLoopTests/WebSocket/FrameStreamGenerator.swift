@testable import GenesysLoop

/// Makes streams of frames, the same ones from the same seed: legal ones, each fault at any place of a legal one, cut
/// ones, ones that continue after their end, and ones with damaged bytes.
///
/// It writes frames itself, so that the library's encoder does not test itself.
struct FrameStreamGenerator {
    /// The current fragmented message.
    struct Fragments {
        var kind: MessageKind
        /// The bytes of the payloads, as they are on the wire.
        var byteCount: Int
        var frameCount: Int
        var isCompressed = false
    }

    var random: SeededGenerator
    var stream: FrameStream
    var compressor: StreamCompressor?
    var fragments: Fragments?

    private init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        let limits = [
            MessageLimits(), MessageLimits(maxMessageByteCount: 300, maxFrameCount: 8),
            MessageLimits(maxMessageByteCount: 125, maxFrameCount: 6),
            MessageLimits(maxMessageByteCount: 90, maxFrameCount: 9),
        ]
        stream = FrameStream(role: .client, limits: limits[0])
        stream.role = isTrue(1, of: 2) ? .client : .server
        stream.limits = any(limits)
        guard isTrue(1, of: 4) else { return }
        var deflate = DeflateParameters()
        deflate.serverNoContextTakeover = isTrue(1, of: 2)
        deflate.clientNoContextTakeover = isTrue(1, of: 2)
        deflate.serverMaxWindowBits = any([15, 15, 9, 12])
        deflate.clientMaxWindowBits = any([15, 15, 9, 12])
        stream.deflate = deflate
        compressor = StreamCompressor(deflate, receiver: stream.role, storesOnly: isTrue(1, of: 2))
    }

    /// The stream of a seed.
    static func stream(seed: UInt64) -> FrameStream {
        var generator = FrameStreamGenerator(seed: seed)
        generator.makeStream(isLong: seed % 2_000 == 1_234)
        return generator.stream
    }

    private mutating func makeStream(isLong: Bool) {
        if isLong {
            stream.limits = MessageLimits()
            appendMessage(.binary, (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 7) }, fragmentCount: 1)
        }
        for _ in 0..<count(0...3) { appendLegalStep() }
        if isTrue(1, of: 4) { appendMessage(stoppingEarly: true) }
        switch count(0...9) {
        case 0: stream.isMidMessage = fragments != nil
        case 1: appendEndOfStream()
        case 2, 3: appendCutFrame()
        case 4, 5: damage()
        default:
            appendFault()
            appendGarbage()
        }
    }

    // MARK: - Legal steps

    private mutating func appendLegalStep() {
        if isTrue(1, of: 3) { appendControl() } else { appendMessage(stoppingEarly: false) }
    }

    private mutating func appendControl() {
        let payload = payload(any([0, 1, 4, 17, 125, 0, 2, 3]))
        let isPing = isTrue(1, of: 2)
        append(isPing ? 0x89 : 0x8A, payload)
        stream.events?.append(isPing ? .ping(payload) : .pong(payload))
    }

    private mutating func appendMessage(stoppingEarly: Bool) {
        let limits = stream.limits
        let kind: MessageKind = isTrue(2, of: 3) ? .text : .binary
        var bytes = kind == .text ? text() : payload(any([0, 1, 5, 30]))
        if isTrue(1, of: 12) {
            // Around the length boundaries, and up to the maximum.
            let length = min(any([125, 126, 127, 300]), limits.maxMessageByteCount)
            bytes = [UInt8](repeating: 0x61, count: length)
        }
        let most = isTrue(1, of: 8) ? min(limits.maxFrameCount, 9) : 4
        let fragmentCount = isTrue(1, of: 2) && !stoppingEarly ? 1 : count(2...most)
        appendMessage(kind, bytes, fragmentCount: fragmentCount, stoppingEarly: stoppingEarly)
    }

    private mutating func appendMessage(
        _ kind: MessageKind, _ bytes: [UInt8], fragmentCount: Int, stoppingEarly: Bool = false
    ) {
        // RFC 7692 §6: the sender may leave any message uncompressed.
        let compressed = isTrue(2, of: 3) && bytes.count < 65_536 ? compressor?.compressed(bytes) : nil
        let payload = compressed ?? bytes
        let ends = ends(of: fragmentCount, in: payload.count)
        let last = stoppingEarly ? count(1...(fragmentCount - 1)) : fragmentCount
        var start = 0
        for (index, end) in ends.prefix(last).enumerated() {
            if index > 0, isTrue(1, of: 3) { appendControl() }
            let first = index > 0 ? 0x00 : kind.opcode | (compressed == nil ? 0 : 0x40)
            append(index == fragmentCount - 1 ? first | 0x80 : first, Array(payload[start..<end]))
            start = end
        }
        if stoppingEarly {
            fragments = Fragments(
                kind: kind, byteCount: start, frameCount: last, isCompressed: compressed != nil)
        } else {
            stream.events?.append(.message(kind, bytes))
        }
    }

    // MARK: - Endings

    /// A Close frame, and bytes that are not read.
    private mutating func appendEndOfStream() {
        if isTrue(1, of: 4) {
            append(0x88, [])
            stream.events?.append(.close(nil, ""))
        } else {
            let code: UInt16 = any([1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
            let reason = Array(text().prefix(60))
            let whole = String(validating: reason, as: UTF8.self) == nil ? [] : reason
            append(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)] + whole)
            stream.events?.append(.close(CloseCode(rawValue: code), String(decoding: whole, as: UTF8.self)))
        }
        appendGarbage()
    }

    /// A frame that is legal so far, and does not reach its end.
    private mutating func appendCutFrame() {
        let start = stream.bytes.count
        let isControl = fragments != nil || isTrue(1, of: 3)
        append(
            isControl ? any([0x89, 0x8A]) : any([0x81, 0x01, 0x82, 0x02]),
            [UInt8](repeating: 0x62, count: count(1...20)))
        stream.bytes.removeLast(count(1...(stream.bytes.count - start - 1)))
        stream.isMidMessage = true
    }

    /// The result is unknown, but it must not depend on the pieces.
    private mutating func damage() {
        if fragments == nil, isTrue(1, of: 2) { appendEndOfStream() }
        if stream.bytes.isEmpty { appendGarbage() }
        for _ in 0..<count(1...4) where !stream.bytes.isEmpty {
            let index = count(0...(stream.bytes.count - 1))
            switch count(0...3) {
            case 0: stream.bytes.remove(at: index)
            case 1: stream.bytes.insert(byte(), at: index)
            case 2: stream.bytes[index] ^= 1 << UInt8(count(0...7))
            default: stream.bytes[index] = byte()
            }
        }
        stream.events = nil
    }

    private mutating func appendGarbage() {
        for _ in 0..<count(0...12) { stream.bytes.append(byte()) }
    }

    // MARK: - Frames

    /// Appends a frame and returns where its payload begins.
    @discardableResult
    mutating func append(_ first: UInt8, _ payload: [UInt8]) -> Int {
        let key = appendHeader(first, length: UInt64(payload.count))
        let start = stream.bytes.count
        for (index, byte) in payload.enumerated() {
            stream.bytes.append(key.isEmpty ? byte : byte ^ key[index % 4])
        }
        return start
    }

    /// Appends a header with the length in as few bytes as it needs, and the masking key of a client.
    @discardableResult
    mutating func appendHeader(_ first: UInt8, length: UInt64) -> [UInt8] {
        let width = length < 126 ? 0 : length < 65_536 ? 2 : 8
        stream.bytes += [first, maskBit | (width == 0 ? UInt8(length) : width == 2 ? 126 : 127)]
        appendLength(length, width: width)
        let key = stream.role == .server ? (0..<4).map { _ in byte() } : []
        stream.bytes += key
        return key
    }

    mutating func appendLength(_ length: UInt64, width: Int) {
        for shift in (0..<width).reversed() { stream.bytes.append(UInt8(truncatingIfNeeded: length >> (8 * shift))) }
    }

    var maskBit: UInt8 { stream.role == .server ? 0x80 : 0 }

    // MARK: - Chance

    mutating func ends(of pieceCount: Int, in byteCount: Int) -> [Int] {
        (1..<pieceCount).map { _ in count(0...byteCount) }.sorted() + [byteCount]
    }

    mutating func count(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    mutating func isTrue(_ part: Int, of whole: Int) -> Bool { count(1...whole) <= part }

    mutating func any<Element>(_ choices: [Element]) -> Element { choices[count(0...(choices.count - 1))] }

    mutating func byte() -> UInt8 { UInt8.random(in: 0...255, using: &random) }

    mutating func payload(_ byteCount: Int) -> [UInt8] { (0..<byteCount).map { _ in byte() } }

    /// UTF-8 of every width, at most 70 bytes.
    mutating func text() -> [UInt8] {
        var text: [UInt8] = []
        for _ in 0..<count(0...any([3, 12])) {
            text += utf8(
                any([
                    "a", "\0", "ASCII", "é", "\u{80}", "\u{7FF}", "\u{800}", "語", "\u{D7FF}", "\u{E000}",
                    "\u{FFFF}", "\u{10000}", "🎉", "\u{10FFFF}",
                ]))
        }
        return text
    }
}

extension MessageKind {
    fileprivate var opcode: UInt8 { self == .text ? 0x1 : 0x2 }
}
