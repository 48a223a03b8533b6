/// A rule of RFC 6455 or RFC 7692, or one of our limits, that the peer broke.
///
/// One case per rule. Each knows the code of the Close frame that answers it and the section of the rule.
package enum WebSocketViolation: Error, Hashable, Sendable, CaseIterable {
    case reservedBitSet
    case misplacedCompressedBit
    case unknownOpcode
    case nonMinimalLength
    case lengthOutOfRange
    case maskedServerFrame
    case unmaskedClientFrame
    case fragmentedControlFrame
    case controlFrameTooLong
    case unexpectedContinuation
    case interleavedMessage
    case truncatedCloseCode
    case invalidCloseCode
    case invalidCloseReason
    case invalidUTF8
    case invalidCompressedData
    case messageTooLarge
    case tooManyFrames

    /// The code to close the connection with (RFC 6455 §7.1.7, §7.4.1).
    package var closeCode: CloseCode {
        switch self {
        case .reservedBitSet, .misplacedCompressedBit, .unknownOpcode, .nonMinimalLength, .lengthOutOfRange,
            .maskedServerFrame, .unmaskedClientFrame, .fragmentedControlFrame, .controlFrameTooLong,
            .unexpectedContinuation,
            .interleavedMessage, .truncatedCloseCode, .invalidCloseCode:
            .protocolError
        case .invalidCloseReason, .invalidUTF8, .invalidCompressedData: .invalidPayload
        case .messageTooLarge: .messageTooBig
        case .tooManyFrames: .policyViolation
        }
    }

    /// The section of the rule.
    package var section: String {
        switch self {
        case .reservedBitSet, .unknownOpcode, .nonMinimalLength, .lengthOutOfRange: "RFC 6455 §5.2"
        case .maskedServerFrame, .unmaskedClientFrame: "RFC 6455 §5.1"
        case .fragmentedControlFrame, .controlFrameTooLong: "RFC 6455 §5.5"
        case .unexpectedContinuation, .interleavedMessage: "RFC 6455 §5.4"
        case .truncatedCloseCode, .invalidCloseReason: "RFC 6455 §5.5.1"
        case .invalidCloseCode: "RFC 6455 §7.4"
        case .invalidUTF8: "RFC 6455 §8.1"
        case .misplacedCompressedBit: "RFC 7692 §6"
        case .invalidCompressedData: "RFC 7692 §6.2"
        case .messageTooLarge, .tooManyFrames: "RFC 6455 §10.4"
        }
    }
}

extension WebSocketViolation: CustomStringConvertible {
    /// The sentence as a part of another one, with the section of the rule.
    package var clause: String { "\(Sentence.clause(description)) (\(section))" }

    /// One sentence that says what the peer did.
    package var description: String {
        switch self {
        case .reservedBitSet: "The peer set a reserved bit of a frame without an extension that uses it."
        case .misplacedCompressedBit:
            "The peer set the bit of a compressed message elsewhere than on the first frame of a data message."
        case .unknownOpcode: "The peer sent a frame with a reserved opcode."
        case .nonMinimalLength: "The peer wrote a payload length in more bytes than it needs."
        case .lengthOutOfRange: "The peer declared a payload length of 2^63 bytes or more."
        case .maskedServerFrame: "The server sent a masked frame."
        case .unmaskedClientFrame: "The client sent a frame without a mask."
        case .fragmentedControlFrame: "The peer fragmented a control frame."
        case .controlFrameTooLong: "The peer sent a control frame of more than 125 bytes."
        case .unexpectedContinuation: "The peer continued a message that it had not begun."
        case .interleavedMessage: "The peer began a message before it had ended the one before."
        case .truncatedCloseCode: "The peer sent a Close frame with half a status code."
        case .invalidCloseCode: "The peer sent a Close frame with a status code that must not be sent."
        case .invalidCloseReason: "The peer sent a Close frame whose reason is not UTF-8."
        case .invalidUTF8: "The peer sent a text message that is not UTF-8."
        case .invalidCompressedData: "The peer sent a compressed message that cannot be decompressed."
        case .messageTooLarge: "The peer sent a message larger than the limit."
        case .tooManyFrames: "The peer sent a message in more frames than the limit."
        }
    }
}
