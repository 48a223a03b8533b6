/// The header of one frame, checked (RFC 6455 §5.2).
struct FrameHeader: Equatable, Sendable {
    var isFinal: Bool
    var opcode: Opcode
    var payloadByteCount: Int
    /// Its most significant byte is the first one on the wire; nil in an unmasked frame.
    var maskingKey: UInt32?
}
