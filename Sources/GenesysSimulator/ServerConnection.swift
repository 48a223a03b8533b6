internal import GenesysLoop
internal import ServerKit

/// One accepted connection of a server: TLS, upgrade request, frames, closing handshake.
///
///     requesting ─▶ deciding ─▶ open ─▶ closing ─▶ lingering ─▶ ended
///         └────────────┴─────────┴─ refusal, violation, end ─▲      ▲
///         └────────────┴─────────┴─ reset, drop, failure ───────────┘
///
/// - `requesting`: the TLS handshake, then the head of the upgrade request, or a whole request of another kind. Limit:
///   `requestTimeout`. After the answer to a request of another kind, a connection that is kept is in this state again.
/// - `deciding`: the request waits for `upgradeDelay`, or for the time of its answer, or is never answered.
/// - `open`: it counts as a socket; messages come and go.
/// - `closing`: our Close frame is sent, the client's is awaited (RFC 6455 §7.1.2). Limit: `closeTimeout` in total.
/// - `lingering`: all output is sent; input is read and discarded until the client ends the connection, since a reset
///   could destroy the last output on its way. Limit: `closeTimeout`.
///
/// The owner is notified as soon as the state is no longer `open`.
final class ServerConnection {
    enum Phase: Equatable {
        case requesting, deciding, open, closing, lingering, ended
    }

    /// The answer to an upgrade request.
    enum Answer {
        case accept
        case refuse(SimulatedService.Refusal)
        case reset
        case neverAnswer
    }

    /// The maximum number of frame bytes accepted before the answer to the upgrade request, which violate RFC 6455
    /// §4.1.
    static let maxEarlyByteCount = 65_536

    // Cleared before the owner releases the connection.
    unowned(unsafe) var owner: (any ServerConnectionOwner)?
    let tcp: TCPConnection
    private let timer: Timer
    var tls: TLSSession?

    private(set) var phase: Phase = .requesting
    /// The owner counts it as a socket.
    private(set) var isCounted = false
    var parser = UpgradeRequestParser()
    var reader: MessageReader
    /// Compresses what is sent; nil without permessage-deflate.
    var deflater: Deflater?
    /// Shorter messages are sent uncompressed; an empty one has nothing to compress.
    private(set) var leastCompressedByteCount = Int.max
    private var request: UpgradeRequestHead?
    /// A plain HTTP request whose body is being received.
    var pendingBody: RequestBody?
    /// The request was HEAD: the answer has no body.
    private(set) var isHead = false
    /// The request allows another one after its answer.
    var isPersistent = false
    /// The answer to a plain request, until it is due.
    private var pendingAnswer: SimulatedService.RESTAnswer?
    /// Bytes that arrived before the request was answered.
    var early: [UInt8] = []
    /// The request will never be answered.
    private(set) var isIgnored = false
    private var inputHasEnded = false

    /// Frames and heads not yet passed to TLS or TCP.
    var outbox: [UInt8] = []
    /// It is in the server's list of connections to flush.
    var isUnflushed = false

    init(_ tcp: TCPConnection, owner: any ServerConnectionOwner) {
        self.tcp = tcp
        unsafe self.owner = owner
        reader = MessageReader(role: .server, limits: owner.limits)
        timer = Timer(loop: tcp.loop, group: tcp.group)
    }

    deinit {
        timer.close()
        tcp.close()
    }

    func start() {
        guard let owner = unsafe owner else { return }
        unsafe tcp.owner = self
        unsafe timer.owner = self
        if let context = owner.context {
            do throws(TLSError) {
                tls = try TLSSession(serverOn: context)
            } catch {
                return finish(byReset: true)
            }
        }
        setTimer(owner.requestTimeout)
        tcp.startReading()
    }

    private func setTimer(_ limit: Duration) {
        timer.start(at: tcp.loop.now.instant + limit)
    }

    // MARK: - The upgrade

    /// The head of a request is complete (RFC 6455 §4.2).
    func requestReceived(_ head: UpgradeRequestHead) {
        guard let owner = unsafe owner else { return }
        isHead = head.method == "HEAD"
        guard ServerConnection.canMeetExpectation(of: head) else {
            return refuse(SimulatedService.Refusal(status: 417, message: "The expectation cannot be met."))
        }
        if owner.servesRequests && ServerConnection.isPlain(head) { return plainRequestReceived(head) }
        do throws(UpgradeRequestError) {
            try head.checkUpgrade()
        } catch {
            let allowed = error.status == 405 ? [SimulatedService.Refusal.Header("Allow", "GET")] : []
            return refuse(
                SimulatedService.Refusal(status: error.status, headers: allowed, message: error.description))
        }
        request = head
        phase = .deciding
        let delay = owner.upgradeDelay
        if delay > .zero { setTimer(delay) } else { decide() }
    }

    /// Keeps the answer to a plain request for a time.
    func hold(_ answer: SimulatedService.RESTAnswer) {
        phase = .deciding
        pendingAnswer = answer
        setTimer(answer.delay)
    }

    /// Leaves the request without an answer.
    func ignoreRequest() {
        phase = .deciding
        timer.stop()
        isIgnored = true
    }

    /// The answer to a plain request is written, and the connection is kept.
    func expectRequest() {
        guard let owner = unsafe owner else { return }
        phase = .requesting
        setTimer(owner.requestTimeout)
        let bytes = early
        early = []
        receive(bytes.span)
    }

    private func decide() {
        if let answer = pendingAnswer.take() { return deliver(answer) }
        guard let owner = unsafe owner, let request, let key = request.key else { return }
        self.request = nil
        timer.stop()
        switch owner.connection(self, didRequest: request.target) {
        case .accept:
            isCounted = true
            open(request, key: key, owner)
        case .refuse(let refusal):
            refuse(refusal)
        case .reset:
            finish(byReset: true)
        case .neverAnswer:
            ignoreRequest()
        }
    }

    /// RFC 6455 §4.2.2; with permessage-deflate if both sides support it.
    private func open(_ request: UpgradeRequestHead, key: String, _ owner: any ServerConnectionOwner) {
        var headers: [(String, String)] = []
        do throws(UpgradeRequestError) {
            if let compression = owner.compression, let answer = try answer(to: request, compression) {
                headers.append(("Sec-WebSocket-Extensions", answer.headerValue))
                compress(compression, answer.parameters, owner)
            }
        } catch {
            return refuse(SimulatedService.Refusal(status: error.status, message: error.description))
        }
        phase = .open
        appendHead { () throws(InvalidHeader) in
            try UpgradeResponse.accept(acceptValue: HandshakeKey.accept(for: key), extraHeaders: headers)
        }
        let bytes = early
        early = []
        receive(bytes.span)
    }

    private func answer(
        to request: UpgradeRequestHead, _ compression: Compression
    ) throws(UpgradeRequestError) -> DeflateAnswer? {
        let offered = request.fields.values(of: "sec-websocket-extensions")
        return try DeflateAnswer.accept(offered, wanted: compression.offer.wanted)
    }

    /// RFC 7692 §6, with the agreed parameters.
    private func compress(
        _ compression: Compression, _ agreed: DeflateParameters, _ owner: any ServerConnectionOwner
    ) {
        reader = MessageReader(role: .server, limits: owner.limits, deflate: agreed)
        deflater = Deflater(
            windowBits: agreed.sentWindowBits(by: .server), keepsContext: agreed.keepsSentContext(for: .server))
        leastCompressedByteCount = max(1, compression.minimumMessageSize)
    }

    /// Answers the request with an error, and ends the connection.
    func refuse(_ refusal: SimulatedService.Refusal) {
        let headers = [("Content-Type", "application/json")] + refusal.headers.map { ($0.name, $0.value) }
        appendHead { () throws(InvalidHeader) in
            try UpgradeResponse.refuse(
                status: refusal.status, headers: headers, body: refusal.body(), omitsBody: isHead)
        }
        finishWriting()
    }

    /// A header that would break the head, which only a configuration can hold, suppresses the answer.
    func appendHead(_ head: () throws(InvalidHeader) -> [UInt8]) {
        outbox += (try? head()) ?? Array("HTTP/1.1 500 Invalid Configuration\r\nContent-Length: 0\r\n\r\n".utf8)
        wantsFlush()
    }

    // MARK: - The end

    /// Starts the closing handshake (RFC 6455 §7.1.2), behind all that is queued.
    func close(_ code: CloseCode, reason: String) {
        switch phase {
        case .open:
            appendClose(code, reason: reason)
            leave()
            phase = .closing
            setTimer(closeTimeout)
            // The client's Close frame is read even if reading was paused.
            tcp.startReading()
        case .requesting, .deciding:
            finish(byReset: false)
        case .closing, .lingering, .ended:
            break
        }
    }

    /// Ends it without a Close frame; queued output is sent only as far as the kernel accepts it at once.
    func drop() {
        flush()
        finish(byReset: false)
    }

    /// All output is queued: sends close_notify, then FIN when the queue is empty.
    func finishWriting() {
        guard phase != .lingering, phase != .ended else { return }
        leave()
        phase = .lingering
        flush(isLast: true)
        guard phase == .lingering else { return }
        tcp.startReading()
        tcp.shutdown()
        setTimer(closeTimeout)
    }

    /// Notifies the owner that the socket is no longer open.
    private func leave() {
        guard isCounted else { return }
        isCounted = false
        unsafe owner?.connectionDidLeave(self)
    }

    /// Releases the socket.
    ///
    /// A reset is for a simulated reset, and for a client that does not read.
    func finish(byReset: Bool) {
        guard phase != .ended else { return }
        phase = .ended
        leave()
        timer.close()
        if byReset { tcp.abort() } else { tcp.close() }
        tls = nil
        outbox = []
        early = []
        deflater = nil
        let owner = unsafe self.owner
        unsafe self.owner = nil
        owner?.connection(self, didEndWith: tcp.group)
    }

    private func finishIfDrained() {
        guard phase == .lingering, inputHasEnded, tcp.queuedByteCount == 0 else { return }
        finish(byReset: false)
    }

    private var closeTimeout: Duration { unsafe owner?.closeTimeout ?? .zero }

    /// The client sends no more, after a close_notify or FIN.
    ///
    /// A half-closed socket is useless to a WebSocket: our side ends too, after the queued output.
    func inputDidEnd() {
        switch phase {
        case .requesting, .deciding: finish(byReset: false)
        case .open, .closing: finishWriting()
        case .lingering, .ended: break
        }
    }
}

extension ServerConnection: TimerOwner, TCPConnectionOwner {
    func timerDidFire(_ timer: Timer) {
        switch phase {
        case .requesting: finish(byReset: false)
        case .deciding: decide()
        case .closing, .lingering: finish(byReset: tcp.queuedByteCount > 0)
        case .open, .ended: break
        }
    }

    func connectionDidConnect(_ connection: TCPConnection) {}

    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {}

    func connectionDidReachEOF(_ connection: TCPConnection) {
        inputHasEnded = true
        inputDidEnd()
        finishIfDrained()
    }

    func connection(_ connection: TCPConnection, didFailWith error: UVError) {
        finish(byReset: false)
    }

    func connectionDidDrain(_ connection: TCPConnection) {
        finishIfDrained()
        if phase == .open { unsafe owner?.connectionDidDrain(self) }
    }

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        // The loop lends its buffer for the call.
        unsafe didRead(bytes)
    }
}
