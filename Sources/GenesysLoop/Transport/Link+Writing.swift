/// Bytes out: frames to TLS to one write, and the closing handshake (RFC 6455 §5.5, §7).
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

    /// Bytes that the kernel has not taken yet.
    var queuedByteCount: Int { outbox.count + heldByteCount + (tcp?.queuedByteCount ?? 0) }

    /// Bytes that TLS keeps back, the server's or the proxy's, until a message about the protocol is whole.
    private var heldByteCount: Int { (tls?.unsentByteCount ?? 0) + (tunnel?.unsentByteCount ?? 0) }

    /// Bytes that the kernel has taken, TLS included; 0 when the connection is over.
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

    /// Moves the frames out, so that nothing else of the link is open to a change meanwhile: then the compiler can
    /// tell, and no access is checked while the program runs.
    private func takeOutbox() -> [UInt8] {
        var frames: [UInt8] = []
        swap(&frames, &outbox)
        return frames
    }

    /// Hands what is queued to TLS and TCP, as one write.
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
                    return fail(ChannelFailure(tls: error, phase: failurePhase))
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
        // What TLS keeps back is not on its way yet.
        guard isAwaited, heldByteCount == 0 else { return }
        sends.outboxWasHandedOver(end: tcp.sentByteCount + tcp.queuedByteCount)
    }

    /// A few records are copied if the kernel does not take them, and leave their storage to the next.
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

    /// Starts the closing handshake; the end is told when the peer answers or after the close deadline.
    func sendClose(_ code: CloseCode, reason: String = "") {
        switch phase {
        case .open:
            append(.close, FrameEncoder.closePayload(code, reason: reason))
            enter(.closing, for: configuration.deadlines.close)
        case .closing, .lingering, .ended:
            break
        case .idle, .waiting, .resolving, .connecting, .tunneling, .securing, .upgrading:
            fail(ChannelFailure(reason: .connectionClosed, phase: .close))
        }
    }

    /// RFC 6455 §5.5.1: the peer closes, or answers our Close frame.
    func closeReceived(_ code: CloseCode?, reason: String) {
        let wire = code?.rawValue ?? CloseCode.noStatusReceived.rawValue
        if phase == .open { append(.close, FrameEncoder.closePayload(code)) }
        let failure = ChannelFailure(
            reason: .connectionClosed, phase: phase == .open ? .open : .close,
            underlying: .init(operation: "close", code: Int(wire), text: uri.secretFilter.filtered(reason)))
        end(LinkEnd(failure: failure, closeCode: wire, closeReason: reason), lingering: true)
    }

    /// RFC 6455 §7.1.7: fail the connection, with the code that names the rule.
    func violated(_ violation: WebSocketViolation) {
        if phase == .open { append(.close, FrameEncoder.closePayload(violation.closeCode)) }
        end(LinkEnd(failure: ChannelFailure(violation: violation)), lingering: true)
    }

    /// Nothing more will be sent: close_notify, then FIN when the queue is empty.
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
            fail(ChannelFailure(connection: error, phase: failurePhase))
        }
        reportEndIfDue()
    }

    /// The peer ended the connection without a Close frame (1006 in the terms of RFC 6455 §7.1.5).
    func peerEnded(isTruncated: Bool) {
        guard phase != .lingering else { return finish() }
        // The status of a refusal counts more than that its head was cut off.
        if let refusal = takeRefusal() { return fail(refusal) }
        var text = "the peer ended the connection"
        if phase == .open || phase == .closing {
            text += isTruncated ? " without a Close frame and without close_notify" : " without a Close frame"
        }
        fail(
            ChannelFailure(
                reason: .connectionClosed, phase: failurePhase,
                underlying: .init(operation: "read", code: 1006, text: text)))
    }
}
