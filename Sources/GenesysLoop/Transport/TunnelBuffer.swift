/// Where what comes from proxies with TLS is decrypted to before the link decrypts it once more: one for a loop, and none
/// without such a proxy.
///
/// It is in use during a read only, as the loop's own buffers are.
@safe final class TunnelBuffer {
    /// A record that was begun in an earlier read.
    private static let maxRecordByteCount = 16_384 + 512

    /// Freed with this object.
    let bytes: UnsafeMutableRawBufferPointer

    private init(byteCount: Int) {
        unsafe bytes = .allocate(byteCount: byteCount, alignment: 16)
    }

    deinit {
        // Nobody has it any more.
        unsafe bytes.deallocate()
    }

    /// The loop's one.
    static func shared(on loop: UVLoop) -> TunnelBuffer {
        loop.shared(ObjectIdentifier(TunnelBuffer.self)) {
            unsafe TunnelBuffer(byteCount: loop.ciphertextBuffer.count + maxRecordByteCount)
        }
    }
}
