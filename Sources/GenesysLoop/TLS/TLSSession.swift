internal import COpenSSL

/// One side of one TLS connection, as a transformation of bytes: it knows no sockets.
///
/// Ciphertext comes in by `lend(_:)`, which OpenSSL then reads without another copy, and accumulates in `outgoing`. The
/// caller calls `lend`, then `handshake()` until it is complete, then `read(into:)` until it needs more, then
/// `takeBack()`; after *every* call, even a failed one, it sends what `outgoing` holds (alerts are there).
///
/// The first fatal error is kept, and every later call throws it again. Not thread-safe; the last reference may be
/// dropped at any time.
@safe package final class TLSSession {
    /// The result of a read.
    package enum ReadResult: Hashable, Sendable {
        /// This many bytes of plaintext.
        case bytes(Int)
        /// All of the input is used up.
        case needMore
        /// The peer ended its side cleanly; nothing follows.
        case closeNotify
    }

    /// How a stream ended.
    package enum EndOfInput: Hashable, Sendable {
        /// After the peer's close_notify.
        case clean
        /// Without a close_notify: the end of the data may be missing (RFC 8446 §6.1).
        case truncated
    }

    /// Shared with OpenSSL's callbacks; owned, freed after `ssl`.
    let block: UnsafeMutablePointer<SessionBlock>
    /// Owned.
    let ssl: OpaquePointer
    private var isServer: Bool { unsafe block.pointee.peer == nil }
    /// The first bytes of the peer, up to five, by which TLS is recognized.
    var firstBytes: [UInt8] = []
    /// How much plaintext waits for a message of the peer.
    var unsentByteCount: Int { unsafe block.pointee.unsent.count }
    private var boxedFailure: Boxed<TLSError>?
    private var failure: TLSError? { boxedFailure?.value }
    /// Private, so that the compiler proves exclusive access and no check runs.
    private var hasHandshaken = false
    /// Whether the handshake is complete.
    package var isEstablished: Bool { hasHandshaken }
    private var hasReceivedCloseNotify = false
    private var hasSentCloseNotify = false

    /// A client's side.
    ///
    /// - Parameters:
    ///   - context: made for clients.
    ///   - host: the name or address the server's certificate must hold, unless the configuration has another; an IPv6
    ///     address without brackets.
    ///   - port: distinguishes servers of one name for resumption.
    /// - Throws: `TLSError.Fault.configuration` when `host` is neither a name nor an address.
    package convenience init(context: TLSContext, clientFor host: String, port: UInt16 = 0) throws(TLSError) {
        guard let configuration = context.configuration else {
            preconditionFailure("a client's session needs a client's context")
        }
        let host = configuration.serverName ?? host
        let hostName = try HostName(host)
        let peer = SessionCache.Key(host: host, port: port)
        try self.init(context, peer: peer)
        unsafe SSL_set_connect_state(ssl)
        try expect(hostName)
        if let session = context.takeSession(for: peer) { offer(session) }
    }

    /// A server's side.
    package convenience init(serverOn context: TLSContext) throws(TLSError) {
        precondition(context.isServer, "a server's session needs a server's context")
        try self.init(context, peer: nil)
        unsafe SSL_set_accept_state(ssl)
    }

    private init(_ context: TLSContext, peer: SessionCache.Key?) throws(TLSError) {
        ErrorQueue.clear()
        guard let ssl = unsafe SSL_new(context.pointer) else { throw .draining("SSL_new") }
        let block = UnsafeMutablePointer<SessionBlock>.allocate(capacity: 1)
        unsafe block.initialize(to: SessionBlock(context: context, peer: peer))
        unsafe self.ssl = unsafe ssl
        unsafe self.block = unsafe block
        // From here on `deinit` frees both. The SSL takes over the stream, one reference for both directions.
        let bio = try unsafe SessionBIO.make(over: block)
        unsafe SSL_set_bio(ssl, bio, bio)
    }

    deinit {
        // A connection that broke without close_notify does not invalidate its session (RFC 8446 §6.1); OpenSSL has
        // invalidated the session of one that failed.
        if isEstablished, boxedFailure == nil { unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN) }
        // First detach the block from the callbacks, then free the SSL and its stream, then the block.
        if let bio = unsafe SSL_get_rbio(ssl) { unsafe BIO_set_data(bio, nil) }
        unsafe SSL_free(ssl)
        unsafe block.deinitialize(count: 1)
        unsafe block.deallocate()
    }

    // MARK: - Handshake

    /// Continues the handshake.
    ///
    /// - Returns: whether it is complete, which means that the chain is verified.
    /// - Throws: the error; an alert for the peer is in `outgoing`.
    package func handshake() throws(TLSError) -> Bool {
        if let failure { throw failure }
        if isEstablished { return true }
        ErrorQueue.clear()
        let lentByteCount = unsafe block.pointee.inputByteCount
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 {
            try checkVerified()
            hasHandshaken = true
            firstBytes = []
            return true
        }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
            if firstBytes.count == 5 && !looksLikeTLS { throw fail("SSL_do_handshake", hasTakenInput: true) }
            return false
        case SSL_ERROR_ZERO_RETURN:
            throw latch(TLSError(operation: "SSL_do_handshake", code: 0, text: "", fault: .received(alert: 0)))
        default:
            throw fail("SSL_do_handshake", hasTakenInput: unsafe block.pointee.inputByteCount < lentByteCount)
        }
    }

    /// A second check: a client's handshake must not complete without a verified certificate.
    ///
    /// A resumed session has the certificate, and the result of its verification, of the original session.
    private func checkVerified() throws(TLSError) {
        guard let configuration = unsafe block.pointee.context.configuration else { return }
        guard unsafe SSL_get_verify_result(ssl) == Int(X509_V_OK), unsafe SSL_get0_peer_certificate(ssl) != nil else {
            throw latch(.internal("SSL_do_handshake", "the peer's certificate was not verified"))
        }
        if let chosen = applicationProtocol, let error = configuration.violation(ofChoosing: chosen) {
            throw latch(error)
        }
    }

    // MARK: - Plaintext

    /// The most that one record decrypts to (RFC 8446 §5.1).
    package static let maxRecordByteCount = 16_384

    /// Small records are decrypted together up to this size; a large record is returned in parts of it.
    ///
    /// The code of OpenSSL and the code that reads the plaintext do not both fit into a processor's first-level cache:
    /// alternating on each small record would evict both. Two records of the maximum size, one in OpenSSL's buffer and
    /// its copy, do not fit either: a part of this size is still in the cache when it is read.
    private static let batchByteCount = 8192

    /// Decrypts into `target` a part of a record, one record, or several small ones: call it until it needs more.
    ///
    /// - Parameter target: not empty. Room for `maxRecordByteCount` or more is best.
    package func read(into target: UnsafeMutableRawBufferPointer) throws(TLSError) -> ReadResult {
        if unsafe block.pointee.isStreaming { return unsafe try decrypt(into: target) }
        if let failure { throw failure }
        if hasReceivedCloseNotify { return .closeNotify }
        guard try handshake() else { return .needMore }
        let result = unsafe try decrypt(into: target)
        do throws(TLSError) {
            if unsentByteCount > 0, failure == nil { try flushUnsent() }
        } catch {
            // The next read throws it.
            guard case .bytes = result else { throw error }
        }
        unsafe block.pointee.isStreaming = unsentByteCount == 0 && !hasReceivedCloseNotify && failure == nil
        return result
    }

    /// Decrypts up to the size of a batch from one record, then more records while they are available and small.
    private func decrypt(into target: UnsafeMutableRawBufferPointer) throws(TLSError) -> ReadResult {
        var target = unsafe target
        var total = 0
        repeat {
            // Without read-ahead OpenSSL reads no byte behind the record that it decrypts.
            guard unsafe block.pointee.inputByteCount > 0 || SSL_pending(ssl) > 0 else { break }
            var count = 0
            // Without `ErrorQueue.clear()`, whose cost matters with small records: the session, not the queue, says
            // whether more input is needed. OpenSSL writes at most `target.count` bytes.
            let room = total == 0 ? min(target.count, TLSSession.batchByteCount) : target.count
            let result = unsafe SSL_read_ex(ssl, target.baseAddress, room, &count)
            guard result == 1 else {
                if unsafe SSL_want(ssl) == SSL_READING, unsafe block.pointee.inputByteCount == 0 { break }
                return try readEnded(behind: total)
            }
            total += count
            unsafe target = UnsafeMutableRawBufferPointer(rebasing: target[count...])
        } while total < TLSSession.batchByteCount && target.count >= TLSSession.maxRecordByteCount
        return total > 0 ? .bytes(total) : .needMore
    }

    /// Returns what was read before the end first; the next read reports the end.
    @inline(never)
    private func readEnded(behind count: Int) throws(TLSError) -> ReadResult {
        do throws(TLSError) {
            let end = try readEnded()
            return count > 0 ? .bytes(count) : end
        } catch {
            guard count > 0 else { throw error }
            return .bytes(count)
        }
    }

    /// Determines why a read gave nothing although there may be input.
    private func readEnded() throws(TLSError) -> ReadResult {
        // Other code may have left entries on this thread, so neither `SSL_get_error` nor an empty queue is reliable: a
        // fatal error puts the session back into the state of a handshake. Its message is the last entry.
        let queue = ErrorQueue.drain().latest
        guard unsafe SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0, unsafe SSL_in_init(ssl) == 0 else {
            throw fail("SSL_read_ex", queue, hasTakenInput: true)
        }
        hasReceivedCloseNotify = true
        unsafe block.pointee.isStreaming = false
        return .closeNotify
    }

    /// Encrypts all of `plaintext`.
    ///
    /// The ciphertext is in `outgoing` at once, unless a protocol message of the peer is only partly received: then the
    /// session keeps the plaintext until the rest arrives.
    package func write(_ plaintext: Span<UInt8>) throws(TLSError) {
        if let failure { throw failure }
        guard isEstablished, !hasSentCloseNotify else {
            throw .internal("SSL_write_ex", isEstablished ? "after close_notify" : "before the end of the handshake")
        }
        if plaintext.isEmpty { return }
        guard unsentByteCount == 0 else {
            unsafe plaintext.withUnsafeBytes { unsafe block.pointee.unsent.append(contentsOf: $0) }
            return try flushUnsent()
        }
        // The span lives during the call.
        let outcome = unsafe plaintext.withUnsafeBytes { unsafe encrypt($0) }
        switch outcome {
        case .written: break
        case .wait:
            unsafe plaintext.withUnsafeBytes { unsafe block.pointee.unsent.append(contentsOf: $0) }
            unsafe block.pointee.isStreaming = false
        case .failed(let hasTakenInput): throw fail("SSL_write_ex", hasTakenInput: hasTakenInput)
        }
    }

    private enum WriteOutcome { case written, wait, failed(hasTakenInput: Bool) }

    /// All or nothing: partial writes are off, and the stream accepts everything.
    private func encrypt(_ plaintext: UnsafeRawBufferPointer) -> WriteOutcome {
        var count = 0
        ErrorQueue.clear()
        let lentByteCount = unsafe block.pointee.inputByteCount
        let result = unsafe SSL_write_ex(ssl, plaintext.baseAddress, plaintext.count, &count)
        if result == 1 { return .written }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wait
        default: return .failed(hasTakenInput: unsafe block.pointee.inputByteCount < lentByteCount)
        }
    }

    private func flushUnsent() throws(TLSError) {
        // The array lives, unchanged, during the call.
        switch unsafe block.pointee.unsent.withUnsafeBytes({ unsafe encrypt($0) }) {
        case .written: unsafe block.pointee.unsent = []
        case .wait: break
        case .failed(let hasTakenInput): throw fail("SSL_write_ex", hasTakenInput: hasTakenInput)
        }
    }

    // MARK: - The end

    /// Ends our side: nothing can be written afterwards, but reading goes on.
    ///
    /// Does nothing if there is nothing to end.
    package func sendCloseNotify() {
        guard isEstablished, failure == nil, !hasSentCloseNotify else { return }
        hasSentCloseNotify = true
        ErrorQueue.clear()
        if unsafe SSL_shutdown(ssl) < 0 {
            _ = unsafe SSL_get_error(ssl, -1)
            ErrorQueue.clear()
        }
    }

    /// Reports what the end of the peer's bytes means.
    ///
    /// Call it when everything before has been read.
    package func endOfInput() -> EndOfInput {
        hasReceivedCloseNotify ? .clean : .truncated
    }

    /// Releases OpenSSL's record buffers until there is traffic again, for a connection that is idle or waits for the
    /// peer's part of the handshake.
    package func releaseBuffers() {
        guard boxedFailure == nil, unsafe block.pointee.inputByteCount == 0 else { return }
        // "RH": waiting for a record's header. Within a record, or after a partly read one, OpenSSL before 3.0.14 frees
        // too much (CVE-2024-4741).
        guard let state = unsafe SSL_rstate_string(ssl), unsafe String(cString: state) == "RH",
            unsafe SSL_pending(ssl) == 0
        else { return }
        ErrorQueue.clear()
        unsafe SSL_free_buffers(ssl)
        ErrorQueue.clear()
        if unsafe block.pointee.outgoing.isEmpty { unsafe block.pointee.outgoing = [] }
    }

    // MARK: - Failure

    /// A TLS record starts with its type and the version 3.x (RFC 8446 §5.1).
    private var looksLikeTLS: Bool {
        guard let type = firstBytes.first else { return true }
        return (20...24).contains(type) && (firstBytes.count < 2 || firstBytes[1] == 3)
    }

    private func fail(_ operation: String, _ queue: ErrorQueue = .drain(), hasTakenInput: Bool) -> TLSError {
        latch(
            TLSError(
                operation, queue,
                TLSError.Circumstances(
                    finding: unsafe block.pointee.finding?.value, looksLikeTLS: looksLikeTLS,
                    isEstablished: isEstablished, hasTakenInput: hasTakenInput,
                    isCertificateMissing: unsafe block.pointee.isCertificateMissing)))
    }

    private func latch(_ error: TLSError) -> TLSError {
        boxedFailure = Boxed(error)
        if !isEstablished, unsafe block.pointee.hasOffered, let peer = unsafe block.pointee.peer {
            unsafe block.pointee.context.dropSessions(for: peer)
        }
        unsafe block.pointee.isStreaming = false
        return error
    }
}
