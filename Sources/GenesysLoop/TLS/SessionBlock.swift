/// What OpenSSL's callbacks see of a session: a block of memory of its own, so that no callback touches the session.
///
/// The session allocates it before, and frees it after, its `SSL`.
@unsafe struct SessionBlock {
    /// Ciphertext lent by the caller; valid until it is used up or taken back.
    var input: UnsafeRawPointer?
    /// How many bytes from `input` on have not been read.
    var inputByteCount = 0
    /// Whether plaintext may be read and nothing else needs a look: established, not ended, not failed, nothing unsent.
    ///
    /// Here, as the next one, because a property of the session itself would be checked for exclusive access with each
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
    /// Keeps what may be resumed, and knows the pins.
    let context: TLSContext
    /// The host that the peer's certificate must name; nil at a server.
    let peer: SessionCache.Key?
    /// When the peer's chain was verified, in seconds since 1970: in a handshake that was resumed, if this one is.
    var verifiedAt = 0
    /// Why the peer's chain was refused.
    var finding: Boxed<CertificateFinding>?

    init(context: TLSContext, peer: SessionCache.Key?) {
        unsafe self.context = context
        unsafe self.peer = peer
    }
}
