/// The life of a notifications channel, as a value: it takes facts and returns actions.
///
/// It does no I/O and reads no clock.
///
///     idle ──open()──▶ attempting ◀─────delay over────── waiting
///                       │  │  ▲ └─failed, policy permits──▶ ▲ ▲
///              confirmed│  │  │                             │ │
///                       ▼  │  │                        lost │ │
///                      live ──│─────────────────────────────┘ │
///      notice, or       │  ▲  │                               │
///      rollover(to:)    ▼  │  │ old one lost                  │
///                   rollingOver                               │
///                       │  │  └─old one closed in order─▶ handedOver ─new one not accepted in time─▶ attempting
///              confirmed│  └──new one failed──▶ live          │  └──confirmed──▶ live
///                       ▼                                     └─new one failed─▶ waiting
///                    draining ──old one ended, or 1 s, or new one lost──▶ live
///
///     idle, waiting ─close()─▶ ended      all others ─close()─▶ closing ─▶ ended      all ─final failure─▶ ended
///
/// It routes: every input has one `switch` over the state. The host's inputs are here, the story of one link (attempts,
/// losses, the way back) in `ChannelMachine+Connection`, two links in `ChannelMachine+Rollover`, messages in
/// `ChannelMachine+Service`. Its children decide: `LinkEvidence` what has arrived, `Subscriptions` the topics,
/// `Overlap` order and copies, `Reconnect`, `Lifetime`, `Maintenance`, `Takeover` and, for each link, `Heartbeat`.
/// `TimerTable` lists the deadlines. The link itself times name resolution, TCP, TLS and the upgrade.
///
/// Actions are emitted in the order in which they are to be performed, and each input returns what it emitted.
///
/// Source: protocol sheet §4, §5, §8; RFC 6455 §7.
package struct ChannelMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        case idle
        /// Between attempts.
        case waiting(until: Instant)
        /// `candidate` is connecting or subscribing; there is no other link.
        case attempting
        /// `current` is confirmed.
        case live
        /// `current` is confirmed; `candidate` is connecting or subscribing.
        case rollingOver(Purpose)
        /// The service closed the old link in order while `candidate`, of the same channel, was connecting; unless
        /// `isProven`, that may have been before it accepted `candidate`.
        case handedOver(since: Instant, isProven: Bool)
        /// `candidate` is confirmed and not read; `current` is read to its end.
        case draining(until: Instant)
        case closing(until: Instant)
        case ended
    }

    /// Why a second socket is opened.
    package enum Purpose: Equatable, Sendable {
        case maintenance
        case requested
    }

    /// The start of an outage's gap, and its cause.
    struct Loss: Equatable, Sendable {
        let from: ClockReading
        private let boxedFailure: Boxed<ChannelFailure>

        var failure: ChannelFailure { boxedFailure.value }

        init(from: ClockReading, failure: ChannelFailure) {
            self.from = from
            boxedFailure = Boxed(failure)
        }
    }

    package var settings: ChannelSettings { sharedSettings.value }
    package internal(set) var state: State = .idle
    package internal(set) var current: LinkRecord?
    package internal(set) var candidate: LinkRecord? {
        get { candidates.first }
        set {
            guard let newValue else { return candidates = [] }
            if candidates.isEmpty { candidates = [newValue] } else { candidates[0] = newValue }
        }
    }

    package internal(set) var lifetime: Lifetime
    package internal(set) var maintenance = Maintenance()
    package internal(set) var subscriptions: Subscriptions
    package internal(set) var overlap = Overlap()
    var reconnect: Reconnect
    var takeover = Takeover()
    var random: SplitMix64

    /// The endpoint of `current`, or of the next attempt.
    package internal(set) var endpoint = EndpointID(rawValue: 0)
    /// The endpoint of the last confirmation, while an outage continues at another endpoint.
    var fallback: EndpointID?
    /// The outage in progress.
    var loss: Loss?
    /// Since when the host does not read.
    var pausedAt: Instant?
    /// The host called `close()`: only the terminal call follows.
    package internal(set) var isSilent = false
    /// The last time at which deadlines were looked at.
    var clocks: ClockReading?
    package internal(set) var counts = Recovery(method: .reconnect)
    var boxedHistory: Boxed<ChannelHistory>?
    private var nextLinkID: UInt32 = 1
    /// Shared by many channels.
    private let sharedSettings: Boxed<ChannelSettings>
    /// At most one. Out of line, because a candidate is rare.
    private var candidates: [LinkRecord] = []
    /// What the input in progress emitted.
    private var actions: [Action] = []

    package init(topics: [Topic], settings: ChannelSettings, seed: UInt64) {
        self.init(topics: topics, settings: Boxed(settings), seed: seed)
    }

    package init(topics: [Topic], settings shared: Boxed<ChannelSettings>, seed: UInt64) {
        let settings = shared.value
        subscriptions = Subscriptions(wanted: topics)
        sharedSettings = shared
        random = SplitMix64(seed: seed)
        lifetime = Lifetime(duration: settings.lifetime, isExtended: settings.extendsLifetime)
        reconnect = Reconnect(policy: settings.reconnect)
    }

    package var isPaused: Bool { pausedAt != nil }
    /// The service has confirmed a subscription since `open()`.
    var isEverConfirmed: Bool { reconnect.isConfirmed }

    // MARK: - Actions

    /// The next action of this input.
    mutating func emit(_ action: Action) {
        actions.append(action)
    }

    /// Ends an input: returns what it emitted.
    mutating func takeActions() -> [Action] {
        guard !actions.isEmpty else { return [] }
        defer { actions = [] }
        return actions
    }

    /// An input that is late is legal: a peer's answer to what is over, or a link that ends while it is given up.
    func ignoreLate() {}

    /// Only a mistake in this machine leads here: found in debug builds, ignored in release builds.
    func brokenInvariant(_ rule: StaticString) {
        assertionFailure("\(rule)")
    }

    // MARK: - Links

    mutating func makeLink(to endpoint: EndpointID, now: ClockReading) -> LinkRecord {
        defer { nextLinkID &+= 1 }
        return LinkRecord(id: LinkID(rawValue: nextLinkID), endpoint: endpoint, settings: settings, now: now)
    }

    package func record(_ link: LinkID) -> LinkRecord? {
        if current?.id == link { return current }
        return candidate?.id == link ? candidate : nil
    }

    /// Stores a changed record; one of a link that is gone is dropped.
    mutating func store(_ record: LinkRecord) {
        if current?.id == record.id {
            current = record
        } else if candidate?.id == record.id {
            candidate = record
        }
    }

    mutating func forget(_ link: LinkID) {
        if current?.id == link { current = nil }
        if candidate?.id == link { candidate = nil }
    }

    /// Reports that notifications may have been missed from `from` until now; nil is no gap.
    mutating func reportGap(from: ClockReading?, _ reason: FailureReason, now: ClockReading) {
        if let from { emit(.tell(.didMiss(Gap(from: from, until: now, reason: reason)))) }
    }

    mutating func reportRecovery(_ method: Recovery.Method, attemptCount: Int = 1) {
        counts.method = method
        counts.attemptCount = attemptCount
        counts.mergedRepeats = overlap.deduplicator.mergedCount
        emit(.tell(.didRecover(counts)))
    }
}

/// Inputs from the host.
extension ChannelMachine {
    /// `open()`.
    ///
    /// Calling it again does nothing.
    package mutating func openRequested(now: ClockReading) -> [Action] {
        guard state == .idle else { return [] }
        reconnect.opened(now: now.instant)
        clocks = now
        startAttempt(now: now)
        return takeActions()
    }

    /// `close()`.
    ///
    /// Idempotent; after it only the terminal call follows.
    package mutating func closeRequested(now: ClockReading) -> [Action] {
        isSilent = true
        switch state {
        case .idle, .waiting: finish(.closed)
        case .attempting, .live, .rollingOver, .handedOver, .draining: startClosing(now: now)
        case .closing, .ended: break
        }
        return takeActions()
    }

    /// `rollover(to:)`, with the name that the driver gave to the new URI.
    package mutating func rolloverRequested(to endpoint: EndpointID, now: ClockReading) -> [Action] {
        switch state {
        case .idle:
            self.endpoint = endpoint
        case .waiting, .attempting:
            redirectAttempt(to: endpoint, now: now)
        case .live, .rollingOver:
            dropCandidate(now: now)
            startRollover(.requested, to: endpoint, now: now)
        case .handedOver, .draining:
            // Data that exists only on the new socket would be lost with it, so that socket takes over first.
            overlap.queueRollover(to: endpoint)
        case .closing, .ended:
            break
        }
        return takeActions()
    }

    /// The next attempt goes to `endpoint`; the machine remembers where the channel was confirmed last.
    mutating func redirectAttempt(to endpoint: EndpointID, now: ClockReading) {
        if isEverConfirmed, fallback == nil { fallback = self.endpoint }
        self.endpoint = endpoint
        if fallback == endpoint { fallback = nil }
        dropCandidate(now: now)
        startAttempt(now: now)
    }

    /// `pause()`: nothing is read until `resume()`, and silence does not count in the meantime.
    package mutating func pauseRequested(now: ClockReading) -> [Action] {
        guard !isPaused else { return [] }
        pausedAt = now.instant
        guard isDelivering else { return [] }
        current?.heartbeat.suspend()
        if let current { emit(.pauseReading(current.id)) }
        if let link = candidate, link.openedAt != nil {
            candidate?.heartbeat.suspend()
            emit(.pauseReading(link.id))
        }
        return takeActions()
    }

    /// `resume()`.
    package mutating func resumeRequested(now: ClockReading) -> [Action] {
        guard let pausedAt else { return [] }
        self.pausedAt = nil
        let pause = Pause(from: pausedAt, to: now.instant)
        history.pausedTime += pause.end - pause.start
        if let candidate {
            current?.evidence.paused(pause, successor: candidate.id, acceptedAt: candidate.openedAt?.instant)
        }
        reconnect.postpone(by: pause)
        overlap.resumed(after: pause)
        guard isDelivering else { return [] }
        if let current { emit(.resumeReading(current.id)) }
        current?.resume(after: pause)
        if case .draining(let until) = state {
            // The new link stays unread until the old one ends.
            state = .draining(until: pause.postponed(until, limit: settings.drainTimeout))
        } else if let link = candidate, link.openedAt != nil {
            candidate?.resume(after: pause)
            emit(.resumeReading(link.id))
        }
        return takeActions()
    }

    /// `subscribe`, `unsubscribe` and `setTopics`: only the difference goes to the service.
    package mutating func topicsChanged(to wanted: [Topic], now: ClockReading) -> [Action] {
        subscriptions.want(wanted)
        switch state {
        case .live, .rollingOver:
            synchronizeCurrent(now: now)
        case .draining:
            if let candidate { synchronizeTopics(of: candidate, now: now) }
        case .idle, .waiting, .attempting, .handedOver, .closing, .ended:
            // The next confirmation requests them.
            break
        }
        return takeActions()
    }

    private mutating func startClosing(now: ClockReading) {
        _ = overlap.takeDeferred()
        var isDraining = false
        if case .draining = state { isDraining = true }
        for link in [current, candidate].compactMap(\.self) {
            guard link.openedAt != nil else {
                emit(.drop(link.id))
                forget(link.id)
                continue
            }
            emit(.sendClose(link.id))
            if isPaused || isDraining && link.id == candidate?.id { emit(.resumeReading(link.id)) }
        }
        guard current != nil || candidate != nil else { return finish(.closed) }
        state = .closing(until: now.instant + settings.closeTimeout)
    }
}

/// The end.
extension ChannelMachine {
    mutating func finish(_ failure: ChannelFailure) {
        releaseEverything()
        if let current { history.lastProof = current.deliveredUntil }
        current = nil
        candidate = nil
        finish(.failed(failure))
    }

    /// Ends the channel and closes every link in order.
    mutating func finishAll(_ failure: ChannelFailure) {
        if current != nil { history.lost(failure) }
        releaseEverything()
        for link in [current, candidate].compactMap(\.self) {
            emit(link.openedAt == nil ? .drop(link.id) : .retire(link.id))
        }
        finish(failure)
    }

    mutating func finish(_ end: End) {
        state = .ended
        emit(.finish(end))
    }

    /// The peer did not answer the closing handshake.
    mutating func closingTimedOut() {
        for link in [current, candidate].compactMap(\.self) { emit(.drop(link.id)) }
        current = nil
        candidate = nil
        finish(.closed)
    }
}
