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
