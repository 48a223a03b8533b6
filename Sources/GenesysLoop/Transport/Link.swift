/// One physical connection: name, TCP, proxy, TLS, upgrade, frames, closing handshake.
///
///     idle ─▶ waiting ─▶ resolving ─▶ connecting (─▶ tunneling) ─▶ securing ─▶ upgrading ─▶ open ─▶ closing ─▶
///     lingering
///                  └───────────┴────────────┴─────────────┴───────────┴─────────┴─ failure ─▶ (lingering) ─▶ ended ◀─┘
///
/// With a proxy, name and TCP connection are the proxy's, and `tunneling` is what is said to it (`ProxyTunnel`).
/// Each phase up to `lingering` has a deadline; the owner keeps one timer for all its links and calls
/// `deadlineReached`. Bytes are pulled by the owner, one event at a time, so that it may look at the world again after
/// each callout. `lingering` reads and discards until the peer ends the connection, for at most `lingerTimeout`, so
/// that a reset does not destroy our Close frame on its way (RFC 6455 §7.1.1).
@safe final class Link {
    enum Phase: Equatable {
        case idle, waiting, resolving, connecting, tunneling, securing, upgrading, open, closing, lingering, ended
    }

    /// How long the peer may take to end the TCP connection after the closing handshake.
    static let lingerTimeout: Duration = .seconds(1)

    let id: LinkID
    let loop: UVLoop
    let group: HandleGroup
    let uri: WebSocketURI
    let configuration: LinkConfiguration
    // The owner outlives its links, or sets this to nil.
    unowned(unsafe) var owner: (any LinkOwner)?

    var phase: Phase = .idle
    /// When the phase is over; nil where it has no limit. Of an open link: when it may have turned idle.
    var deadline: Instant?
    var isPaused = false
    /// The subprotocol that the server chose.
    var subprotocol: String?
    /// The server agreed to permessage-deflate.
    var isCompressed = false
    /// The last read emptied the kernel's buffer: what had arrived is being pulled.
    var isDrained = false
    /// The deadline passed while the loop was blocked; what lies unread comes first.
    private var isLastLook = false
    /// The owner is pulling.
    var isPulling = false
    /// Reading was paused, and perhaps resumed, by the pull under way.
    var wasInterrupted = false
    /// What was kept for a paused owner ends with a close_notify or a fault that nobody has acted on.
    var hasUnseenEnd = false

    /// Until it is open.
    var establishment: LinkEstablishment?
    var tcp: TCPConnection?
    var tls: TLSSession?
    /// While it talks to a proxy; to one with TLS until the end.
    var tunnel: ProxyTunnel?
    /// Lent to the owner for the length of a pull.
    var stream: LinkStream
    /// Compresses what is sent; nil without permessage-deflate.
    var deflater: Deflater?
    /// What is to be told once the owner has pulled all that came before.
    var pendingEnd: Boxed<LinkEnd>?
    var isEndTold = false
    /// Frames not yet handed to TLS.
    var outbox: [UInt8] = []
    /// Who wants to know what became of what was sent.
    var sends = SendCompletions()
    /// The payload of the last ping that could not be answered because the peer does not read.
    var overduePong: [UInt8]?
    /// When it was read last, since it is open.
    var lastReadAt: Instant?
    /// How many reads in a row came soon after the one before.
    var quickReadCount = 0

    init(
        id: LinkID, uri: WebSocketURI, configuration: LinkConfiguration, loop: UVLoop, group: HandleGroup,
        owner: any LinkOwner
    ) {
        self.id = id
        self.uri = uri
        self.configuration = configuration
        self.loop = loop
        self.group = group
        unsafe self.owner = owner
        stream = LinkStream(reader: MessageReader(role: .client, limits: configuration.limits))
    }

    deinit {
        endApproach()
        unsafe tunnel?.link = nil
        tcp?.close()
    }

    /// Starts with the name, as soon as it is its turn. Failures come as `link(_:didEnd:)`, never from within this
    /// call.
    ///
    /// - Parameter memory: what earlier links have taught about the addresses.
    func connect(memory: AddressMemory = AddressMemory()) {
        guard phase == .idle else { return }
        phase = .waiting
        let establishment = LinkEstablishment(self, memory: memory)
        self.establishment = establishment
        loop.connectLimiter.enter(establishment)
    }

    /// It is its turn.
    func begin(_ establishment: LinkEstablishment) {
        enter(.resolving, for: configuration.deadlines.dns)
        let (host, port) = establishment.destination()
        let connector = Connector(loop: loop, group: group, owner: self)
        establishment.connector = connector
        connector.start(host: host, port: port, memory: establishment.memory)
    }

    /// It is open or over: the next one's turn.
    func endApproach() {
        guard let establishment else { return }
        self.establishment = nil
        establishment.cancel()
        unsafe establishment.link = nil
        if establishment.hasTurn { loop.connectLimiter.leave() }
    }

    func enter(_ phase: Phase, for limit: Duration?) {
        self.phase = phase
        isLastLook = false
        deadline = limit.map { loop.now.instant + $0 }
        if limit != nil { unsafe owner?.linkDidChangeDeadline(self) }
    }

    /// Ends it with the time-out of its phase.
    func expire() {
        switch phase {
        case .resolving: fail(dnsTimeout())
        case .connecting: fail(connectTimeout())
        case .tunneling where tunnel?.isReadingBody == true: tunnel?.endBody()
        case .tunneling: fail(timeout(.proxy))
        case .securing: fail(timeout(.tls))
        case .upgrading where establishment?.upgrade?.isReadingBody == true:
            if let refusal = takeRefusal() { fail(refusal) }
        case .upgrading: fail(timeout(.upgrade))
        case .closing: end(LinkEnd(failure: timeout(.close)), lingering: false)
        case .lingering: finish()
        case .open: checkIdle()
        // That many others are connecting says nothing about its peer.
        case .idle, .waiting, .ended: break
        }
    }

    /// One more poll of the loop.
    private static let lastLook: Duration = .milliseconds(10)

    /// The owner's timer fired.
    ///
    /// Where it comes late, what a blocked host left unread is read first: whether a loop runs its timers before it
    /// polls (libuv before 1.45) or after, what arrived since the last poll is unread. One more poll lies between this
    /// call and a timer of `lastLook`, in both orders.
    func deadlineReached(now: Instant) {
        guard let deadline, now >= deadline else { return }
        guard phase == .open || isLastLook || now - deadline < Link.lastLook else {
            isLastLook = true
            self.deadline = now + Link.lastLook
            unsafe owner?.linkDidChangeDeadline(self)
            return
        }
        expire()
    }

    // MARK: - The end

    /// A failure before or outside of the closing handshake: the socket is of no use.
    func fail(_ failure: ChannelFailure) {
        end(LinkEnd(failure: blamingProxy(for: failure)), lingering: false)
    }

    /// Records how it ended; the owner is told when it has pulled what came before.
    ///
    /// What a paused owner has not pulled yet is kept until it reads again.
    func end(_ end: LinkEnd, lingering: Bool) {
        guard phase != .ended, phase != .lingering else { return }
        // A Close frame or a violation that was kept came before the end of its connection.
        if pendingEnd == nil || lingering { pendingEnd = Boxed(end) }
        if lingering, tcp != nil {
            finishWriting()
            // TLS that broke behind that frame has ended it already.
            guard phase != .ended else { return }
            return enter(.lingering, for: lingerLimit)
        }
        flush()
        if isPaused, phase == .open { closeSocket() } else { finish() }
    }

    /// The closing deadline is for all of it, the wait for the peer's FIN included.
    private var lingerLimit: Duration {
        let limit = min(Link.lingerTimeout, configuration.deadlines.close)
        guard phase == .closing, let deadline else { return limit }
        return min(limit, deadline - loop.now.instant)
    }

    /// Tells the owner what is to be told. The last statement of every entry from below.
    func reportEndIfDue() {
        if let end = pendingEnd?.value, !isEndTold {
            guard !isPaused || phase != .open || !(isPulling || stream.input.hasCarry) else { return }
            if phase == .open { finish() }
            isEndTold = true
            unsafe owner?.link(self, didEnd: end)
        }
        if phase == .ended { tellFinish() }
    }

    func finish() {
        phase = .ended
        closeSocket()
        endApproach()
        // A pull under way frees it at its end.
        if !isPulling { stream.input.freeCarry() }
    }

    private func closeSocket() {
        deadline = nil
        sends.connectionIsOver(at: sentByteCount)
        tcp?.close()
        tcp = nil
        tls = nil
        unsafe tunnel?.link = nil
        tunnel = nil
        outbox = []
        overduePong = nil
        deflater = nil
    }

    private func tellFinish() {
        let owner = unsafe self.owner
        unsafe self.owner = nil
        owner?.linkDidFinish(self)
    }

    /// Abandons the connection at once. Nothing is told but `linkDidFinish`.
    func drop() {
        isEndTold = true
        finish()
        tellFinish()
    }

    /// Whether it needs nobody any more: it closes in order, in the background.
    var isWindingDown: Bool { isEndTold && (phase == .closing || phase == .lingering) }

    /// Closes in order, in the background. Nothing is told but `linkDidFinish`.
    func retire() {
        isEndTold = true
        switch phase {
        case .open:
            sendClose(.normal)
            if isPaused { resumeReading() }
        case .closing, .lingering:
            break
        case .idle, .waiting, .resolving, .connecting, .tunneling, .securing, .upgrading, .ended:
            drop()
        }
    }

    private func timeout(_ phase: ChannelFailure.Phase) -> ChannelFailure {
        ChannelFailure(reason: .timeout, phase: phase)
    }

    /// Says whether the system's resolver is to blame, or look-ups that it does not answer and that had come before.
    private func dnsTimeout() -> ChannelFailure {
        var failure = timeout(.dns)
        failure.underlying = .init(operation: "getaddrinfo", code: 0, text: establishment?.connector?.silence ?? "")
        return failure
    }

    /// Names the address that did not answer, and those that refused before.
    private func connectTimeout() -> ChannelFailure {
        var failure = timeout(.connect)
        let tried = establishment?.connector?.tried ?? []
        failure.underlying = .init(operation: "connect", code: 0, text: tried.joined(separator: "; "))
        return failure
    }
}

/// The memory of a link that nothing comes from: OpenSSL's record buffers, and what reassembling and
/// decompressing need. An idle link holds none of it, a busy one does not allocate it anew for each read.
extension Link {
    /// So many reads, each soon after the one before, make a link a busy one. The answers to the upgrade and to the
    /// subscription, and the tickets of TLS 1.3, are fewer.
    static let burstReadCount = 4

    /// How long a busy link keeps its buffers without input.
    static let idleDelay: Duration = .milliseconds(250)

    /// What a read of the socket brought is used up.
    func readDidEnd() {
        // While it is being made, too: many connections at a time wait for their servers.
        guard phase == .open else { return releaseIdleMemory() }
        let now = loop.now.instant
        let isSoon = lastReadAt.map { now - $0 < Link.idleDelay } ?? false
        lastReadAt = now
        quickReadCount = isSoon ? min(quickReadCount + 1, Link.burstReadCount) : 0
        // The first reads for a while: most likely there is no other one soon.
        guard quickReadCount == Link.burstReadCount else { return releaseIdleMemory() }
        guard deadline == nil else { return }
        enter(.open, for: Link.idleDelay)
    }

    /// It was busy a while ago.
    func checkIdle() {
        let silence = lastReadAt.map { loop.now.instant - $0 } ?? Link.idleDelay
        guard silence < Link.idleDelay else {
            deadline = nil
            return releaseIdleMemory()
        }
        enter(.open, for: Link.idleDelay - silence)
    }

    private func releaseIdleMemory() {
        tls?.releaseBuffers()
        tunnel?.releaseBuffers()
        stream.reader.releaseIdleState()
        if outbox.isEmpty { outbox = [] }
    }
}
