internal import COpenSSL

/// The stream between a session's `SSL` and its block: reads from the lent ciphertext, appends to the outgoing
/// ciphertext.
///
/// Not `BIO_s_mem`: that copies once more, and keeps a buffer per connection.
@safe enum SessionBIO {
    /// Made once, never changed, never freed.
    private nonisolated(unsafe) static let method: OpaquePointer? = {
        guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "genesys loop session")
        else { return nil }
        unsafe BIO_meth_set_read(method, readCallback)
        unsafe BIO_meth_set_write(method, writeCallback)
        unsafe BIO_meth_set_ctrl(method, controlCallback)
        return unsafe method
    }()

    /// Makes a stream over a block, which must outlive it.
    static func make(over block: UnsafeMutablePointer<SessionBlock>) throws(TLSError) -> OpaquePointer {
        guard let method = unsafe method, let bio = unsafe BIO_new(method) else { throw .draining("BIO_new") }
        unsafe BIO_set_data(bio, block)
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    /// The block of a stream; nil while the session ends.
    static func block(of bio: OpaquePointer?) -> UnsafeMutablePointer<SessionBlock>? {
        unsafe BIO_get_data(bio)?.assumingMemoryBound(to: SessionBlock.self)
    }
}

/// The session keeps the block as long as the stream; the caller keeps the ciphertext valid until it takes it back.
private func readCallback(_ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ count: Int32) -> Int32 {
    unsafe cossl_bio_clear_retry_flags(bio)
    guard let block = unsafe SessionBIO.block(of: bio), let target = unsafe target, count > 0 else { return -1 }
    guard let input = unsafe block.pointee.input, unsafe block.pointee.inputByteCount > 0 else {
        unsafe cossl_bio_set_retry_read(bio)  // "no more for now": OpenSSL never learns of the stream's end
        return -1
    }
    let taken = unsafe min(Int(count), block.pointee.inputByteCount)
    unsafe UnsafeMutableRawPointer(target).copyMemory(from: input, byteCount: taken)
    unsafe block.pointee.input = input + taken
    unsafe block.pointee.inputByteCount -= taken
    return Int32(taken)
}

/// Copies: OpenSSL's bytes are valid during the call.
private func writeCallback(_ bio: OpaquePointer?, _ source: UnsafePointer<CChar>?, _ count: Int32) -> Int32 {
    unsafe cossl_bio_clear_retry_flags(bio)
    guard let block = unsafe SessionBIO.block(of: bio), let source = unsafe source, count > 0 else { return -1 }
    unsafe block.pointee.outgoing.append(contentsOf: UnsafeRawBufferPointer(start: source, count: Int(count)))
    return count
}

/// OpenSSL flushes after each flight; 1 is success.
///
/// 0, "not supported", is right for everything else.
private func controlCallback(
    _ bio: OpaquePointer?, _ command: Int32, _ number: Int, _ argument: UnsafeMutableRawPointer?
) -> Int {
    command == BIO_CTRL_FLUSH ? 1 : 0
}

/// The memory of a session that OpenSSL's callbacks use, so that no callback touches the session itself.
///
/// The session allocates it before, and frees it after, its `SSL`.
@unsafe struct SessionBlock {
    /// Ciphertext lent by the caller; valid until it is used up or taken back.
    var input: UnsafeRawPointer?
    /// How many bytes from `input` on have not been read.
    var inputByteCount = 0
    /// Whether plaintext may be read without any other check: established, not ended, not failed, nothing unsent.
    ///
    /// It and the next one are here because each access to a session's own property checks for exclusivity, on every
    /// record.
    var isStreaming = false
    /// Plaintext whose write waits for a message of the peer.
    var unsent: [UInt8] = []
    /// A session was offered for resumption.
    var hasOffered = false
    /// The server asked for a certificate, and none is configured.
    var isCertificateMissing = false
    /// Ciphertext for the peer.
    var outgoing: [UInt8] = []
    /// Keeps the resumable sessions, and knows the pins.
    let context: TLSContext
    /// The host that the peer's certificate must name; nil on a server.
    let peer: SessionCache.Key?
    /// When the peer's chain was verified, in seconds since 1970; for a resumed session, when the original handshake
    /// verified it.
    var verifiedAt = 0
    /// Why the peer's chain was refused.
    var finding: Boxed<CertificateFinding>?

    init(context: TLSContext, peer: SessionCache.Key?) {
        unsafe self.context = context
        unsafe self.peer = peer
    }
}
