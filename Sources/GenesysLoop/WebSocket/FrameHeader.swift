/// The header of one frame, checked (RFC 6455 §5.2).
struct FrameHeader: Equatable, Sendable {
    var isFinal: Bool
    var opcode: Opcode
    var payloadByteCount: Int
    /// Its most significant byte is the first one on the wire; nil in an unmasked frame.
    var maskingKey: UInt32?
    /// RSV1 on the first frame of a message: the payload of all its frames is compressed (RFC 7692 §6).
    var isCompressed = false
}

/// Reads the header of a frame byte by byte, and refuses it at the first byte that breaks a rule.
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-------+-+-------------+-------------------------------+
///     |F|R|R|R| opcode|M| length (7)  |  extended length (0, 16, 64)  |
///     +-+-+-+-+-------+-+-------------+-------------------------------+
///     |                masking key (0, 32), then payload              |
///     +---------------------------------------------------------------+
///
/// Source: RFC 6455 §5.2. Each state holds what is known so far, in a fixed size.
struct FrameHeaderParser: Equatable, Sendable {
    private enum State: Equatable, Sendable {
        case start
        case first(isFinal: Bool, opcode: Opcode, isCompressed: Bool)
        case length(FrameHeader, isMasked: Bool, width: Int, missing: Int, value: UInt64)
        case key(FrameHeader, missing: Int, value: UInt32)
    }

    private let role: WebSocketRole
    private let allowsCompression: Bool
    private var state: State = .start

    init(role: WebSocketRole, allowsCompression: Bool) {
        self.role = role
        self.allowsCompression = allowsCompression
    }

    /// Whether no byte of the next header has arrived.
    var isAtStart: Bool {
        if case .start = state { true } else { false }
    }

    /// Consumes one byte and returns the header when it is complete.
    ///
    /// - Parameter isMidMessage: whether a fragmented message waits for its continuation.
    mutating func consume(_ byte: UInt8, isMidMessage: Bool) throws(WebSocketViolation) -> FrameHeader? {
        switch state {
        case .start:
            state = try first(byte, isMidMessage: isMidMessage)
            return nil
        case .first(let isFinal, let opcode, let isCompressed):
            return try second(
                byte, FrameHeader(isFinal: isFinal, opcode: opcode, payloadByteCount: 0, isCompressed: isCompressed))
        case .length(let header, let isMasked, let width, let missing, let value):
            // RFC 6455 §5.2: "the most significant bit MUST be 0".
            if width == 8 && missing == 8 && byte & 0x80 != 0 { throw .lengthOutOfRange }
            let value = value << 8 | UInt64(byte)
            // RFC 6455 §5.2: "the minimal number of bytes MUST be used"; a value of at most two bytes does not need
            // eight.
            if width == 8 && missing == 3 && value == 0 { throw .nonMinimalLength }
            guard missing == 1 else {
                state = .length(header, isMasked: isMasked, width: width, missing: missing - 1, value: value)
                return nil
            }
            if width == 2 && value < 126 { throw .nonMinimalLength }
            var header = header
            header.payloadByteCount = Int(value)
            return complete(header, isMasked: isMasked)
        case .key(var header, let missing, let value):
            let value = value << 8 | UInt32(byte)
            guard missing == 1 else {
                state = .key(header, missing: missing - 1, value: value)
                return nil
            }
            header.maskingKey = value
            return complete(header, isMasked: false)
        }
    }

    private func first(_ byte: UInt8, isMidMessage: Bool) throws(WebSocketViolation) -> State {
        // RFC 6455 §5.2: reserved bits are 0 "unless an extension is negotiated"; permessage-deflate uses RSV1.
        if byte & (allowsCompression ? 0x30 : 0x70) != 0 { throw .reservedBitSet }
        let isCompressed = byte & 0x40 != 0
        guard let opcode = Opcode(rawValue: byte & 0x0F) else { throw .unknownOpcode }
        let isFinal = byte & 0x80 != 0
        switch opcode {
        case .close, .ping, .pong:
            if !isFinal { throw .fragmentedControlFrame }
            // RFC 7692 §6: only the first frame of a data message has RSV1.
            if isCompressed { throw .misplacedCompressedBit }
        case .continuation:
            if !isMidMessage { throw .unexpectedContinuation }
            if isCompressed { throw .misplacedCompressedBit }
        case .text, .binary:
            if isMidMessage { throw .interleavedMessage }
        }
        return .first(isFinal: isFinal, opcode: opcode, isCompressed: isCompressed)
    }

    private mutating func second(_ byte: UInt8, _ header: FrameHeader) throws(WebSocketViolation) -> FrameHeader? {
        let isMasked = byte & 0x80 != 0
        switch role {
        case .client: if isMasked { throw .maskedServerFrame }
        case .server: if !isMasked { throw .unmaskedClientFrame }
        }
        let length = Int(byte & 0x7F)
        if header.opcode.isControl && length > 125 { throw .controlFrameTooLong }
        // RFC 6455 §5.5.1: a payload begins with a code of two bytes.
        if header.opcode == .close && length == 1 { throw .truncatedCloseCode }
        var header = header
        header.payloadByteCount = length
        guard length > 125 else { return complete(header, isMasked: isMasked) }
        let width = length == 126 ? 2 : 8
        state = .length(header, isMasked: isMasked, width: width, missing: width, value: 0)
        return nil
    }

    private mutating func complete(_ header: FrameHeader, isMasked: Bool) -> FrameHeader? {
        guard !isMasked else {
            state = .key(header, missing: 4, value: 0)
            return nil
        }
        state = .start
        return header
    }
}

/// What a frame carries (RFC 6455 §5.2, §11.8).
package enum Opcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    /// Whether the frame belongs to the protocol itself: never fragmented, at most 125 bytes (RFC 6455 §5.5).
    package var isControl: Bool { rawValue & 0x8 != 0 }
}
