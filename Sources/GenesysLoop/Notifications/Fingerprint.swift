/// A 64-bit fingerprint of a message, equal for equal bytes.
///
/// For telling copies apart within one overlap, not for defence: who can send on the channel can send what he likes.
package enum Fingerprint {
    package static func of(_ message: Span<UInt8>) -> UInt64 {
        var state = UInt64(truncatingIfNeeded: message.count) &* 0x9E37_79B9_7F4A_7C15
        var offset = 0
        while offset < message.count {
            // Beyond the end the word reads as zero bytes; the count above tells such messages apart.
            state = (state ^ message.word(at: offset)) &* 0xBF58_476D_1CE4_E5B9
            state ^= state >> 29
            offset &+= 8
        }
        state = (state ^ (state >> 32)) &* 0x94D0_49BB_1331_11EB
        return state ^ (state >> 31)
    }
}
