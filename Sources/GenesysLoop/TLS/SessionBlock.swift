/// What OpenSSL's callbacks see of a session: a block of memory of its own, so that no callback touches an object.
///
/// The session allocates it before, and frees it after, its `SSL`.
@unsafe struct SessionBlock {
    /// Ciphertext lent by the caller; valid until it is used up or taken back.
    var input: UnsafeRawPointer?
    /// How many bytes from `input` on have not been read.
    var inputByteCount = 0
    /// Whether plaintext may be read and nothing else needs a look: established, not ended, not failed, nothing unsent.
    ///
    /// Here, because a flag of the session itself would be checked for exclusive access with each record.
    var isStreaming = false
    /// Ciphertext for the peer.
    var outgoing: [UInt8] = []
    /// The host that the peer's certificate must name; nil at a server.
    var host: String?
    /// Why the peer's chain was refused.
    var finding: CertificateFinding?

    init(host: String?) {
        unsafe self.host = host
    }
}
