/// Bytes in: TLS, upgrade response, frames.
extension Link {
    package func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        guard connection === tcp else { return }
        if let tls {
            unsafe tls.lend(bytes)
        } else {
            unsafe input.set(bytes)
        }
        advance()
        keepOrForgetInput()
        _ = tls?.takeBack()
        flush()
        // Drained: OpenSSL's buffers, 33 KiB, come back with the next record.
        tls?.releaseBuffers()
        reader.releaseIdleState()
        settle()
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
        if isPaused { stash() } else { input.freeCarry() }
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
        while phase == .upgrading, !input.isExhausted || refill() {
            do throws(UpgradeFailure) {
                guard let result = try upgrade?.receive(inputSpan().extracting(input.offset...)) else { return }
                switch result {
                case .needMore:
                    input.offset = input.end
                case .accepted(let consumed):
                    input.offset += consumed
                    opened()
                }
            } catch {
                fail(ChannelFailure(upgrade: error))
            }
        }
    }

    private func opened() {
        subprotocol = upgrade?.subprotocol
        if let agreed = upgrade?.deflate { compress(agreed) }
        upgrade = nil
        enter(.open, for: nil)
        unsafe owner?.linkDidOpen(self)
    }

    /// RFC 7692 §6, with what was agreed on.
    private func compress(_ agreed: DeflateParameters) {
        isCompressed = true
        reader = MessageReader(role: .client, limits: configuration.limits, deflate: agreed)
        deflater = Deflater(
            windowBits: agreed.sentWindowBits(by: .client), keepsContext: agreed.keepsSentContext(for: .client))
    }

    /// Decrypts the next record into the loop's plaintext buffer; false when there is none.
    private func refill() -> Bool {
        guard let tls else { return false }
        do throws(TLSError) {
            switch try unsafe tls.read(into: loop.plaintextBuffer) {
            case .bytes(let count):
                // The plaintext buffer belongs to this link until the read is over.
                unsafe input.set(UnsafeRawBufferPointer(rebasing: loop.plaintextBuffer[..<count]))
                return true
            case .needMore:
                return false
            case .closeNotify:
                peerEnded(isTruncated: false)
                return false
            }
        } catch {
            fail(ChannelFailure(tls: error, phase: failurePhase))
            return false
        }
    }

    /// The next message, or nothing more. Control frames are dealt with on the way.
    package func nextEvent() -> LinkEvent {
        while phase == .open || phase == .closing, !isPaused {
            guard !input.isExhausted || refill() else { return .needMore }
            do throws(WebSocketViolation) {
                switch try decode() {
                case .needMore: continue
                case .message(let kind, let range): return .message(kind, range)
                case .assembledMessage(let kind): return .assembledMessage(kind)
                case .ping: answerPing()
                case .pong: return .pong
                case .close(let code): closeReceived(code)
                }
            } catch {
                violated(error)
            }
        }
        return .needMore
    }

    private func decode() throws(WebSocketViolation) -> MessageReader.Event {
        var offset = input.offset
        defer { input.offset = offset }
        return try reader.next(in: inputSpan(), at: &offset)
    }

    /// Pulls without looking: for a link that only waits for the peer's Close frame.
    package func discardInput() {
        while nextEvent() != .needMore {}
    }

    /// The payload of the message that `nextEvent` just named; valid until the next call of it.
    @_lifetime(borrow self)
    package func payload(_ range: Range<Int>) -> Span<UInt8> {
        inputSpan().extracting(range)
    }

    /// The input, whole; offsets and ranges count from its start. It stays in place until the next pull.
    @_lifetime(borrow self)
    private func inputSpan() -> Span<UInt8> {
        let bytes = unsafe input.whole
        return unsafe _overrideLifetime(Span(_unsafeElements: bytes), borrowing: self)
    }

    /// Moves the message out that `nextEvent` just named.
    package func takeMessage() -> [UInt8] {
        reader.takeMessage()
    }

    /// The payload of the Pong frame that `nextEvent` just named.
    package var pongPayload: [UInt8] { reader.controlPayload }

    /// Gives its storage back.
    package func recycle(_ message: consuming [UInt8]) {
        reader.recycle(message)
    }

    // MARK: - Pausing

    /// Stops after the current message. What was read is kept, what is in the socket stays there.
    package func pauseReading() {
        guard !isPaused else { return }
        isPaused = true
        wasInterrupted = isPulling
        tcp?.stopReading()
    }

    /// Goes on, first with what was kept. From inside a pull, that pull goes on.
    package func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        tcp?.startReading()
        guard !isPulling else { return }
        if input.hasCarry || hasUnseenEnd {
            hasUnseenEnd = false
            pull()
            keepOrForgetInput()
            flush()
        }
        settle()
    }

    /// Decrypts the rest of this read and keeps it: the loop's buffers are needed by others.
    private func stash() {
        guard phase == .open || phase == .closing else { return }
        var kept = unsafe [UInt8](input.rest)
        decryptRest(into: &kept)
        input.adopt(kept)
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
