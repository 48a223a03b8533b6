internal import GenesysLoop
internal import ServerKit

/// Input: TLS, upgrade request, frames.
extension ServerConnection {
    /// Processes the bytes of one read from the socket: any part of a record, or several.
    func didRead(_ bytes: UnsafeRawBufferPointer) {
        switch phase {
        case .requesting, .deciding, .open, .closing: break
        case .lingering, .ended: return
        }
        // The loop lends its buffer until we return.
        if let tls {
            unsafe tls.lend(bytes)
            decrypt(tls)
            _ = tls.takeBack()
            if phase != .ended, !tls.outgoing.isEmpty { wantsFlush() }
        } else {
            unsafe receive(bytes)
        }
        reader.releaseIdleState()
    }

    /// Leaves input in the kernel, which slows the client down; what was read already is delivered.
    func pauseReading() {
        guard phase == .open else { return }
        tcp.stopReading()
    }

    /// Resumes reading.
    func resumeReading() {
        guard phase == .open else { return }
        tcp.startReading()
    }

    private func decrypt(_ tls: TLSSession) {
        let buffer = unsafe tcp.loop.plaintextBuffer
        do throws(TLSError) {
            while phase != .lingering, phase != .ended {
                switch try unsafe tls.read(into: buffer) {
                case .bytes(let count):
                    // No other code touches the buffer before the read callback returns.
                    unsafe receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                case .needMore:
                    return
                case .closeNotify:
                    return inputDidEnd()
                }
            }
        } catch {
            // The alert, if there is one, is sent last.
            finishWriting()
        }
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) {
        // Lent by the loop for the call.
        unsafe receive(bytes.assumingMemoryBound(to: UInt8.self).span)
    }

    func receive(_ input: Span<UInt8>) {
        var offset = 0
        while offset < input.count {
            switch phase {
            case .requesting where pendingBody != nil:
                readBody(input, &offset)
            case .requesting:
                readRequest(input, &offset)
            case .deciding:
                keep(input.extracting(offset...))
                offset = input.count
            case .open, .closing:
                readFrame(input, &offset)
            case .lingering, .ended:
                return
            }
        }
    }

    private func readRequest(_ input: Span<UInt8>, _ offset: inout Int) {
        do throws(UpgradeRequestError) {
            switch try parser.receive(input.extracting(offset...)) {
            case .needMore:
                offset = input.count
            case .complete(let head, let consumed):
                offset += consumed
                requestReceived(head)
            }
        } catch {
            offset = input.count
            refuse(SimulatedService.Refusal(status: error.status, message: error.description))
        }
    }

    private func keep(_ bytes: Span<UInt8>) {
        guard !isIgnored else { return }
        early += copy(bytes)
        if early.count > ServerConnection.maxEarlyByteCount { finish(byReset: true) }
    }

    private func readFrame(_ input: Span<UInt8>, _ offset: inout Int) {
        do throws(WebSocketViolation) {
            switch try reader.next(in: input, at: &offset) {
            case .needMore, .pong: break
            case .message(let kind, let range):
                messageReceived(kind, copy(input.extracting(range)))
            case .assembledMessage(let kind):
                let message = reader.takeMessage()
                messageReceived(kind, message)
                reader.recycle(message)
            case .ping: answerPing()
            case .close(let code): closeReceived(code)
            }
        } catch {
            // RFC 6455 §7.1.7: the close code depends on the rule.
            if phase == .open { appendClose(error.closeCode, reason: error.section) }
            finishWriting()
        }
    }

    private func messageReceived(_ kind: MessageKind, _ bytes: [UInt8]) {
        guard isCounted else { return }
        unsafe owner?.connection(self, didReceive: kind, bytes)
    }

    /// RFC 6455 §5.5.2.
    private func answerPing() {
        guard phase == .open, let owner = unsafe owner, owner.answersPingFrames, hasRoom(for: owner) else { return }
        let payload = reader.controlPayload
        append(.pong, payload.span)
    }

    /// RFC 6455 §5.5.1: the answer to a Close frame that came first has its code.
    private func closeReceived(_ code: CloseCode?) {
        if phase == .open { appendClose(code, reason: "") }
        finishWriting()
    }

    func copy(_ bytes: Span<UInt8>) -> [UInt8] {
        // The span's memory is borrowed for the closure.
        unsafe bytes.withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }
}
