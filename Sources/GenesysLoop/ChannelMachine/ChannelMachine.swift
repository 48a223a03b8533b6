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
/// Deadlines: attempt delay and total budget (`Reconnect`), silence (`Heartbeat`), commands (`PendingCommand`), life
/// (`Lifetime`), refresh, start of the rollover, hand-over, drain, closing, and the echo of an overlap. The link itself
/// times name resolution, TCP, TLS and the upgrade.
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
        /// The service closed the old link in order while `candidate`, of the same channel, was connecting.
        case handedOver(since: Instant)
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

    package enum Action: Equatable, Sendable {
        case connect(LinkID, EndpointID)
        case send(LinkID, OutgoingCommand)
        /// Starts the closing handshake; `linkEnded` follows.
        case sendClose(LinkID)
        /// Closes it in order, in the background; nothing follows.
        case retire(LinkID)
        /// Abandons it at once; nothing follows.
        case drop(LinkID)
        case pauseReading(LinkID)
        case resumeReading(LinkID)
        /// Delivers what was held for the link, each through `heldNotificationReleased`.
        case releaseHeld(LinkID)
        case tell(Event)
        /// Logs that a confirmation did not name these topics.
        case warn(unconfirmed: [Topic])
        /// Drops what is left; the terminal call follows when the last handle is closed.
        case finish(End)
    }

    package enum Event: Equatable, Sendable {
        case didSubscribe([Topic])
        case willReconnect(ReconnectAttempt)
        case didFailRollover(ChannelFailure)
        case didReject(RejectedTopics)
        case didMiss(Gap)
        case didRecover(Recovery)
        case willExpire(Expiry)
    }

    package enum End: Equatable, Sendable {
        case closed
        case failed(ChannelFailure)
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

    /// What to do with a notification.
    package enum Verdict: Equatable, Sendable {
        case deliver
        /// Keep a copy: it must not overtake unread messages on the old socket.
        case hold
        case ignore
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
    /// The wanted topics, in the order in which they were given.
    package internal(set) var topics: [Topic]
    package internal(set) var isPaused = false
    package internal(set) var lifetime: Lifetime
    package internal(set) var deduplicator = Deduplicator()

    var reconnect: Reconnect
    var takeover = Takeover()
    var random: SplitMix64
    /// The endpoint of `current`, or of the next attempt.
    var endpoint = EndpointID(rawValue: 0)
    /// The endpoint of the last confirmation, while an outage continues at another endpoint.
    var fallback: EndpointID?
    /// The wanted topics that the service confirmed on some link: a new link without them is useless.
    var granted: Set<Topic> = []
    /// The single topics that a confirmation did not name, although its command did.
    var unconfirmed: Set<Topic> = []
    /// The topics that the channel behind an endpoint may still have from earlier links, which topics outlive.
    var asked: [EndpointID: Set<Topic>] = [:]
    /// The target of a `rollover(to:)` during an older rollover that could no longer be stopped.
    var queuedRollover: EndpointID?
    var isEverConfirmed = false
    /// The host called `close()`: only the terminal call follows.
    package internal(set) var isSilent = false
    /// The outage in progress.
    var loss: Loss?
    /// When to start the automatic rollover, or to try it again.
    var rolloverDue: Instant?
    var rolloverFailureCount = 0
    /// How many sockets in a row were announced to close as soon as they were confirmed.
    var prematureNoticeCount = 0
    /// When the live link was last subscribed again, and when to do so next.
    var refreshedAt: Instant?
    var refreshDue: Instant?
    /// When the echo of the last overlap ends.
    var overlapEnd: Instant?
    var heldByteCount = 0
    var leftBehind = DeferredRelease()
    var pausedAt: Instant?
    var clocks: ClockReading?
    var counts = Recovery(
        method: .reconnect, attemptCount: 1, reconnectCount: 0, rolloverCount: 0, extensionCount: 0, mergedRepeats: 0)
    private var nextLinkID: UInt32 = 1
    /// Shared by many channels.
    private let sharedSettings: Boxed<ChannelSettings>
    /// At most one. Out of line, because a candidate is rare.
    private var candidates: [LinkRecord] = []

    package init(topics: [Topic], settings: ChannelSettings, seed: UInt64) {
        self.init(topics: topics, settings: Boxed(settings), seed: seed)
    }

    package init(topics: [Topic], settings shared: Boxed<ChannelSettings>, seed: UInt64) {
        let settings = shared.value
        self.topics = topics
        sharedSettings = shared
        random = SplitMix64(seed: seed)
        lifetime = Lifetime(duration: settings.lifetime, isExtended: settings.extendsLifetime)
        reconnect = Reconnect(policy: settings.reconnect)
    }

    mutating func makeLink(to endpoint: EndpointID, now: ClockReading) -> LinkRecord {
        defer { nextLinkID &+= 1 }
        return LinkRecord(id: LinkID(rawValue: nextLinkID), endpoint: endpoint, settings: settings, now: now)
    }
}
