/// Bytes in: TLS, upgrade response, frames.
extension Link {
    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        guard connection === tcp else { return }
        unsafe receive(bytes, isDrained: bytes.count < loop.ciphertextBuffer.count)
    }

    /// What the server sent, as a read or a tunnel brought it; lent for the call.
    @inline(__always)
    func receive(_ bytes: UnsafeRawBufferPointer, isDrained: Bool) {
        self.isDrained = isDrained
        if let tls {
            unsafe tls.lend(bytes)
        } else {
            unsafe stream.input.set(bytes)
        }
        advance()
        keepOrForgetInput()
        _ = tls?.takeBack()
        flush()
        readDidEnd()
        reportEndIfDue()
    }

    /// Goes as far as the input lasts.
    private func advance() {
        if phase == .securing { continueHandshake() }
        if phase == .upgrading { continueUpgrade() }
        pull()
    }

    /// Lets the owner pull, and again if it paused and resumed meanwhile: the rest of this read must not be forgotten.
    private func pull() {
        isPulling = true
        repeat {
            guard phase == .open || phase == .closing, !isPaused else { break }
            wasInterrupted = false
            unsafe owner?.linkDidReceive(self)
        } while wasInterrupted
        isPulling = false
    }

    /// After a pull the input is used up, unless its owner paused: then it moves out of the loop's buffers.
    private func keepOrForgetInput() {
        if isPaused { stash() } else { stream.input.freeCarry() }
    }

    private func continueHandshake() {
        do throws(TLSError) {
            guard try tls?.handshake() == true else { return }
            startUpgrade()
        } catch {
            fail(ChannelFailure(tls: error, phase: .tls))
        }
    }

    private func continueUpgrade() {
        while phase == .upgrading, !stream.input.isExhausted || refill() {
            do throws(UpgradeFailure) {
                let start = stream.input.offset
                guard let result = try establishment?.upgrade?.receive(stream.input.span.extracting(start...)) else {
                    return
                }
                switch result {
                case .needMore:
                    stream.input.offset = stream.input.end
                    if establishment?.upgrade?.isReadingBody == true { limitBody() }
                case .accepted(let consumed):
                    stream.input.offset += consumed
                    opened()
                }
            } catch {
                fail(error)
            }
        }
    }

    /// The server answered the upgrade with something else than a WebSocket.
    func fail(_ failure: UpgradeFailure) {
        var end = LinkEnd(failure: ChannelFailure(upgrade: failure, of: uri, now: loop.now.wall))
        if case .refused(let refusal) = failure { end.location = refusal.location }
        self.end(end, lingering: false)
    }

    /// How long the body of a refusal may take: nobody is to wait for words that a peer keeps back.
    static let bodyTimeout: Duration = .milliseconds(500)

    /// The peer has refused, and what it says about that is under way.
    func limitBody() {
        let limit = loop.now.instant + Link.bodyTimeout
        guard let deadline, limit < deadline else { return }
        self.deadline = limit
        unsafe owner?.linkDidChangeDeadline(self)
    }

    /// The refusal that was under way when the connection ended or the time was up; nil where there is none.
    func takeRefusal() -> UpgradeFailure? {
        guard phase == .upgrading, let failure = establishment?.upgrade?.endOfInput(), case .refused = failure else {
            return nil
        }
        return failure
    }

    private func opened() {
        subprotocol = establishment?.upgrade?.subprotocol
        if let agreed = establishment?.upgrade?.deflate { compress(agreed) }
        endApproach()
        enter(.open, for: nil)
        unsafe owner?.linkDidOpen(self)
    }

    /// RFC 7692 §6, with what was agreed on.
    private func compress(_ agreed: DeflateParameters) {
        isCompressed = true
        stream.reader = MessageReader(role: .client, limits: configuration.limits, deflate: agreed)
        deflater = Deflater(
            windowBits: agreed.sentWindowBits(by: .client), keepsContext: agreed.keepsSentContext(for: .client))
    }

    /// Lends what messages are pulled from; not from within `body`.
    ///
    /// `body` may call out: nothing that a host can call touches it.
    func withStream<Result>(_ body: (inout LinkStream) -> Result) -> Result {
        stream.isStopped = isPaused || phase != .open && phase != .closing
        return body(&stream)
    }

    /// The next message, or nothing more. Control frames are dealt with on the way.
    ///
    /// - Parameter stream: this link's.
    func nextEvent(from stream: inout LinkStream) -> LinkEvent {
        while true {
            if stream.input.isExhausted {
                guard !stream.isStopped, let count = decrypted(unsafe stream.read(into: loop.plaintextBuffer))
                else { return .needMore }
                unsafe stream.input.set(plaintext(count), mayGrow: true)
            }
            do throws(WebSocketViolation) {
                switch try stream.decode() {
                case .needMore: if !stream.input.isExhausted { unsafe stream.grow(in: loop.plaintextBuffer) }
                case .message(let kind, let range): return .message(kind, range)
                case .assembledMessage(let kind): return .assembledMessage(kind)
                case .ping: answerPing(stream.reader.controlPayload)
                case .pong: return .pong
                case .close(let code):
                    stream.isStopped = true
                    closeReceived(code, reason: stream.reader.closeReason)
                }
            } catch {
                stream.isStopped = true
                violated(error)
            }
        }
    }

    /// The same for the upgrade, before there are messages; false when there is no more input.
    private func refill() -> Bool {
        guard let count = decrypted(unsafe stream.read(into: loop.plaintextBuffer)) else { return false }
        unsafe stream.input.set(plaintext(count))
        return true
    }

    /// How many bytes of the next record are in the loop's plaintext buffer; nil when there is none.
    @inline(__always)
    private func decrypted(_ result: Result<TLSSession.ReadResult, TLSError>) -> Int? {
        switch result {
        case .success(.bytes(let count)): return count
        case .success(.needMore): break
        case .success(.closeNotify): peerEnded(isTruncated: false)
        case .failure(let error): fail(ChannelFailure(tls: error, phase: failurePhase))
        }
        return nil
    }

    /// What was decrypted last. The plaintext buffer belongs to this link until the read is over.
    @inline(__always)
    private func plaintext(_ count: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: loop.plaintextBuffer[..<count])
    }

    /// Pulls without looking: for a link that only waits for the peer's Close frame.
    func discardInput() {
        withStream { stream in
            while nextEvent(from: &stream) != .needMore {}
        }
    }

    // MARK: - Pausing

    /// Stops after the current message. What was read is kept, what is in the socket stays there.
    func pauseReading() {
        guard !isPaused else { return }
        isPaused = true
        wasInterrupted = isPulling
        tcp?.stopReading()
    }

    /// Goes on, first with what was kept. From inside a pull, that pull goes on.
    func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        tcp?.startReading()
        guard !isPulling else { return }
        if stream.input.hasCarry || hasUnseenEnd {
            hasUnseenEnd = false
            isDrained = false
            pull()
            keepOrForgetInput()
            flush()
        }
        reportEndIfDue()
    }

    /// Decrypts the rest of this read and keeps it: the loop's buffers are needed by others.
    private func stash() {
        guard phase == .open || phase == .closing else { return }
        var kept = unsafe [UInt8](stream.input.rest)
        decryptRest(into: &kept)
        stream.input.adopt(kept)
    }

    /// Does not act on how the rest ends: the session remembers it, and the pull that follows the kept bytes meets it.
    private func decryptRest(into kept: inout [UInt8]) {
        guard let tls else { return }
        do throws(TLSError) {
            while true {
                switch try unsafe tls.read(into: loop.plaintextBuffer) {
                // Copied before the buffer is used for the next record.
                case .bytes(let count): unsafe kept.append(contentsOf: loop.plaintextBuffer[..<count])
                case .needMore: return
                case .closeNotify: return hasUnseenEnd = true
                }
            }
        } catch {
            hasUnseenEnd = true
        }
    }
}
