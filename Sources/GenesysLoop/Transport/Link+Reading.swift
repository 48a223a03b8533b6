/// Input: TLS, upgrade response, frames.
extension Link {
    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        guard connection === tcp else { return }
        unsafe receive(bytes, isDrained: bytes.count < loop.ciphertextBuffer.count)
    }

    /// Takes bytes of the server from a read or from a tunnel; lent for the call.
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

    /// Processes the input.
    private func advance() {
        if phase == .securing { continueHandshake() }
        if phase == .upgrading { continueUpgrade() }
        pull()
    }

    /// Lets the owner pull; again if it paused and resumed during the pull, so that the rest of this read is not lost.
    private func pull() {
        isPulling = true
        repeat {
            guard phase == .open || phase == .closing, !isPaused else { break }
            wasInterrupted = false
            unsafe owner?.linkDidReceive(self)
        } while wasInterrupted
        isPulling = false
    }

    /// A pull consumes the input, unless the owner paused: then the rest moves out of the loop's buffers.
    private func keepOrForgetInput() {
        if isPaused { stash() } else { stream.input.freeCarry() }
    }

    private func continueHandshake() {
        do throws(TLSError) {
            guard try tls?.handshake() == true else { return }
            startUpgrade()
        } catch {
            fail(.tls(error, during: .tls))
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
                fail(LinkFailure(error, of: uri, at: loop.now.wall))
            }
        }
    }

    /// How long the body of a refusal may take. It only adds words to the failure, which must not be delayed for them.
    static let bodyTimeout: Duration = .milliseconds(500)

    /// The peer has refused, and the body of its answer is incomplete.
    func limitBody() {
        let limit = loop.now.instant + Link.bodyTimeout
        guard let deadline, limit < deadline else { return }
        self.deadline = limit
        unsafe owner?.linkDidChangeDeadline(self)
    }

    /// The incomplete refusal at the end of the connection or at the deadline; nil without one.
    func takeRefusal() -> LinkFailure? {
        guard phase == .upgrading, let failure = establishment?.upgrade?.endOfInput(), case .refused = failure else {
            return nil
        }
        return LinkFailure(failure, of: uri, at: loop.now.wall)
    }

    private func opened() {
        subprotocol = establishment?.upgrade?.subprotocol
        if let agreed = establishment?.upgrade?.deflate { compress(agreed) }
        endEstablishment()
        enter(.open, for: nil)
        unsafe owner?.linkDidOpen(self)
    }

    /// Compresses from now on, with the agreed parameters (RFC 7692 §6).
    private func compress(_ agreed: DeflateParameters) {
        isCompressed = true
        stream.reader = MessageReader(role: .client, limits: configuration.limits, deflate: agreed)
        deflater = Deflater(
            windowBits: agreed.sentWindowBits(by: .client), keepsContext: agreed.keepsSentContext(for: .client))
    }

    /// Lends the stream that messages are pulled from. Not re-entrant.
    ///
    /// `body` may call out: no call of a host accesses the stream.
    func withStream<Result>(_ body: (inout LinkStream) -> Result) -> Result {
        stream.isStopped = isPaused || phase != .open && phase != .closing
        return body(&stream)
    }

    /// The next message, or `needMore`. Acts on control frames on the way.
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

    /// Reads the next record during the upgrade; false without more input.
    private func refill() -> Bool {
        guard let count = decrypted(unsafe stream.read(into: loop.plaintextBuffer)) else { return false }
        unsafe stream.input.set(plaintext(count))
        return true
    }

    /// The size of the next record in the loop's plaintext buffer; nil without one.
    @inline(__always)
    private func decrypted(_ result: Result<TLSSession.ReadResult, TLSError>) -> Int? {
        switch result {
        case .success(.bytes(let count)): return count
        case .success(.needMore): break
        case .success(.closeNotify): peerEnded(isTruncated: false)
        case .failure(let error): fail(.tls(error, during: failurePhase))
        }
        return nil
    }

    /// The last decrypted record. The plaintext buffer belongs to this link until the read ends.
    @inline(__always)
    private func plaintext(_ count: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: loop.plaintextBuffer[..<count])
    }

    /// Pulls and discards messages: for a link that only waits for the peer's Close frame.
    func discardInput() {
        withStream { stream in
            while nextEvent(from: &stream) != .needMore {}
        }
    }

    // MARK: - Pausing

    /// Stops after the current message. Bytes that were read are kept, unread bytes stay in the socket.
    func pauseReading() {
        guard !isPaused else { return }
        isPaused = true
        wasInterrupted = isPulling
        tcp?.stopReading()
    }

    /// Resumes, first with the kept bytes. Inside a pull, that pull continues.
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

    /// Decrypts the rest of this read and keeps it: other links need the loop's buffers.
    private func stash() {
        guard phase == .open || phase == .closing else { return }
        var kept = unsafe [UInt8](stream.input.rest)
        decryptRest(into: &kept)
        stream.input.adopt(kept)
    }

    /// Does not act on an end of the session: the pull after the kept bytes finds it again.
    private func decryptRest(into kept: inout [UInt8]) {
        guard let tls else { return }
        do throws(TLSError) {
            while true {
                switch try unsafe tls.read(into: loop.plaintextBuffer) {
                // Copied before the next record overwrites the buffer.
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
