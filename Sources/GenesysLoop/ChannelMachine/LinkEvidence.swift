/// What is known about the data that the service sent on one link: how much of it has arrived.
///
/// What was lost cannot be seen. This value decides what was *not* lost: everything up to `deliveredUntil` has arrived,
/// and a gap begins there. Each rule of `didMiss` follows one of these sentences. `Documentation/Proof.md` has them in
/// plain words, with five scenes.
///
/// **E1. Received is not sent.** TCP keeps the order, so a byte that arrives proves that everything the service sent
/// *before* it has arrived. It proves nothing about what was sent since: that is in transit for up to `transit`, and is
/// lost with the link. It also does not prove when it was sent: a path that stalled delivers everything at once.
///
/// **E2. A burst proves the time before it.** A burst is a read that leaves nothing unread, at least `transit` after
/// the burst before. Its first byte arrived at least `transit` after that one began, so it was sent after that, and E1
/// covers everything up to that time. The start of the burst before the last one is therefore proven, and no
/// more: the last burst may consist of bytes that waited on a stalled path.
///
///     service sends    a      b        c d            e            x  (e, x: in transit, lost with the link)
///     client reads      a      b        c d                   ╳ reset
///                       │      │        └─ last burst
///                       │      └────────── the burst before: proven until here, the gap begins here
///
/// **E3. A pong proves everything before its ping.** The service answers in order: what it sent on this link before it
/// read the ping arrives before the pong. The pong says nothing about what it sends afterwards.
///
///     client sends      new socket confirmed ─ ping ─┐               old socket ends, or is given up
///     service                                        └─ pong ─┐      │
///     client reads      a      b                      c       └ pong │   proven until the ping: no gap
///
/// **E4. A Close frame proves a hand-over.** It is the last frame of a link, so by E1 everything on that link has
/// arrived. A service closes the old socket of a channel after it has accepted the new one, so nothing was sent in
/// between. This holds only for two sockets of one channel, and only if the frame was read when it arrived: one that
/// waited during a pause, or for a blocked loop, may be older than the acceptance (E5). So may one that waited on a
/// stalled path, but that cannot be seen: the limit of this sentence. An end without a Close frame proves nothing.
///
///     service           accepts the new socket ─── Close on the old one
///     client, reading       └ accepted                 └ Close            no gap
///     client, paused    ─────────────────── resume: Close, accepted       either order is possible: gap from E2
///
/// **E5. What takes proof away.** After a pause, a blocked loop or a suspended host, unread bytes have no known arrival
/// time: the read that empties the socket is not a burst, the next one is. So it is on the new socket of a rollover,
/// which is not read until the old one ends. A stalled path has the same effect, which is why E2 waits for a second
/// burst. A subscription that another client took (`overtaken`) delivers nothing from then on, however alive its link
/// is, until the service confirms another one: the gap begins at the last proven moment before the notice.
///
/// Times carry both clocks. Source: RFC 9293 §3.4 (order), RFC 6455 §5.5.1 (Close), protocol sheet §4.3, §5.4, §8 P1.
package struct LinkEvidence: Equatable, Sendable {
    /// How long data of the service may be in transit, and the least time between two bursts.
    static let transit: Duration = .seconds(1)

    /// The last read.
    package private(set) var lastRead: ClockReading
    /// The starts of the last two bursts (E2).
    private var burst: ClockReading
    private var previousBurst: ClockReading
    /// Unread bytes have no known arrival time (E5).
    package private(set) var hasBacklog = false
    /// Application pings sent and answered, and the number of the one that asks for a proof (E3).
    private var pingCount: UInt32 = 0
    private var pongCount: UInt32 = 0
    package private(set) var question: UInt32 = .max
    /// The successor that may have been accepted while this link was not read (E4).
    private var unwatchedSuccessor: LinkID?
    /// Another client may have taken the subscription (E5): what to repair if no successor takes over.
    package private(set) var lapse: SubscriptionLapse?

    package init(now: ClockReading) {
        lastRead = now
        burst = now
        previousBurst = now
    }

    // MARK: - What happened

    /// Bytes were read; `isDrained` if that left nothing unread.
    package mutating func read(isDrained: Bool, now: ClockReading) {
        lastRead = now
        guard isDrained else { return }
        guard !hasBacklog else { return hasBacklog = false }
        guard now.instant - burst.instant >= LinkEvidence.transit else { return }
        previousBurst = burst
        burst = now
    }

    /// Nothing was read for a while: the host paused, blocked its loop, or was suspended.
    package mutating func readingStalled() {
        hasBacklog = true
    }

    /// Nothing was read during `pause`, in which `successor` may have been accepted.
    ///
    /// - Parameter acceptedAt: when its acceptance was read; nil if it was not.
    package mutating func paused(_ pause: Pause, successor: LinkID, acceptedAt: Instant?) {
        if let acceptedAt, acceptedAt + ChannelMachine.handOverSlack <= pause.start { return }
        missedAcceptance(of: successor)
    }

    /// Nothing was read while `successor` may have been accepted (E4).
    package mutating func missedAcceptance(of successor: LinkID) {
        unwatchedSuccessor = successor
    }

    /// A ping was sent; with `isQuestion` its pong is a proof that somebody waits for.
    package mutating func pinged(isQuestion: Bool = false) {
        pingCount &+= 1
        if isQuestion { question = pingCount }
    }

    /// A pong arrived. One without a ping proves nothing.
    ///
    /// - Returns: whether it answers the last question.
    package mutating func answered() -> Bool {
        guard pongCount < pingCount else { return false }
        pongCount &+= 1
        return pongCount == question
    }

    /// Another client, or our own successor, took the subscription.
    package mutating func overtaken(_ lapse: SubscriptionLapse) {
        self.lapse = lapse
    }

    /// The subscription is being repaired.
    package mutating func repairing() {
        lapse = nil
    }

    // MARK: - What it proves

    /// Everything that the service sent until then has arrived (E2).
    package var arrivedUntil: ClockReading { previousBurst }

    /// Everything that the service had for this subscription until then has arrived (E2, E5).
    package var deliveredUntil: ClockReading { arrivedUntil.earlier(lapse?.from) }

    /// Whether everything sent before the last question has arrived (E3).
    package var isProven: Bool { pongCount >= question }

    /// Whether a Close frame of this link proves that `successor` had been accepted before (E4).
    package func provesHandOver(to successor: LinkID) -> Bool { unwatchedSuccessor != successor }
}

extension ClockReading {
    /// The earlier of two moments, or this one alone.
    func earlier(_ other: ClockReading?) -> ClockReading {
        guard let other, other.instant < instant else { return self }
        return other
    }
}
