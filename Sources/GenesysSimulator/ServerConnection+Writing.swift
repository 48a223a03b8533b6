internal import GenesysLoop

/// Output: frames go to TLS and then into one write per pass, or per `maxWriteByteCount` in a pass with much output.
extension ServerConnection {
    static let maxWriteByteCount = 1_048_576

    /// Queues a message, in frames of at most `maxFrameByteCount` (RFC 6455 §5.4).
    ///
    /// - Returns: whether it was queued; false when the connection is not open, or is dropped because its client reads
    ///   too slowly.
    func send(_ opcode: Opcode, _ message: [UInt8], maxFrameByteCount: Int? = nil) -> Bool {
        guard phase == .open, let owner = unsafe owner, hasRoom(for: owner) else { return false }
        if message.count >= leastCompressedByteCount, let compressed = deflater?.deflate(message.span) {
            appendFrames(opcode, isCompressed: true, compressed.span, maxFrameByteCount)
        } else {
            appendFrames(opcode, isCompressed: false, message.span, maxFrameByteCount)
        }
        if outbox.count >= ServerConnection.maxWriteByteCount { flush() }
        return phase == .open
    }

    private func appendFrames(
        _ opcode: Opcode, isCompressed: Bool, _ payload: Span<UInt8>, _ maxFrameByteCount: Int?
    ) {
        let size = max(1, maxFrameByteCount ?? payload.count)
        var start = 0
        repeat {
            let end = min(payload.count, start + size)
            // RFC 7692 §6.1: RSV1 is set on the first frame only.
            let isFirst = start == 0
            append(
                isFirst ? opcode : .continuation, isFinal: end == payload.count, isCompressed: isCompressed && isFirst,
                payload.extracting(start..<end))
            start = end
        } while start < payload.count
    }

    /// Bytes that the kernel has not accepted yet.
    var queuedByteCount: Int { outbox.count + tcp.queuedByteCount }

    /// Drops the connection when more bytes than allowed wait for its client.
    func hasRoom(for owner: any ServerConnectionOwner) -> Bool {
        guard queuedByteCount > owner.maxQueuedByteCount else { return true }
        finish(byReset: true)
        return false
    }

    func append(_ opcode: Opcode, isFinal: Bool = true, isCompressed: Bool = false, _ payload: Span<UInt8>) {
        FrameEncoder.append(
            opcode, isFinal: isFinal, isCompressed: isCompressed, payload: payload, maskingKey: nil, to: &outbox)
        wantsFlush()
    }

    /// Appends a Close frame.
    ///
    /// A code that must not be on the wire is sent too: a simulator may be told to break rules.
    func appendClose(_ code: CloseCode?, reason: String) {
        if let code, !code.isValidOnWire {
            append(.close, [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)].span)
        } else {
            append(.close, FrameEncoder.closePayload(code, reason: reason).span)
        }
    }

    /// Makes the next pass send what is queued.
    func wantsFlush() {
        guard !isUnflushed else { return }
        isUnflushed = true
        unsafe owner?.connectionHasOutput(self)
    }

    /// Passes what is queued to TLS and TCP, as one write.
    ///
    /// - Parameter isLast: nothing follows, so close_notify is sent.
    func flush(isLast: Bool = false) {
        isUnflushed = false
        guard phase != .ended else { return }
        deflater?.releaseIdleState()
        guard let tls else {
            var bytes: [UInt8] = []
            swap(&bytes, &outbox)
            return tcp.write(bytes)
        }
        if !outbox.isEmpty {
            do throws(TLSError) {
                try tls.write(outbox.span)
            } catch {
                return finish(byReset: false)
            }
            outbox.removeAll(keepingCapacity: outbox.capacity <= 65_536)
        }
        if isLast { tls.sendCloseNotify() }
        tcp.write(tls.takeOutgoing())
    }
}
