/// One physical connection: name, TCP, proxy, TLS, upgrade, frames, closing handshake.
///
///     idle ─▶ waiting ─▶ resolving ─▶ connecting (─▶ tunneling) ─▶ securing ─▶ upgrading ─▶ open
///                 │          │            │              │             │           │         ├─▶ closing ─▶ lingering
///                 └──────────┴────────────┴──────────────┴─────────────┴───────────┘         │                  │
///                                         └─ failure ─▶ ended ◀─── (lingering) ◀── violation ┘                  │
///                                                         ▲                                                     │
///                                                         └─────────────────────────────────────────────────────┘
///
/// With a proxy, name and TCP connection are the proxy's, and `tunneling` is the handshake with it (`ProxyTunnel`).
/// An observer can have the link wait before the upgrade (`held`), until its owner ends it.
/// Each phase up to `lingering` has a deadline; the owner keeps one timer for all its links and calls
/// `deadlineReached`. The owner takes the messages of a read one after the other, and can stop after each of them, so
/// that it can check its state after a callout.
/// `lingering` reads and discards until the peer ends the connection, for at most `lingerTimeout`, so that a reset does
/// not destroy the sent Close frame on its way (RFC 6455 §7.1.1).
@safe final class Link {
    enum Phase: Equatable {
        case idle, waiting, resolving, connecting, tunneling, securing, held, upgrading, open, closing, lingering, ended
    }

    /// Whether the owner is taking what arrived.
    enum Reception {
        case idle
        case running
        /// It has paused meanwhile. If it has also resumed, it is asked again, as a part of the read is left.
        case interrupted
    }

    /// What the owner knows of the end.
    enum End: Equatable {
        case none
        /// The owner is notified of this cause once it has taken everything that arrived before.
        case due(LinkFailure)
        /// The owner was notified, or does not want to be.
        case told
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
    /// When the phase must end; nil without a limit. While open: when to check whether the link is idle.
    var deadline: Instant?
    var isPaused = false
    /// The subprotocol that the server chose.
    var subprotocol: String?
    /// The server agreed to permessage-deflate.
    var isCompressed = false
    var reception = Reception.idle
    var end = End.none

    /// Nil once the link is open.
    var establishment: LinkEstablishment?
    var tcp: TCPConnection?
    var tls: TLSSession?
    /// During the handshake with a proxy; with TLS to the proxy, until the end.
    var tunnel: ProxyTunnel?
    var inbound: Inbound
    /// Compresses sent messages; nil without permessage-deflate.
    var deflater: Deflater?
    /// Frames not yet passed to TLS.
    var outbox: [UInt8] = []
    /// The completions of sent messages.
    var sends = SendCompletions()
    /// The payload of the last ping that could not be answered because the peer does not read.
    var overduePong: [UInt8]?
    /// The time of the last read since it is open.
    var lastReadAt: Instant?
    /// The number of consecutive reads that each came soon after the one before.
    var quickReadCount = 0
    /// The bytes of the connection, once it is closed.
    private var closedTraffic = Traffic()

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
        inbound = Inbound(limits: configuration.limits)
    }

    deinit {
        endEstablishment()
        unsafe tunnel?.link = nil
        tcp?.close()
    }

    /// Starts with name resolution when its turn comes. Failures come as `link(_:didEnd:)`, never from within this
    /// call.
    ///
    /// - Parameter memory: the results of earlier links, by address.
    func connect(memory: AddressMemory = AddressMemory()) {
        guard phase == .idle else { return }
        phase = .waiting
        let establishment = LinkEstablishment(self, memory: memory)
        self.establishment = establishment
        loop.connectLimiter.enter(establishment)
    }

    /// The link's turn has come.
    func begin(_ establishment: LinkEstablishment) {
        enter(.resolving, for: configuration.deadlines.dns)
        let (host, port) = establishment.destination()
        let connector = Connector(loop: loop, group: group, owner: self)
        establishment.connector = connector
        if !host.isEmpty {
            establishment.observer?.link(
                didTake: .startedLookup(
                    host: host, port: port, proxy: establishment.proxy,
                    variable: configuration.proxy?.variable(for: uri)))
        }
        connector.start(host: host, port: port, memory: establishment.memory, observer: establishment.observer)
    }

    /// The link is open or over: passes the turn on.
    func endEstablishment() {
        guard let establishment else { return }
        self.establishment = nil
        establishment.cancel()
        unsafe establishment.link = nil
        if establishment.hasTurn { loop.connectLimiter.leave() }
    }

    func enter(_ phase: Phase, for limit: Duration?) {
        self.phase = phase
        deadline = limit.map { loop.now.instant + $0 }
        if limit != nil { unsafe owner?.linkDidChangeDeadline(self) }
    }

    /// Ends the link with the time-out of its phase.
    func expire() {
        switch phase {
        case .resolving: fail(timeout(reaching: .dns, (establishment?.connector?.silence).map { [$0] }))
        case .connecting: fail(timeout(reaching: .connect, establishment?.connector?.tried))
        case .tunneling where tunnel?.isReadingBody == true: tunnel?.endBody()
        case .tunneling: fail(timeout(reaching: .proxy, nil))
        case .securing: fail(.timeout(.tls, tried: [], proxy: nil))
        case .upgrading where establishment?.upgrade?.isReadingBody == true:
            if let refusal = takeRefusal() { fail(refusal) }
        case .held, .upgrading: fail(.timeout(.upgrade, tried: [], proxy: nil))
        case .closing: end(.timeout(.close, tried: [], proxy: nil), lingering: false)
        case .lingering: finish()
        case .open: checkIdle()
        // Waiting for a turn says nothing about the peer.
        case .idle, .waiting, .ended: break
        }
    }

    /// The owner's timer fired, and the loop has polled since.
    func deadlineReached(now: Instant) {
        guard let deadline, now >= deadline else { return }
        expire()
    }

    // MARK: - The end

    /// A failure before or outside the closing handshake: the socket can no longer be used.
    func fail(_ failure: LinkFailure) {
        // Without a usable proxy there was no host to look up.
        let variable = establishment?.invalidProxyVariable
        end(variable.map { .invalidProxyVariable($0) } ?? failure, lingering: false)
    }

    /// Records why it ended; the owner is notified when it has taken everything that arrived before.
    ///
    /// Bytes that a paused owner has not taken yet are kept until it resumes.
    func end(_ failure: LinkFailure, lingering: Bool) {
        guard phase != .ended, phase != .lingering else { return }
        // A Close frame or a violation among the kept bytes came before the end of the connection.
        if end == .none || lingering && end != .told { end = .due(failure) }
        if lingering, tcp != nil {
            finishWriting()
            // A TLS error after that frame has ended the link already.
            guard phase != .ended else { return }
            return enter(.lingering, for: lingerLimit)
        }
        flush()
        if isPaused, phase == .open { closeSocket() } else { finish() }
    }

    /// The closing deadline includes the wait for the peer's FIN.
    private var lingerLimit: Duration {
        let limit = min(Link.lingerTimeout, configuration.deadlines.close)
        guard phase == .closing, let deadline else { return limit }
        return min(limit, deadline - loop.now.instant)
    }

    /// Notifies the owner of the end if it is due. The last statement of every entry from below.
    func reportEndIfDue() {
        if case .due(let failure) = end {
            guard !isPaused || phase != .open || (reception == .idle && !inbound.hasKeptBytes) else { return }
            if phase == .open { finish() }
            end = .told
            unsafe owner?.link(self, didEnd: failure)
        }
        if phase == .ended { tellFinish() }
    }

    /// The bytes on the wire so far.
    var traffic: Traffic {
        guard let tcp else { return closedTraffic }
        return Traffic(received: tcp.receivedByteCount, sent: tcp.sentByteCount)
    }

    func finish() {
        observeEnd()
        phase = .ended
        closeSocket()
        endEstablishment()
        inbound.forget()
    }

    private func closeSocket() {
        deadline = nil
        sends.connectionIsOver(at: sentByteCount)
        closedTraffic = traffic
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

    /// Abandons the connection at once. Only `linkDidFinish` follows.
    func drop() {
        end = .told
        finish()
        tellFinish()
    }

    /// Whether it is closing in the background and no longer needs its owner.
    var isWindingDown: Bool { (phase == .closing || phase == .lingering) && end == .told }

    /// Closes with a closing handshake, in the background. Only `linkDidFinish` follows.
    func retire() {
        end = .told
        switch phase {
        case .open:
            sendClose(.normal)
            if isPaused { resumeReading() }
        case .closing, .lingering:
            break
        case .idle, .waiting, .resolving, .connecting, .tunneling, .securing, .held, .upgrading, .ended:
            drop()
        }
    }

    /// The time-out of a phase that ends with a connection to the server or to the proxy.
    ///
    /// - Parameter tried: what the link was waiting for.
    private func timeout(reaching phase: LinkFailure.Phase, _ tried: [String]?) -> LinkFailure {
        .timeout(phase, tried: tried ?? [], proxy: establishment?.proxy)
    }
}

/// The buffers of a link: OpenSSL's record buffers, and the memory to reassemble and decompress messages. An idle link
/// holds none of them; a busy link does not allocate them again for each read.
extension Link {
    /// After this many reads, each soon after the one before, a link is busy. The answers to the upgrade and to the
    /// subscription, and the tickets of TLS 1.3, are fewer.
    static let burstReadCount = 4

    /// How long a busy link keeps its buffers without input.
    static let idleDelay: Duration = .milliseconds(250)

    /// The bytes of a read are consumed.
    func readDidEnd() {
        // Also while connecting: many connections may wait for their servers at the same time.
        guard phase == .open else { return releaseIdleMemory() }
        let now = loop.now.instant
        let isSoon = lastReadAt.map { now - $0 < Link.idleDelay } ?? false
        lastReadAt = now
        quickReadCount = isSoon ? min(quickReadCount + 1, Link.burstReadCount) : 0
        // The first reads for a while: most likely no other follows soon.
        guard quickReadCount == Link.burstReadCount else { return releaseIdleMemory() }
        guard deadline == nil else { return }
        enter(.open, for: Link.idleDelay)
    }

    /// Releases the buffers if the link has been idle, else checks again later.
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
        inbound.releaseIdleState()
        if outbox.isEmpty { outbox = [] }
    }
}
