import GenesysLoop

/// A second implementation of RFC 6455 §5, for a whole stream at once and without regard to speed.
///
/// It copies every payload, unmasks byte by byte, and validates the text of a message from its start for each frame.
struct ReferenceDecoder {
    enum Event: Equatable {
        case message(MessageKind, [UInt8])
        /// A received message, still compressed.
        case compressed(MessageKind, [UInt8])
        case ping([UInt8])
        case pong([UInt8])
        case close(CloseCode?, String)
        case violation(WebSocketViolation)
    }

    /// A frame that was accepted, or was at least complete.
    struct Frame {
        let isFinal: Bool
        let isCompressed: Bool
        let opcode: Opcode
        let key: UInt32?
        let payload: [UInt8]
        /// Its position in the stream.
        let range: Range<Int>
    }

    let stream: [UInt8]
    let role: WebSocketRole
    let limits: MessageLimits
    /// Whether permessage-deflate was agreed on.
    let allowsCompression: Bool
    private(set) var events: [Event] = []
    private(set) var frames: [Frame] = []
    private(set) var isMidMessage = false
    private var position = 0
    private var kind: MessageKind?
    private var isCompressed = false
    private var message: [UInt8] = []
    private var frameCount = 0

    init(_ stream: [UInt8], role: WebSocketRole, limits: MessageLimits, allowsCompression: Bool = false) {
        self.stream = stream
        self.allowsCompression = allowsCompression
        self.role = role
        self.limits = limits
        do throws(WebSocketViolation) {
            while try readFrame() {}
        } catch {
            isMidMessage = false
            events.append(.violation(error))
        }
    }

    /// The received part of an incomplete compressed message.
    var unfinished: [UInt8] { kind != nil && isCompressed ? message : [] }

    private mutating func take(_ count: Int) -> [UInt8]? {
        guard stream.count - position >= count else { return nil }
        defer { position += count }
        return Array(stream[position..<(position + count)])
    }

    /// False at the end of the stream or of the connection.
    private mutating func readFrame() throws(WebSocketViolation) -> Bool {
        let start = position
        isMidMessage = kind != nil || position < stream.count
        guard let first = take(1)?[0] else { return false }
        let opcode = try opcode(first)
        let isFinal = first & 0x80 != 0
        guard let second = take(1)?[0] else { return false }
        if role == .client && second & 0x80 != 0 { throw .maskedServerFrame }
        if role == .server && second & 0x80 == 0 { throw .unmaskedClientFrame }
        if opcode.isControl && second & 0x7F > 125 { throw .controlFrameTooLong }
        if opcode == .close && second & 0x7F == 1 { throw .truncatedCloseCode }
        guard let length = try length(second & 0x7F) else { return false }
        var key: [UInt8]?
        if second & 0x80 != 0 {
            key = take(4)
            if key == nil { return false }
        }
        if !opcode.isControl { try count(first, opcode, length) }
        let present = take(min(length, stream.count - position)) ?? []
        let payload = present.enumerated().map { index, byte in byte ^ (key?[index % 4] ?? 0) }
        if opcode == .close { try checkClose(payload) }
        if !opcode.isControl { try checkText(opcode, payload) }
        guard payload.count == length else {
            if !opcode.isControl { begin(opcode, payload) }
            return false
        }
        let packedKey = key.map { $0.reduce(0 as UInt32) { $0 << 8 | UInt32($1) } }
        frames.append(
            Frame(
                isFinal: isFinal, isCompressed: first & 0x40 != 0, opcode: opcode, key: packedKey, payload: payload,
                range: start..<position))
        return try finish(opcode, isFinal, payload)
    }

    private func opcode(_ first: UInt8) throws(WebSocketViolation) -> Opcode {
        if first & (allowsCompression ? 0x30 : 0x70) != 0 { throw .reservedBitSet }
        guard let opcode = Opcode(rawValue: first & 0x0F) else { throw .unknownOpcode }
        if opcode.isControl && first & 0x80 == 0 { throw .fragmentedControlFrame }
        if opcode.isControl && first & 0x40 != 0 { throw .misplacedCompressedBit }
        if opcode == .continuation && kind == nil { throw .unexpectedContinuation }
        if opcode == .continuation && first & 0x40 != 0 { throw .misplacedCompressedBit }
        if opcode == .text || opcode == .binary, kind != nil { throw .interleavedMessage }
        return opcode
    }

    private mutating func length(_ short: UInt8) throws(WebSocketViolation) -> Int? {
        guard short > 125 else { return Int(short) }
        let width = short == 126 ? 2 : 8
        if width == 8, position < stream.count, stream[position] & 0x80 != 0 { throw .lengthOutOfRange }
        // A length whose first six bytes are zero does not need eight bytes.
        if width == 8, stream[position...].starts(with: [0, 0, 0, 0, 0, 0]) { throw .nonMinimalLength }
        guard let bytes = take(width) else { return nil }
        let value = bytes.reduce(0) { $0 << 8 | Int($1) }
        if value < 126 || (width == 8 && value < 65_536) { throw .nonMinimalLength }
        return value
    }

    private mutating func count(_ first: UInt8, _ opcode: Opcode, _ length: Int) throws(WebSocketViolation) {
        if opcode != .continuation {
            message = []
            frameCount = 0
            isCompressed = first & 0x40 != 0
        }
        frameCount += 1
        let most = limits.maxMessageByteCount
        // An eighth more, and a little: incompressible data grows.
        if length > (isCompressed ? most + most / 8 + 1_024 : most) - message.count { throw .messageTooLarge }
        if frameCount > limits.maxFrameCount { throw .tooManyFrames }
    }

    private func checkText(_ opcode: Opcode, _ payload: [UInt8]) throws(WebSocketViolation) {
        guard kind == .text || opcode == .text, !isCompressed else { return }
        if !ReferenceUTF8.isPossible(message + payload) { throw .invalidUTF8 }
    }

    private mutating func begin(_ opcode: Opcode, _ payload: [UInt8]) {
        message += payload
        kind = kind ?? (opcode == .text ? .text : .binary)
    }

    private mutating func finish(
        _ opcode: Opcode, _ isFinal: Bool, _ payload: [UInt8]
    ) throws(WebSocketViolation) -> Bool {
        switch opcode {
        case .ping: events.append(.ping(payload))
        case .pong: events.append(.pong(payload))
        case .close: return try close(payload)
        case .text, .binary, .continuation:
            begin(opcode, payload)
            guard isFinal, let kind else { break }
            self.kind = nil
            guard !isCompressed else {
                events.append(.compressed(kind, message))
                break
            }
            if kind == .text && !ReferenceUTF8.isValid(message) { throw .invalidUTF8 }
            events.append(.message(kind, message))
        }
        return true
    }

    /// Checks a Close frame, as far as it has arrived.
    private func checkClose(_ payload: [UInt8]) throws(WebSocketViolation) {
        guard payload.count > 1 else { return }
        let number = UInt16(payload[0]) << 8 | UInt16(payload[1])
        let isAllowed = [1000, 1001, 1002, 1003].contains(number) || (1007...1014).contains(number)
        if !isAllowed && !(3000...4999).contains(number) { throw .invalidCloseCode }
        if !ReferenceUTF8.isPossible(Array(payload.dropFirst(2))) { throw .invalidCloseReason }
    }

    private mutating func close(_ payload: [UInt8]) throws(WebSocketViolation) -> Bool {
        if !ReferenceUTF8.isValid(payload.dropFirst(2)) { throw .invalidCloseReason }
        let code = payload.isEmpty ? nil : CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        events.append(.close(code, String(decoding: payload.dropFirst(2), as: UTF8.self)))
        isMidMessage = false
        return false
    }
}
