/// Input: TLS, upgrade response, frames.
extension Link {
    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        guard connection === tcp else { return }
        unsafe receive(bytes, isDrained: bytes.count < loop.ciphertextBuffer.count)
    }

    /// Takes bytes of the server from a read or from a tunnel; lent for the call.
    @inline(__always)
    func receive(_ bytes: UnsafeRawBufferPointer, isDrained: Bool) {
        if let tls {
            unsafe tls.lend(bytes)
        } else {
            unsafe inbound.lend(bytes)
        }
        if establishment != nil { continueEstablishment() }
        letOwnerReceive(isDrained: isDrained)
        _ = tls?.takeBack()
        flush()
        readDidEnd()
        reportEndIfDue()
    }

    /// Lets the owner take messages; again if it paused and resumed meanwhile, so that the rest of this read is not
    /// lost. The rest of a read that the owner does not want yet moves out of the loop's buffers.
    private func letOwnerReceive(isDrained: Bool) {
        repeat {
            guard isDelivering else { break }
            reception = .running
            unsafe owner?.linkDidReceive(self, isDrained: isDrained)
        } while reception == .interrupted
        reception = .idle
        guard isPaused else { return inbound.forget() }
        if phase == .open || phase == .closing { inbound.keep(on: loop) }
    }

    /// Whether messages may reach the owner.
    private var isDelivering: Bool { (phase == .open || phase == .closing) && !isPaused }

    private func continueEstablishment() {
        if phase == .securing { continueHandshake() }
        if phase == .held { discardHeld() }
        if phase == .upgrading { continueUpgrade() }
    }

    private func continueHandshake() {
        do throws(TLSError) {
            guard let tls, try tls.handshake() else { return }
            establishment?.observer?.link(didTake: .endedHandshake(tls.report))
            startUpgrade()
        } catch {
            fail(.tls(error, during: .tls))
        }
    }

    /// Reads what the server sends before the upgrade is requested: with TLS 1.3, that it refuses our certificate
    /// (RFC 8446 §4.4.2.4).
    private func discardHeld() {
        while phase == .held, fill() {
            let count = inbound.unread.count
            inbound.skip(count)
        }
    }

    private func continueUpgrade() {
        while phase == .upgrading, fill() {
            do throws(UpgradeFailure) {
                guard let result = try establishment?.upgrade?.receive(inbound.unread) else { return }
                switch result {
                case .needMore:
                    let count = inbound.unread.count
                    inbound.skip(count)
                    if establishment?.upgrade?.isReadingBody == true { limitBody() }
                case .accepted(let consumed):
                    inbound.skip(consumed)
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
        observeEnd()
        establishment?.observer?.link(didTake: .opened)
        endEstablishment()
        enter(.open, for: nil)
        unsafe owner?.linkDidOpen(self)
    }

    /// Compresses from now on, with the agreed parameters (RFC 7692 §6).
    private func compress(_ agreed: DeflateParameters) {
        isCompressed = true
        inbound.decompress(agreed, limits: configuration.limits)
        deflater = Deflater(
            windowBits: agreed.sentWindowBits(by: .client), keepsContext: agreed.keepsSentContext(for: .client))
    }

    /// Whether there are bytes for the upgrade; acts on the end of the session.
    private func fill() -> Bool {
        do throws(TLSError) {
            guard let event = try inbound.fill(on: loop) else { return true }
            act(on: event)
        } catch {
            fail(.tls(error, during: failurePhase))
        }
        return false
    }

    // MARK: - Events

    /// Delivers messages and pongs, one after the other, and acts on all other events itself. Not re-entrant.
    ///
    /// - Parameter receive: returns whether it takes another one. It may call out: no call of a host accesses what is
    ///   lent.
    /// - Returns: whether there may be more, because `receive` stopped.
    @inline(__always)
    func deliver(_ receive: (Delivery, Span<UInt8>) -> Bool) -> Bool {
        while isDelivering {
            do throws(TLSError) {
                guard let event = try Link.deliver(from: &inbound, on: loop, receive) else { return true }
                if case .needMore = event { return false }
                act(on: event)
            } catch {
                fail(.tls(error, during: failurePhase))
            }
        }
        return false
    }

    /// Delivers until another event comes; nil if `receive` stopped.
    @inline(__always)
    private static func deliver(
        from inbound: inout Inbound, on loop: UVLoop, _ receive: (Delivery, Span<UInt8>) -> Bool
    ) throws(TLSError) -> Inbound.Event? {
        while true {
            let event = try inbound.next(on: loop)
            switch event {
            case .message(let kind, let range):
                guard receive(Delivery(kind), inbound.payload(range)) else { return nil }
            case .assembledMessage(let kind):
                let message = inbound.takeMessage()
                let takesMore = receive(Delivery(kind), message.span)
                inbound.recycle(consume message)
                guard takesMore else { return nil }
            case .pong:
                guard receive(.pong, inbound.controlPayload.span) else { return nil }
            case .needMore, .ping, .close, .violation, .closeNotify:
                return event
            }
        }
    }

    /// Acts on an event that the owner does not get.
    private func act(on event: Inbound.Event) {
        switch event {
        case .ping: answerPing(inbound.controlPayload)
        case .close(let code): closeReceived(code, reason: inbound.closeReason)
        case .violation(let violation): violated(violation)
        case .closeNotify: peerEnded(isTruncated: false)
        case .needMore, .message, .assembledMessage, .pong: break
        }
    }

    /// Takes and discards messages: for a link that only waits for the peer's Close frame.
    func discardInput() {
        _ = deliver { _, _ in true }
    }

    // MARK: - Pausing

    /// Stops after the current message. Bytes that were read are kept, unread bytes stay in the socket.
    func pauseReading() {
        guard !isPaused else { return }
        isPaused = true
        if reception == .running { reception = .interrupted }
        tcp?.stopReading()
    }

    /// Resumes, first with the kept bytes. While the owner takes messages, it continues with them.
    func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        tcp?.startReading()
        guard reception == .idle else { return }
        if inbound.hasKept {
            letOwnerReceive(isDrained: false)
            flush()
        }
        reportEndIfDue()
    }
}
