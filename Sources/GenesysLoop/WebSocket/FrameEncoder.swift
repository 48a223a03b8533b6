/// Writes frames (RFC 6455 §5.2).
///
/// Random numbers are arguments: a client passes a fresh, unpredictable masking key for every frame (RFC 6455 §5.3,
/// §10.3), a server passes nil.
package enum FrameEncoder {
    /// The largest payload of a control frame (RFC 6455 §5.5).
    package static let maxControlPayloadByteCount = 125

    /// Appends one frame to `output`.
    ///
    /// - Parameters:
    ///   - opcode: `.continuation` for all but the first frame of a message.
    ///   - isFinal: whether the message ends with this frame.
    ///   - isCompressed: sets RSV1, for the first frame of a message that is compressed (RFC 7692 §6.1).
    ///   - payload: the bytes before masking.
    ///   - maskingKey: its most significant byte comes first; nil for none.
    ///   - output: grows by the frame.
    /// - Precondition: a control frame is final, not compressed, and has at most 125 bytes.
    package static func append(
        _ opcode: Opcode, isFinal: Bool = true, isCompressed: Bool = false, payload: Span<UInt8>, maskingKey: UInt32?,
        to output: inout [UInt8]
    ) {
        let length = payload.count
        precondition(
            !opcode.isControl || (isFinal && !isCompressed && length <= maxControlPayloadByteCount),
            "a control frame is neither fragmented nor compressed and holds at most 125 bytes")
        precondition(!isCompressed || opcode != .continuation, "only the first frame says that a message is compressed")
        let maskBit: UInt8 = maskingKey == nil ? 0 : 0x80
        output.append((isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode.rawValue)
        switch length {
        case ...125:
            output.append(maskBit | UInt8(length))
        case ...65_535:
            output.append(maskBit | 126)
            appendBigEndian(UInt64(length), byteCount: 2, to: &output)
        default:
            output.append(maskBit | 127)
            appendBigEndian(UInt64(length), byteCount: 8, to: &output)
        }
        if let maskingKey { appendBigEndian(UInt64(maskingKey), byteCount: 4, to: &output) }
        let start = output.count
        Bytes.append(payload, 0..<length, to: &output)
        if let maskingKey { Bytes.mask(&output, from: start, key: maskingKey, phase: 0) }
    }

    /// Appends one frame to `output`.
    package static func append(
        _ opcode: Opcode, isFinal: Bool = true, isCompressed: Bool = false, payload: [UInt8], maskingKey: UInt32?,
        to output: inout [UInt8]
    ) {
        append(
            opcode, isFinal: isFinal, isCompressed: isCompressed, payload: payload.span, maskingKey: maskingKey,
            to: &output)
    }

    /// Appends a Close frame to `output`.
    package static func appendClose(
        _ code: CloseCode?, reason: String = "", maskingKey: UInt32?, to output: inout [UInt8]
    ) {
        append(.close, payload: closePayload(code, reason: reason), maskingKey: maskingKey, to: &output)
    }

    /// The payload of a Close frame (RFC 6455 §5.5.1): empty without a code, else the code and as much of the reason as
    /// fits, cut between two characters.
    ///
    /// - Precondition: the code may be on the wire (`CloseCode.isValidOnWire`).
    package static func closePayload(_ code: CloseCode?, reason: String = "") -> [UInt8] {
        guard let code else { return [] }
        precondition(code.isValidOnWire, "a Close frame cannot carry this code")
        var payload = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)]
        for scalar in reason.unicodeScalars {
            let bytes = UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            guard payload.count + bytes.count <= maxControlPayloadByteCount else { break }
            payload.append(contentsOf: bytes)
        }
        return payload
    }

    private static func appendBigEndian(_ value: UInt64, byteCount: Int, to output: inout [UInt8]) {
        for index in (0..<byteCount).reversed() {
            output.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))))
        }
    }
}
