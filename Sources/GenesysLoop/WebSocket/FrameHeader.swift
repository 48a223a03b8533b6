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
