/// The session's ciphertext: input that the caller lends, and output for the peer.
extension TLSSession {
    /// Lends ciphertext of the peer.
    ///
    /// It must stay valid until it is used up or taken back.
    ///
    /// - Precondition: what was lent before is used up or taken back.
    package func lend(_ ciphertext: UnsafeRawBufferPointer) {
        guard unsafe block.pointee.inputByteCount == 0 else {
            preconditionFailure("ciphertext lent while some is still lent")
        }
        if !isEstablished, firstBytes.count < 5 {
            unsafe firstBytes += ciphertext.prefix(5 - firstBytes.count)
        }
        unsafe block.pointee.input = ciphertext.baseAddress
        unsafe block.pointee.inputByteCount = ciphertext.count
    }

    /// Ends the loan: afterwards the session has no input.
    ///
    /// - Returns: how many bytes, at the end of what was lent, have not been consumed.
    package func takeBack() -> Int {
        let rest = unsafe block.pointee.inputByteCount
        unsafe block.pointee.inputByteCount = 0
        unsafe block.pointee.input = nil
        return rest
    }

    /// The ciphertext to send to the peer.
    package var outgoing: [UInt8] { unsafe block.pointee.outgoing }

    /// Whether there is ciphertext to send.
    var hasOutgoing: Bool { unsafe !block.pointee.outgoing.isEmpty }

    /// Moves the ciphertext to send out of the session.
    package func takeOutgoing() -> [UInt8] {
        var taken: [UInt8] = []
        unsafe swap(&taken, &block.pointee.outgoing)
        return taken
    }

    /// Removes the ciphertext that was sent from `outgoing`, and keeps its storage.
    package func discardOutgoing() {
        unsafe block.pointee.outgoing.removeAll(keepingCapacity: block.pointee.outgoing.capacity <= 65_536)
    }
}
