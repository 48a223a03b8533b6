/// Output: frames, TLS, one write; and the closing handshake (RFC 6455 §5.5, §7).
extension Link {
    /// Beyond this many unsent bytes only the last ping is answered, once the peer reads again (RFC 6455 §5.5.3).
    static let maxQueuedPongByteCount = 256 * 1024

    /// Queues a whole message; `flush` sends it.
    func send(_ opcode: Opcode, _ payload: Span<UInt8>) {
        guard phase == .open else { return }
        if !opcode.isControl, payload.count >= configuration.compression?.minimumMessageSize ?? .max,
            let compressed = deflater?.deflate(payload)
        {
            append(opcode, compressed.span, isCompressed: true)
        } else {
            append(opcode, payload)
        }
    }

    /// Queues a whole message; `flush` sends it.
    func send(_ opcode: Opcode, _ payload: [UInt8]) {
        send(opcode, payload.span)
    }

    /// The number of bytes that the kernel has not accepted yet.
    var queuedByteCount: Int { outbox.count + heldByteCount + (tcp?.queuedByteCount ?? 0) }

    /// The number of bytes that TLS with the server or the proxy holds back until a handshake message is complete.
    private var heldByteCount: Int { (tls?.unsentByteCount ?? 0) + (tunnel?.unsentByteCount ?? 0) }

    /// The number of bytes that the kernel has accepted, including TLS; 0 when the connection is over.
    var sentByteCount: Int { tcp?.sentByteCount ?? 0 }

    private func append(_ opcode: Opcode, _ payload: Span<UInt8>, isCompressed: Bool = false) {
        // RFC 6455 §5.3: a fresh, unpredictable key for every frame.
        let key = loop.nextRandomWord()
        var frames = takeOutbox()
        FrameEncoder.append(opcode, isCompressed: isCompressed, payload: payload, maskingKey: key, to: &frames)
        outbox = frames
    }

    private func append(_ opcode: Opcode, _ payload: [UInt8]) {
        append(opcode, payload.span)
    }

    /// Moves the frames out, so that appending does not hold the link's property: then exclusive access is proven when
    /// the program is compiled, not checked while it runs.
    private func takeOutbox() -> [UInt8] {
        var frames: [UInt8] = []
        swap(&frames, &outbox)
        return frames
    }

    /// Passes the queue to TLS and TCP, as one write.
    func flush() {
        guard let tcp, !outbox.isEmpty || tls?.hasOutgoing == true || tcp.reportsProgress else { return }
        deflater?.releaseIdleState()
        var frames = takeOutbox()
        if let tls {
            if !frames.isEmpty {
                do throws(TLSError) {
                    try tls.write(frames.span)
                } catch {
                    sends.connectionIsOver(at: tcp.sentByteCount)
                    return fail(.tls(error, during: failurePhase))
                }
            }
            frames.removeAll(keepingCapacity: frames.capacity <= 4096)
            outbox = frames
            if tls.hasOutgoing { write(outgoingOf: tls, to: tcp) }
        } else if !frames.isEmpty {
            write(frames, to: tcp)
        }
        guard !tcp.hasLostOutput else { return }
        let isAwaited = !sends.isEmpty
        tcp.reportsProgress = isAwaited
        // Bytes that TLS holds back are not on their way yet.
        guard isAwaited, heldByteCount == 0 else { return }
        sends.outboxWasHandedOver(end: tcp.sentByteCount + tcp.queuedByteCount)
    }

    /// Few records are copied if the kernel does not accept them; the next ones reuse their storage.
    private func write(outgoingOf tls: TLSSession, to tcp: TCPConnection) {
        let ciphertext = tls.outgoing
        guard tunnel == nil, ciphertext.count <= 4096 else { return write(tls.takeOutgoing(), to: tcp) }
        tcp.write(ciphertext.span)
        _ = consume ciphertext
        tls.discardOutgoing()
    }

    private func write(_ bytes: [UInt8], to tcp: TCPConnection) {
        if let tunnel { tunnel.write(bytes) } else { tcp.write(bytes) }
    }

    func connectionDidDrain(_ connection: TCPConnection) {
        guard connection === tcp else { return }
        if let pong = overduePong, phase == .open, queuedByteCount <= Link.maxQueuedPongByteCount {
            overduePong = nil
            append(.pong, pong)
            flush()
        }
        unsafe owner?.linkDidDrain(self)
        reportEndIfDue()
    }

    func answerPing(_ payload: [UInt8]) {
        guard phase == .open else { return }
        if queuedByteCount > Link.maxQueuedPongByteCount {
            overduePong = payload
        } else {
            append(.pong, payload)
        }
    }

    // MARK: - Closing

    /// Starts the closing handshake. The owner is notified of the end when the peer answers, or after the close
    /// deadline.
    func sendClose(_ code: CloseCode, reason: String = "") {
        switch phase {
        case .open:
            append(.close, FrameEncoder.closePayload(code, reason: reason))
            enter(.closing, for: configuration.deadlines.close)
        case .closing, .lingering, .ended:
            break
        case .idle, .waiting, .resolving, .connecting, .tunneling, .securing, .held, .upgrading:
            fail(.abandoned)
        }
    }

    /// RFC 6455 §5.5.1: the peer closes, or answers our Close frame.
    func closeReceived(_ code: CloseCode?, reason: String) {
        if phase == .open { append(.close, FrameEncoder.closePayload(code)) }
        let frame = CloseFrame(
            code: code ?? .noStatusReceived, reason: reason, safeReason: uri.secretFilter.filtered(reason))
        end(.closed(frame, during: phase == .open ? .open : .close), lingering: true)
    }

    /// RFC 6455 §7.1.7: fails the connection, with the close code of the rule.
    func violated(_ violation: WebSocketViolation) {
        if phase == .open { append(.close, FrameEncoder.closePayload(violation.closeCode)) }
        end(.violation(violation), lingering: true)
    }

    /// Ends the output: close_notify, then FIN when the queue is empty.
    func finishWriting() {
        flush()
        tls?.sendCloseNotify()
        flush()
        tunnel?.finishWriting()
        tcp?.shutdown()
    }

    // MARK: - The peer's end

    func connectionDidReachEOF(_ connection: TCPConnection) {
        guard connection === tcp else { return }
        peerEnded(isTruncated: tls.map { $0.endOfInput() == .truncated } ?? false)
        reportEndIfDue()
    }

    func connection(_ connection: TCPConnection, didFailWith error: UVError) {
        guard connection === tcp else { return }
        if phase == .lingering {
            finish()
        } else if let refusal = takeRefusal() {
            fail(refusal)
        } else {
            fail(.broke(error, during: failurePhase))
        }
        reportEndIfDue()
    }

    /// The peer ended the connection without a Close frame (1006 in the terms of RFC 6455 §7.1.5).
    func peerEnded(isTruncated: Bool) {
        guard phase != .lingering else { return finish() }
        // The status of a refusal is more useful than the truncation of its head.
        if let refusal = takeRefusal() { return fail(refusal) }
        fail(.ended(isTruncated: isTruncated, during: failurePhase))
    }
}
